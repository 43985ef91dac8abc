"""The profile of a new installation: it answers from the first minute, and every fact in it says that it is an example.

It states no opening hours of its own, because a customer who reads it must never be told hours that nobody set.
"""

from collections.abc import Mapping
from typing import Final

from app.business.schemas import BusinessProfile, Fact, Language

__all__ = ["example_profile"]


def example_profile(language: Language = "es") -> BusinessProfile:
    return _EXAMPLES[language]


_EXAMPLES: Final[Mapping[Language, BusinessProfile]] = {
    "es": BusinessProfile(
        name="Mi negocio",
        description="(Ejemplo) Atendemos a nuestros clientes por WhatsApp: preguntas, pedidos y citas.",
        language="es",
        tone="Cercano y respetuoso, con frases cortas.",
        greeting="¡Hola! Gracias por escribirnos. ¿En qué te podemos ayudar?",
        disclosure="Soy el asistente virtual de Mi negocio, un programa. Si prefieres hablar con una persona, dímelo.",
        hours=None,
        outside_hours_message="",
        facts=[
            Fact(
                heading="¿Cuál es el horario? ¿A qué hora abren y cierran?",
                text="(Ejemplo) Abrimos de lunes a viernes de 9:00 a 18:00 y los sábados de 10:00 a 14:00.",
            ),
            Fact(
                heading="¿Dónde están ubicados? ¿Cuál es la dirección?",
                text="(Ejemplo) Estamos en la Calle 10 # 5-20, en el centro, al lado del parque principal.",
            ),
            Fact(
                heading="¿Cómo puedo pagar? ¿Qué medios de pago aceptan?",
                text="(Ejemplo) Aceptamos efectivo, tarjeta y transferencia bancaria.",
            ),
        ],
        answer_policy="everyone",
        paused=False,
    ),
    "en": BusinessProfile(
        name="My business",
        description="(Example) We help our customers on WhatsApp: questions, orders and appointments.",
        language="en",
        tone="Friendly and respectful, in short sentences.",
        greeting="Hello! Thank you for writing to us. How can we help you?",
        disclosure="I am the virtual assistant of My business, a program. If you prefer to talk to a person, tell me.",
        hours=None,
        outside_hours_message="",
        facts=[
            Fact(
                heading="What are your opening hours? When do you open and close?",
                text="(Example) We are open Monday to Friday from 9:00 to 18:00 and on Saturdays from 10:00 to 14:00.",
            ),
            Fact(
                heading="Where are you? What is your address?",
                text="(Example) We are at 10 Main Street, in the centre, next to the park.",
            ),
            Fact(
                heading="How can I pay? Which payment methods do you accept?",
                text="(Example) We accept cash, cards and bank transfers.",
            ),
        ],
        answer_policy="everyone",
        paused=False,
    ),
    "pt-BR": BusinessProfile(
        name="Meu negócio",
        description="(Exemplo) Atendemos nossos clientes pelo WhatsApp: perguntas, pedidos e agendamentos.",
        language="pt-BR",
        tone="Próximo e respeitoso, com frases curtas.",
        greeting="Olá! Obrigado por escrever. Como podemos ajudar?",
        disclosure="Sou o assistente virtual do Meu negócio, um programa. Se preferir uma pessoa, é só dizer.",
        hours=None,
        outside_hours_message="",
        facts=[
            Fact(
                heading="Qual é o horário? A que horas abrem e fecham?",
                text="(Exemplo) Abrimos de segunda a sexta das 9:00 às 18:00 e aos sábados das 10:00 às 14:00.",
            ),
            Fact(
                heading="Onde vocês ficam? Qual é o endereço?",
                text="(Exemplo) Ficamos na Rua Principal, 10, no centro, ao lado da praça.",
            ),
            Fact(
                heading="Como posso pagar? Quais formas de pagamento aceitam?",
                text="(Exemplo) Aceitamos dinheiro, cartão, Pix e transferência bancária.",
            ),
        ],
        answer_policy="everyone",
        paused=False,
    ),
}
