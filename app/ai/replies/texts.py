"""The few sentences the assistant says without a model, in the product's languages. Honest by default."""

from typing import Literal

Language = Literal["es", "en", "pt-BR"]

MODELS_UNAVAILABLE: dict[Language, str] = {
    "es": "Ahora mismo no puedo responderte bien. Ya he avisado al equipo y te contestamos en cuanto podamos.",
    "en": "I cannot answer you properly right now. I have told the team, and we will reply as soon as we can.",
    "pt-BR": "Neste momento não consigo responder bem. Já avisei a equipe e respondemos assim que pudermos.",
}

HANDED_OVER: dict[Language, str] = {
    "es": "Prefiero que esto lo vea una persona del equipo. Te contestará por aquí.",
    "en": "I would rather have a person from the team look at this. They will answer you here.",
    "pt-BR": "Prefiro que uma pessoa da equipe veja isto. Ela responde por aqui.",
}
