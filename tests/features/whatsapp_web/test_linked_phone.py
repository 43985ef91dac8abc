"""One linked phone, from the customer's message to the blue ticks, through the real wa-js on the replica."""

import itertools
from functools import partial

import pytest

from app.outbound.states import State
from app.whatsapp.content import Document, Image, Reaction, Text
from tests.builders.linked_phones import needs_browser
from tests.features.whatsapp_web.conftest import Linked
from tests.replica.site import Person

pytestmark = [needs_browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("whatsapp-web")]

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def no_leftover_tasks() -> None:
    """The installation that the tests share goes on between them."""
    return


def somebody(**given: object) -> Person:
    number = next(_numbers)
    usual = {"phone": f"54911555{number:05}", "name": f"Ana {number}", "lid": f"1112223{number:05}"}
    return Person(**{**usual, **given})  # type: ignore[arg-type]  # each test says what matters


def _has(linked: Linked, person: Person, text: str) -> bool:
    return text in linked.site.received(person)


async def test_a_message_is_answered_once_and_its_ticks_come_back(linked: Linked) -> None:
    ana = somebody()
    linked.site.write(ana, "Hola")

    await linked.site.until(lambda: linked.site.received(ana))

    sent = await linked.house.message_to(ana, lambda row: row.state == State.SENT)
    (offered,) = [one for one in linked.site.ledger if one.chat == ana.chat]
    assert (offered.id, offered.times_offered) == (sent.wamid, 1)
    linked.site.acknowledge(sent.wamid, 2)
    await linked.house.message_to(ana, lambda row: row.delivered_at is not None)
    linked.site.acknowledge(sent.wamid, 3)
    await linked.house.message_to(ana, lambda row: row.read_at is not None)


async def test_a_burst_is_taken_in_whole_and_in_order(linked: Linked) -> None:
    ana = somebody()
    for number in range(20):
        linked.site.write(ana, f"line {number}")

    said = await linked.house.until(
        lambda: linked.house.said_by(ana), lambda said: len([one for one in said if one[0] == "customer"]) == 20
    )

    assert [text for author, text in said if author == "customer"] == [f"line {number}" for number in range(20)]


async def test_everybody_gets_their_own_answer(linked: Linked) -> None:
    people = [somebody(), somebody(lid=None), somebody(shows_phone=False)]
    for one in people:
        linked.site.write(one, f"I am {one.name}")
    for one in people:
        conversation = await linked.house.conversation_with(one)
        await linked.house.write_as_person(conversation.id, Text(f"for {one.name}"))

    for one in people:
        await linked.site.until(partial(_has, linked, one, f"for {one.name}"))
    for one in people:
        assert {text for text in linked.site.received(one) if text.startswith("for ")} == {f"for {one.name}"}


async def test_what_was_typed_on_the_phone_takes_the_conversation_over(linked: Linked) -> None:
    ana = somebody()
    linked.site.write(ana, "Hola")
    await linked.house.message_to(ana, lambda row: row.state == State.SENT)

    linked.site.type_on_phone(ana, "Soy Marta, te escribo yo")

    conversation = await linked.house.until(
        lambda: linked.house.conversation_with(ana), lambda one: one.control == "person"
    )
    assert conversation.control == "person"
    assert ("phone", "Soy Marta, te escribo yo") in await linked.house.said_by(ana)


async def test_our_own_messages_are_no_takeover(linked: Linked) -> None:
    ana = somebody()
    linked.site.write(ana, "Hola")
    await linked.house.message_to(ana, lambda row: row.state == State.SENT)
    linked.site.write(ana, "¿Hay alguien?")
    await linked.site.until(lambda: len(linked.site.received(ana)) == 2)

    assert (await linked.house.conversation_with(ana)).control == "bot"
    assert "phone" not in [author for author, _ in await linked.house.said_by(ana)]


async def test_groups_are_ignored_unless_people_want_to_read_them(linked: Linked) -> None:
    ana, bea = somebody(), somebody()
    linked.site.write_in_group("120363000@g.us", ana, "for all of us")
    linked.site.write(bea, "for you")

    await linked.house.message_to(bea, lambda row: row.state == State.SENT)

    assert await linked.house.said_by(ana) == []
    assert [one for one in linked.site.ledger if one.chat.endswith("@g.us")] == []


