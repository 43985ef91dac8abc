"""The few words the offline search must know: stop words, and what customers ask businesses about, in es, en and pt.

Everything here is written as `fold` leaves it: lower case, without accents.
"""

import re
from functools import lru_cache
from typing import Final

from app.core.folding import fold

__all__ = ["CONCEPTS", "STOP_WORDS", "concept_of", "word_set", "words_of"]

_WORD: Final = re.compile(r"[^\W_]+")


def words_of(text: str) -> list[str]:
    return _WORD.findall(fold(text))


def word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that carry no subject. Greetings and courtesy are among them, so that they never count as a match.
STOP_WORDS: Final = word_set(
    # Spanish
    """
    a al algo alguien alguna algunas alguno algunos ante antes aqui asi aun aunque bien buen buena buenas bueno
    buenos cada como con cosa cosas cual cuales cualquier cuando cuanto cuanta cuantos cuantas de del desde
    donde dos el ella ellas ellos en entonces entre era eran eres es esa esas ese eso esos esta estaba estan
    estar estas este esto estos estoy fue gracias gustaria ha hace hacen hacer haber hay he hola la las le les
    lo los mas me mi mis mucho muy nada ni no nos nosotros o otra otras otro otros para pero poco por porfa
    porque pues puede pueden puedo quiero quisiera queria que quien quienes saber se sea ser si sin sobre solo
    son soy su sus tal tambien tan te tener tengo tiene tienen todo todos tu tus un una unas uno unos usted
    ustedes va van vamos ver vez vos y ya yo dia dias tarde tardes noche noches favor saludos disculpa disculpe
    oye decir decirme dime podria podrian necesito muchas muchos mil
    """
    # English
    """
    an and any are as at be been being but by can could did do does doing for from get had has have having hello
    hey hi how i if in into is it its just know let like me my of on or our please so some tell thank thanks
    that the their them then there these they this those to too us want was we were what when where which who
    why will with would you your need good morning afternoon evening about am u ur very lot
    much many
    """
    # Portuguese
    """
    ao aos as ate boa boas bom com da das do dos e ela ele eles essa esse esta estao eu foi gostaria isso isto
    ja mas meu minha muito na nao nas no nos num numa obrigada obrigado oi ola onde os ou pela pelo pode podem
    posso pra pro qual quais quanto quantos quando queria quero saber sao se sem ser seu sua tem tenho ter um
    uma uns umas voce voces vc dia noite tudo preciso muita muitas muitos bem
    """
)

# What a word is about, whatever the language: by these an English question finds a Spanish passage. A word belongs to
# the concept that lists it, or lists its beginning followed by an asterisk.
CONCEPTS: Final[dict[str, str]] = {
    "hours": """
        horario* hora horas abre abren abro abrir abrimos abierto* abierta* cierra* cierran cierre cerrado
        cerrada cerrar cerramos atienden atencion open* close* closing hour hours schedule time abertura
        aberto aberta fecham fechado fechada funcionamento funciona funcionam atendimento feriado* festivo*
        holiday* sabado* domingo* saturday sunday weekend
    """,
    "place": """
        direccion* ubicacion* ubicad* domicilio donde queda quedan localizad* localizacion calle address
        location located map mapa mapas llegar directions street endereco fica ficam localizacao rua local
        sucursal* branch*
    """,
    "price": """
        precio* cuesta* cuestan costo* coste* vale valen valor* tarifa* cobra* price* cost* fee fees rate
        rates preco* custa* custam custo*
    """,
    "payment": """
        pago* pagar pagan paga tarjeta* efectivo transferencia* bizum pay* card* cash pagamento* cartao
        cartoes dinheiro pix credito debito credit debit
    """,
    "contact": """
        telefono* llamar llamo correo email mail contacto* contactar phone call contact* whatsapp telefone*
        ligar contato*
    """,
    "booking": """
        cita* reserva* reservar turno* agendar agenda appointment* book booking* reservation* agendamento*
        marcar consulta*
    """,
    "delivery": """
        envio* envian enviar entrega* reparto domicilios delivery deliver* ship* shipping entregam frete
    """,
    "returns": """
        devolucion* devolver cambio* cambiar reembolso* garantia* return* refund* exchange* warranty
        devolucao devolucoes troca* reembolsar
    """,
    "offer": """
        servicio* producto* ofrecen ofrece venden vende catalogo* menu carta service* product* sell offer*
        catalog* servico* produto* vendem oferecem cardapio
    """,
    "parking": """
        estacionamiento* parking parqueadero* aparcamiento* aparcar estacionar park estacionamento*
    """,
}

_EXACT: Final = {
    word: concept for concept, words in CONCEPTS.items() for word in words.split() if not word.endswith("*")
}
_BEGINNINGS: Final = tuple(
    (word[:-1], concept) for concept, words in CONCEPTS.items() for word in words.split() if word.endswith("*")
)


@lru_cache(maxsize=8192)
def concept_of(word: str) -> str | None:
    """Return what a folded word is about, None for most words."""
    if word in _EXACT:
        return _EXACT[word]
    return next((concept for beginning, concept in _BEGINNINGS if word.startswith(beginning)), None)
