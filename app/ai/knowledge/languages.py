"""Which of es, en and pt a short text is written in. Small on purpose: three languages, a few words each."""

from typing import Final

from app.ai.knowledge.words import word_set, words_of

__all__ = ["language_of"]

# Words that are frequent in one of the three and absent, or rare, in the other two.
_WORDS: Final = {
    "es": word_set(
        """
        hola el los las del y que como donde cuando cuanto cuesta tienen hay usted ustedes gracias
        buenas buenos dias quiero puedo hacen abren cierran estan esta mi su con para una un es son muy
        pero tarde tardes hoy manana horario precio eres soy persona hablar ubicacion direccion envian
        necesito favor
        """
    ),
    "en": word_set(
        """
        the is are do does you your what when where how much many have has can could would hello hi hey
        please thanks thank open close hours price i we to of and in on at a an my with for this that
        want need speak human there it any good morning
        """
    ),
    "pt": word_set(
        """
        oi ola o os as do da dos das e que voce voces vc nao sim obrigado obrigada bom boa tem onde
        quanto custa quando quero posso fazem abrem fecham horas com para uma um sao muito mas tarde
        noite hoje amanha horario preco meu minha tudo bem falar pessoa endereco entrega qual
        """
    ),
}
_MARKS: Final = {"es": "ñ¿¡", "pt": "ãõçâêô"}


def language_of(text: str, default: str) -> str:
    """Return `es`, `en` or `pt`; `default` when the text does not say."""
    words = words_of(text)
    lowered = text.lower()
    points = {
        language: sum(word in known for word in words) + 2 * sum(mark in lowered for mark in _MARKS.get(language, ""))
        for language, known in _WORDS.items()
    }
    best = max(points.values())
    leaders = [language for language, count in points.items() if count == best]
    if best == 0 or default in leaders:
        return default
    return leaders[0]