async def test_a_file_from_a_customer_is_fetched_whole(linked: Linked) -> None:
    ana = somebody()
    linked.site.write(ana, "", type="image", caption="mira", media=("image/png", PNG, "a.png"))

    stored = await linked.house.until(
        lambda: linked.house.files_of(ana), lambda files: files and files[0].state == "stored"
    )

    assert (linked.house.parts.media_dir / stored[0].stored_name).read_bytes() == PNG
    assert ("customer", "mira") in await linked.house.said_by(ana)


async def test_a_file_of_ours_arrives_whole_with_its_caption(linked: Linked) -> None:
    ana = somebody()
    linked.site.write(ana, "Hola")
    conversation = await linked.house.conversation_with(ana)
    upload_id = await linked.house.bring(PNG, "image/png", "precios.png")

    await linked.house.write_as_person(conversation.id, Image(media_id=upload_id, caption="de vuelta"))

    await linked.site.until(lambda: any(one.caption == "de vuelta" for one in linked.site.ledger))
    sent = next(one for one in linked.site.ledger if one.caption == "de vuelta")
    assert (sent.chat, sent.type) == (ana.chat, "image")
    assert sent.content == PNG


async def test_a_reaction_goes_to_the_message_that_is_meant(linked: Linked) -> None:
    ana = somebody()
    message_id = linked.site.write(ana, "Gracias")
    conversation = await linked.house.conversation_with(ana)

    await linked.house.write_as_person(conversation.id, Reaction(message_id, "👍"))

    await linked.site.until(lambda: (message_id, "👍") in linked.site.reactions)


async def test_a_file_that_is_not_there_fails_with_its_reason(linked: Linked) -> None:
    ana = somebody()
    linked.site.write(ana, "Hola")
    conversation = await linked.house.conversation_with(ana)

    outbound_id = await linked.house.write_as_person(conversation.id, Document(media_id="123456"))

    failed = await linked.house.until(lambda: linked.house.row(outbound_id), lambda row: row.state == State.FAILED)
    assert failed.reason == "WhatsApp Web did not send it: file_unavailable"


async def test_the_page_reports_to_nobody_else(linked: Linked) -> None:
    config = await linked.house.in_page(linked.channel_id, "() => window.WPP.config")

    assert config["disableGoogleAnalytics"] is True
    assert config["linkPreviewApiServers"] == []


async def test_the_browser_calls_itself_what_a_person_s_browser_does(linked: Linked) -> None:
    agent = await linked.house.in_page(linked.channel_id, "() => navigator.userAgent")

    assert "Headless" not in agent
    assert "Chrome/" in agent


async def test_nobody_is_written_to_whom_the_page_knows_as_somebody_else(linked: Linked) -> None:
    """The number was given to another person since: the page shows another LID for it now."""
    ana = somebody()
    linked.site.write(ana, "Hola")
    await linked.house.message_to(ana, lambda row: row.state == State.SENT)
    conversation = await linked.house.conversation_with(ana)
    await linked.house.rename_lid(conversation.contact_id, "999888777666555@lid")

    outbound_id = await linked.house.write_as_person(conversation.id, Text("secret"))

    failed = await linked.house.until(lambda: linked.house.row(outbound_id), lambda row: row.state == State.FAILED)
    assert failed.reason == "WhatsApp Web did not send it: wrong_chat"
    assert linked.site.offered("secret") == set(), "neither she nor anybody else was offered it"


async def test_the_session_tells_how_it_is(linked: Linked) -> None:
    session = await linked.house.until(
        lambda: linked.house.parts.web_sessions.get(linked.channel_id), lambda one: one.memory_bytes
    )

    assert session.engine == "wpp"
    assert session.account == "5491100000000"
    assert session.code is None
    assert session.last_seen_at is not None
    assert session.memory_bytes is not None
    assert 50_000_000 < session.memory_bytes < 4_000_000_000
