import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ai.knowledge.languages import language_of
from app.ai.knowledge.offline import OfflineAnswer, answer_offline
from app.ai.knowledge.passages import Passage
from app.ai.knowledge.search import PassageIndex, index_of


def passage(id_: str, heading: str, text: str) -> Passage:
    return Passage(id=id_, heading=heading, text=text, source="profile")


HAIRDRESSER = (
    passage(
        "hours", "Horario de atención", "Abrimos de lunes a viernes de 9:00 a 18:00 y los sábados de 10:00 a 14:00."
    ),
    passage("place", "Dirección", "Estamos en la calle Mayor 12, Valencia, junto al mercado."),
    passage("price", "Precios del corte de pelo", "El corte cuesta 18 euros y el tinte 45 euros."),
    passage("payment", "Formas de pago", "Aceptamos tarjeta, efectivo y Bizum."),
    passage("about", "Sobre nosotros", "Somos una peluquería familiar con veinte años de experiencia."),
    passage("pets", "Mascotas", "Los perros pequeños son bienvenidos en la sala de espera."),
)


def ask(question: str) -> OfflineAnswer:
    return answer_offline(HAIRDRESSER, question, language="es", business_name="Pelo & Co")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("¿A qué hora abren?", "hours"),
        ("a que hora cierran los sabados", "hours"),
        ("Hola, buenas tardes, ¿están abiertos mañana sábado por la tarde?", "hours"),
        ("what time do you open?", "hours"),
        ("que horas vocês abrem amanhã?", "hours"),
        ("donde estan", "place"),
        ("¿Me pasas la ubicación?", "place"),
        ("where are you located?", "place"),
        ("cuánto cuesta el tinte", "price"),
        ("hola, precio del corte?", "price"),
        ("aceptan tarjeta?", "payment"),
        ("can I pay by card", "payment"),
        ("puedo llevar a mi perro?", "pets"),
        ("¿cuántos años de experiencia tienen?", "about"),
    ],
)
def test_a_question_is_answered_by_the_passage_that_is_about_it(question: str, expected: str) -> None:
    answer = ask(question)
    assert answer.passage is not None
    assert (answer.kind, answer.passage.id) == ("passage", expected)
    assert answer.text == answer.passage.text


@pytest.mark.parametrize(
    "question",
    [
        "tienen wifi",
        "venden neumáticos",
        "cohete espacial",
        "quiero devolver una camisa",
        "¿Quién ganó el mundial?",
        "do you repair bicycles?",
        "vocês consertam celulares?",
        "asdf qwerty",
        "42",
    ],
)
def test_a_question_that_nothing_answers_gets_no_random_passage(question: str) -> None:
    answer = ask(question)
    assert (answer.kind, answer.is_answer) == ("unknown", False)


@pytest.mark.parametrize(
    ("said", "kind", "language", "words"),
    [
        ("hola", "greeting", "es", "¡Hola!"),
        ("Hello, good morning", "greeting", "en", "Hello!"),
        ("oi, tudo bem?", "greeting", "pt", "Olá!"),
        ("muchas gracias!", "thanks", "es", "¡Con gusto!"),
        ("thank you very much", "thanks", "en", "welcome"),
        ("obrigado", "thanks", "pt", "Por nada"),
        ("¿eres un robot?", "identity", "es", "asistente automático de Pelo & Co, no una persona"),
        ("am I talking to a human?", "identity", "en", "not a person"),
        ("você é um robô?", "identity", "pt", "não uma pessoa"),
        ("quiero hablar con una persona", "person", "es", "Claro"),
        ("can I speak to someone please", "person", "en", "Of course"),
        ("quero falar com um atendente", "person", "pt", "Claro"),
        ("do you sell tyres?", "unknown", "en", "I do not have that information"),
        ("vocês vendem pneus?", "unknown", "pt", "Não tenho essa informação"),
        ("👍", "greeting", "es", "¡Hola!"),
    ],
)
def test_courtesy_and_ignorance_are_in_the_customers_language(said: str, kind: str, language: str, words: str) -> None:
    answer = ask(said)
    assert (answer.kind, answer.language) == (kind, language)
    assert words in answer.text


def test_a_wish_for_a_person_is_for_a_person_even_if_a_passage_would_fit() -> None:
    assert not ask("quiero hablar con una persona sobre el horario").is_answer


def test_without_passages_it_says_that_it_does_not_know() -> None:
    assert answer_offline((), "¿A qué hora abren?").kind == "unknown"


def test_an_english_business_is_searched_in_english() -> None:
    passages = (passage("1", "Opening hours", "We are open from nine to six."), passage("2", "Refunds", "Thirty days."))
    answer = answer_offline(passages, "how do refunds work", language="en")
    assert answer.text == "Thirty days."


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("¿Dónde están?", "es"),
        ("Where are you?", "en"),
        ("Onde vocês ficam?", "pt"),
        ("Não sei", "pt"),
        ("12345", "es"),
        ("", "es"),
    ],
)
def test_a_language_is_told_or_left_to_the_profile(text: str, language: str) -> None:
    assert language_of(text, "es") == language


@given(st.text(max_size=80))
def test_any_text_gets_an_answer_that_does_not_repeat_it(text: str) -> None:
    answer = ask(text)
    assert answer.text
    assert answer.text in {entry.text for entry in HAIRDRESSER} or answer.kind != "passage"


def test_an_index_is_made_once_for_the_same_passages() -> None:
    assert index_of(HAIRDRESSER, "es") is index_of(tuple(HAIRDRESSER), "es")


def test_the_rarer_word_decides() -> None:
    passages = tuple(passage(str(number), "Producto", f"El producto modelo {number} es azul.") for number in range(20))
    [found, *_] = PassageIndex(passages, "es").search("modelo 14")
    assert found.passage.id == "14"


def test_fifty_passages_are_indexed_and_searched_quickly() -> None:
    passages = tuple(passage(str(number), f"Tema {number}", "Texto con varias palabras. " * 10) for number in range(50))
    began = time.process_time()
    index = PassageIndex(passages, "es")
    built = time.process_time()
    for number in range(100):
        index.search(f"tema {number}")
    searched = time.process_time()
    # Ten times what an idle machine needs, so that only a change of order fails.
    assert built - began < 0.2
    assert (searched - built) / 100 < 0.005
