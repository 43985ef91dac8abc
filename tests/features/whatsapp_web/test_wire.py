from datetime import UTC, datetime

import pytest

from app.whatsapp.inbound import DeliveryStatus, Inbound, InboundMessage, PhoneEcho
from app.whatsapp.normalise import normalise
from app.whatsapp.web.wire import MediaTold, WebAck, WebMessage, ack_body, message_body

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
NUMBER = "web-1"
CHAT = "111222333@lid"


def told(**given: object) -> WebMessage:
    usual = {
        "id": "3EB01",
        "key": f"false_{CHAT}_3EB01",
        "chat": CHAT,
        "from_me": False,
        "kind": "chat",
        "text": "Hola",
        "at": AT,
        "phone": "5491155550001",
        "lid": "111222333",
        "name": "Ana",
    }
    return WebMessage(**{**usual, **given})  # type: ignore[arg-type]  # each test says what matters


def read(message: WebMessage) -> Inbound:
    (fact,) = normalise(message_body(message, NUMBER), NOW)
    return fact


def test_a_message_arrives_as_one_of_the_cloud_api_does() -> None:
    fact = read(told())

    assert isinstance(fact, InboundMessage)
    assert (fact.phone_number_id, fact.message_id, fact.kind, fact.text) == (NUMBER, "3EB01", "text", "Hola")
    assert (fact.sender.phone, fact.sender.user_id) == ("5491155550001", "111222333@lid")
    assert fact.sender.profile_name == "Ana"
    assert fact.sent_at == NOW
    assert fact.turn


def test_somebody_whose_number_is_not_shown_is_known_by_the_lid() -> None:
    fact = read(told(phone=None))

    assert isinstance(fact, InboundMessage)
    assert (fact.sender.phone, fact.sender.user_id) == (None, "111222333@lid")
    assert fact.turn


def test_somebody_who_cannot_be_verified_is_shown_but_never_answered() -> None:
    fact = read(told(phone=None, lid=None, title="Ana from work"))

    assert isinstance(fact, InboundMessage)
    assert fact.sender.user_id == "web-1:Ana from work"
    assert not fact.turn


def test_two_phones_never_take_the_same_title_for_the_same_person() -> None:
    one = told(phone=None, lid=None, title="Ana")

    assert message_body(one, "web-1") != message_body(one, "web-2")
    assert b"web-2:Ana" in message_body(one, "web-2")


def test_a_group_is_never_answered() -> None:
    fact = read(told(group=True, chat="120363@g.us"))

    assert isinstance(fact, InboundMessage)
    assert fact.group_id == "120363@g.us"
    assert not fact.turn


def test_what_was_typed_on_the_phone_is_an_echo() -> None:
    fact = read(told(from_me=True))

    assert isinstance(fact, PhoneEcho)
    assert (fact.recipient_phone, fact.text) == ("5491155550001", "Hola")


@pytest.mark.parametrize(
    ("kind", "known_as", "voice"), [("image", "image", False), ("ptt", "audio", True), ("document", "document", False)]
)
def test_a_file_is_fetched_by_the_whole_id(kind: str, known_as: str, voice: bool) -> None:
    fact = read(told(kind=kind, text="look", media=MediaTold(mime_type="image/png", filename="a.png")))

    assert isinstance(fact, InboundMessage)
    assert fact.kind == known_as
    assert fact.media is not None
    assert (fact.media.media_id, fact.media.voice) == (f"false_{CHAT}_3EB01", voice)


def test_what_nobody_here_understands_is_shown_as_that() -> None:
    fact = read(told(kind="poll_creation"))

    assert isinstance(fact, InboundMessage)
    assert fact.kind == "unsupported"
    assert not fact.turn


def test_a_reaction_is_no_turn() -> None:
    fact = read(told(kind="reaction", emoji="👍", target_id="3EB00"))

    assert isinstance(fact, InboundMessage)
    assert (fact.kind, fact.target_id, fact.turn) == ("reaction", "3EB00", False)


def test_the_same_message_is_always_the_same_webhook() -> None:
    assert message_body(told(), NUMBER) == message_body(told(), NUMBER)


@pytest.mark.parametrize(("ack", "status"), [(1, "sent"), (2, "delivered"), (3, "read"), (4, "played"), (-1, "failed")])
def test_an_ack_is_a_status_that_names_the_attempt(ack: int, status: str) -> None:
    body = ack_body(WebAck(ids=("3EB02",), chat=CHAT, ack=ack, at=AT), "3EB02", "ob:1", NUMBER)

    assert body is not None
    (fact,) = normalise(body, NOW)
    assert isinstance(fact, DeliveryStatus)
    assert (fact.message_id, fact.status, fact.tracker, fact.at) == ("3EB02", status, "ob:1", NOW)


def test_an_ack_that_says_nothing_is_no_status() -> None:
    assert ack_body(WebAck(ids=("3EB02",), chat=CHAT, ack=0, at=AT), "3EB02", None, NUMBER) is None
