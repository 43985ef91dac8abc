"""The answerer without a model: it quotes the best passage, or says that it does not know."""

import re
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from app.ai.knowledge.languages import language_of
from app.ai.knowledge.passages import Passage
from app.ai.knowledge.search import index_of
from app.ai.knowledge.words import STOP_WORDS, concept_of, word_set, words_of
from app.core.folding import fold

__all__ = ["OfflineAnswer", "answer_offline"]

OfflineKind = Literal["passage", "greeting", "thanks", "identity", "person", "unknown"]


class OfflineAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What to say. `passage` is what was quoted, with `kind` passage."""

    text: str
    kind: OfflineKind
    language: str
    passage: Passage | None = None

    @property
    def is_answer(self) -> bool:
        """False when a person should look: nothing fits, or the customer asked for a person."""
        return self.kind not in {"unknown", "person"}


_SENTENCES: Final[dict[str, dict[str, str]]] = {
    "es": {
        "greeting": "¡Hola! Soy el asistente automático{of}. ¿En qué puedo ayudarte?",
        "thanks": "¡Con gusto! Si necesitas algo más, aquí estoy.",
        "identity": "Soy un asistente automático{of}, no una persona. Si prefieres hablar con alguien, dímelo.",
        "person": "Claro. Una persona del equipo puede ayudarte con esto.",
        "unknown": "No tengo esa información y prefiero no inventarla. Una persona del equipo puede ayudarte.",
        "of": " de {name}",
    },
    "en": {
        "greeting": "Hello! I am the automated assistant{of}. How can I help you?",
        "thanks": "You are welcome! If you need anything else, I am here.",
        "identity": "I am an automated assistant{of}, not a person. If you would rather talk to someone, just tell me.",
        "person": "Of course. A person from the team can help you with this.",
        "unknown": "I do not have that information and would rather not guess. A person from the team can help you.",
        "of": " of {name}",
    },
    "pt": {
        "greeting": "Olá! Sou o assistente automático{of}. Como posso ajudar?",
        "thanks": "Por nada! Se precisar de mais alguma coisa, estou aqui.",
        "identity": "Sou um assistente automático{of}, não uma pessoa. Se preferir falar com alguém, é só dizer.",
        "person": "Claro. Uma pessoa da equipe pode ajudar com isso.",
        "unknown": "Não tenho essa informação e prefiro não inventar. Uma pessoa da equipe pode ajudar.",
        "of": " de {name}",
    },
}
_WHO: Final = r"(bot|robot?|ia|ai|maquina|machine|human[oa]?|person|persona|pessoa|as{1,2}istente|real)"
_ASKS_WHO: Final = re.compile(
    rf"\b(eres|sos|es usted|are you|voce e|vc e|tu es|estoy hablando con|am i (talking|speaking|chatting) (to|with)|"
    rf"estou falando com|hablo con|falo com)\b.{{0,20}}\b{_WHO}\b"
)
_WANTS_PERSON: Final = re.compile(
    r"\b(hablar|comunicar\w*|pas\w+|atien\w+|atenci\w+|contact\w*|speak|talk|falar|conversar|atend\w+)\b.{0,25}"
    r"\b(persona|humano|agente|asesor\w*|encargad\w|alguien|person|human|agent|someone|representative|manager|pessoa|"
    r"atendente|alguem|gerente)\b"
)
_THANKS: Final = word_set(
    """
    gracias thanks thank thx obrigado obrigada brigado brigada agradecido agradecida ok okay vale listo dale perfecto
    genial entendido perfect great beleza certo
    """
)
_GREETINGS: Final = word_set("hola hello hi hey oi ola buenas buenos bom boa good saludos alo")


def answer_offline(
    passages: Sequence[Passage], question: str, *, language: str = "es", business_name: str = ""
) -> OfflineAnswer:
    """Answer a customer's text from `passages`, which are in `language` (es, en or pt).

    Sentences of our own are in the language of the question, falling back to `language`; passages are quoted as they
    are. The customer's words are never repeated.
    """
    spoken = language_of(question, language if language in _SENTENCES else "es")
    folded = fold(question)
    if _ASKS_WHO.search(folded):
        return _own(spoken, "identity", business_name)
    if _WANTS_PERSON.search(folded):
        return _own(spoken, "person", business_name)
    found = index_of(tuple(passages), language).search(question, limit=1)
    if found:
        return OfflineAnswer(text=found[0].passage.text, kind="passage", language=spoken, passage=found[0].passage)
    return _own(spoken, _courtesy(question), business_name)


def _courtesy(question: str) -> Literal["greeting", "thanks", "unknown"]:
    """Tell courtesy from a question that nothing answers: one word of other content makes it a question."""
    words = words_of(question)
    if not words:
        return "greeting"
    if any(word not in STOP_WORDS and word not in _THANKS | _GREETINGS for word in words):
        return "unknown"
    if any(concept_of(word) for word in words if word not in _GREETINGS):
        return "unknown"
    if _THANKS.intersection(words):
        return "thanks"
    return "greeting" if _GREETINGS.intersection(words) else "unknown"


def _own(language: str, kind: OfflineKind, business_name: str) -> OfflineAnswer:
    sentences = _SENTENCES[language]
    of = sentences["of"].replace("{name}", business_name) if business_name else ""
    return OfflineAnswer(text=sentences[kind].replace("{of}", of), kind=kind, language=language)
