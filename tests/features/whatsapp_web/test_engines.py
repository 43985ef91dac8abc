"""Two ways to read the same page: by its modules, and by what it shows when those cannot be found."""

import itertools
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa
from playwright.async_api import async_playwright

from app.conversations.models import messages
from app.outbound.states import State as Outbound
from app.whatsapp.content import Image, Text
from app.whatsapp.identifiers import Recipient
from app.whatsapp.web.states import State
from app.whatsapp.web.wire import WebMessage
from settings import load
from tests.builders.linked_phones import House, house, needs_browser
from tests.replica.site import Person, WhatsAppSite
from workers.whatsapp_web.browser import Browser, open_browser
from workers.whatsapp_web.engines.bridge import Bridge
from workers.whatsapp_web.engines.dom import DomPage
from workers.whatsapp_web.engines.wpp import WppPage
from workers.whatsapp_web.page import NotSendable, WebPage

pytestmark = [needs_browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("whatsapp-web")]

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
RENAMED = {"renamed": "WAWebSendMsgChatAction"}
SKINS = [
    pytest.param({}, id="of 2026"),
    pytest.param({"testids": False, "old_ids": True, "labels": "es"}, id="of 2024, in Spanish, without test ids"),
]
_numbers = itertools.count(1)


def somebody(**given: Any) -> Person:
    number = next(_numbers)
    usual = {"phone": f"54911777{number:05}", "name": f"Eva {number}", "lid": None}
    return Person(**{**usual, **given})


@pytest.fixture(autouse=True)
def no_leftover_tasks() -> None:
    """What the tests share goes on between them."""
    return


# The engines alone, on one browser


class Desk:
    """A linked browser on the replica, whose page is read by one engine after the other."""

    def __init__(self, site: WhatsAppSite, browser: Browser, bridge: Bridge) -> None:
        self.site = site
        self._browser = browser
        self._bridge = bridge

    async def read_by(self, kind: type[WppPage] | type[DomPage], **faults: Any) -> WppPage | DomPage:
        """Load the page anew and let one engine read it."""
        self.site.faults.page = faults
        await self._browser.reload()
        page = kind(self._bridge)
        await page.start()
        return page

    async def evaluate(self, expression: str, given: object = None) -> Any:
        return await self._bridge.evaluate(expression, given, seconds=5)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    directory = tmp_path_factory.mktemp("engines")
    async with WhatsAppSite() as site, async_playwright() as playwright:
        site.link_in_advance()
        settings = load({"DATA_DIR": str(directory), "WHATSAPP_WEB_URL": site.url.rstrip("/")}).whatsapp_web
        async with open_browser(playwright, settings, Path(directory) / "profile") as browser:
            bridge = Bridge(await browser.open(settings.url))
            await bridge.listen()
            yield Desk(site, browser, bridge)


async def told_by(page: WebPage, people: Sequence[Person]) -> list[tuple[str, str, bool, str, str, str | None]]:
    """Return what an engine tells of the people's chats: who, id, direction, kind, text, the name of who wrote."""
    phones = {one.phone for one in people}
    found: list[WebMessage] = []
    for head in await page.chats():
        found += await page.history(head.chat, 30)
    return sorted(
        (one.phone or "", one.id, one.from_me, one.kind, one.text, None if one.from_me else one.name)
        for one in found
        if one.phone in phones and not one.group
    )


@pytest.mark.parametrize("skin", SKINS)
async def test_both_engines_tell_the_same_of_the_same_chats(desk: Desk, skin: dict[str, Any]) -> None:
    ana, bea = somebody(), somebody()
    desk.site.write(ana, "Hola 👋 qué tal\nsegunda línea")
    desk.site.write(bea, "Bea's own words")
    quoted = desk.site.write(ana, "the first again", quoted="3EB0AAAAAAAAAAAAAAAAAA")
    desk.site.type_on_phone(ana, "Soy Marta")
    desk.site.write(bea, "and once more")

    by_modules = await told_by(await desk.read_by(WppPage, skin=skin), [ana, bea])
    by_eye = await told_by(await desk.read_by(DomPage, skin=skin, **RENAMED), [ana, bea])

    assert len(by_modules) == 5
    assert by_eye == by_modules
    assert quoted in {one[1] for one in by_eye}


@pytest.mark.parametrize("skin", SKINS)
async def test_what_is_written_by_eye_arrives_once_where_it_shall(desk: Desk, skin: dict[str, Any]) -> None:
    ana, bea = somebody(), somebody()
    desk.site.write(ana, "Hola")
    desk.site.write(bea, "Hola")
    page = await desk.read_by(DomPage, skin=skin, **RENAMED)
    text = "dos líneas:\nla segunda 👍  con  espacios"

    draft = await page.prepare(Recipient(ana.phone, None), cold=False)
    sent = await page.send(draft, Recipient(ana.phone, None), Text(text), file=None, quoted=None)

    (taken,) = [one for one in desk.site.ledger if one.chat in (ana.chat, bea.chat)]
    assert (taken.chat, taken.id, taken.times_offered) == (ana.chat, sent.id, 1)
    assert taken.body.replace("\u00a0", " ") == text
    assert await page.lookup(sent) is not None


async def test_who_is_shown_by_a_name_is_unverified_and_never_written_to(desk: Desk) -> None:
    saved = somebody(saved="Mamá")
    hidden = somebody(lid="888777000111", shows_phone=False)
    for one in (saved, hidden):
        desk.site.write(one, "who am I?")
    page = await desk.read_by(DomPage, **RENAMED)

    told = [one for head in await page.chats() for one in await page.history(head.chat, 30)]
    strangers = [one for one in told if one.title in ("Mamá", f"~{hidden.name}")]
    assert [(one.text, one.is_verified) for one in strangers] == [("who am I?", False)] * 2
    for one in (saved, hidden):
        for recipient in (Recipient(one.phone, None), Recipient(None, f"{one.lid or one.phone}@lid")):
            with pytest.raises(NotSendable, match="unverified"):
                await page.prepare(recipient, cold=False)


async def test_a_group_that_is_called_like_a_number_is_nobody(desk: Desk) -> None:
    ana, victim = somebody(), somebody()
    group = "120363777@g.us"
    desk.site.write_in_group(group, ana, "we are many")
    desk.site.groups[group] = f"+{victim.phone}"
    page = await desk.read_by(DomPage, **RENAMED)

    told = await page.history(f"{victim.phone}@c.us", 30)

    assert [(one.group, one.is_verified) for one in told] == [(True, False)]
    with pytest.raises(NotSendable, match="unverified"):
        await page.prepare(Recipient(victim.phone, None), cold=False)


OPEN_ANOTHER_CHAT = """(title) => {
    const type = document.execCommand.bind(document);
    document.execCommand = (...given) => {
        const done = type(...given);
        if (given[0] === "insertText") document.querySelector(`#pane-side span[title="${title}"]`).click();
        return done;
    };
}"""


async def test_when_another_chat_opens_before_the_last_key_nothing_is_sent(desk: Desk) -> None:
    ana, bea = somebody(), somebody()
    for one in (ana, bea):
        desk.site.write(one, "Hola")
    page = await desk.read_by(DomPage, **RENAMED)
    draft = await page.prepare(Recipient(ana.phone, None), cold=False)
    before = len(desk.site.offers)
    await desk.evaluate(OPEN_ANOTHER_CHAT, f"+{bea.phone}")

    with pytest.raises(NotSendable, match="wrong_chat"):
        await page.send(draft, Recipient(ana.phone, None), Text("secret"), file=None, quoted=None)

    assert len(desk.site.offers) == before
    left = await desk.evaluate("() => document.querySelector('#main footer [role=textbox]').innerText")
    assert left.strip() == ""


async def test_a_draft_for_one_person_is_never_sent_to_another(desk: Desk) -> None:
    ana, bea = somebody(), somebody()
    for one in (ana, bea):
        desk.site.write(one, "Hola")
    page = await desk.read_by(DomPage, **RENAMED)
    draft = await page.prepare(Recipient(ana.phone, None), cold=False)
    before = len(desk.site.offers)

    with pytest.raises(NotSendable, match="unverified"):
        await page.send(draft, Recipient(bea.phone, None), Text("secret"), file=None, quoted=None)

    assert len(desk.site.offers) == before


async def test_what_cannot_be_carried_is_refused_with_its_reason(desk: Desk) -> None:
    ana = somebody()
    desk.site.write(ana, "Hola")
    page = await desk.read_by(DomPage, **RENAMED)
    draft = await page.prepare(Recipient(ana.phone, None), cold=False)

    with pytest.raises(NotSendable, match="unsupported_by_dom"):
        await page.send(draft, Recipient(ana.phone, None), Image(media_id="1"), file=None, quoted=None)


async def test_the_id_of_what_was_begun_before_a_crash_is_not_guessed(desk: Desk) -> None:
    ana = somebody()
    desk.site.write(ana, "Hola")
    page = await desk.read_by(DomPage, **RENAMED)
    draft = await page.prepare(Recipient(ana.phone, None), cold=False)

    assert await page.lookup(draft) is None, "nothing of ours is there"
    await page.send(draft, Recipient(ana.phone, None), Text("there"), file=None, quoted=None)
    assert await page.lookup(draft) == 0, "something is: reading the chat tells whether it is this"


# The engines in the session


async def test_without_its_modules_a_phone_goes_on_by_what_is_shown_and_loses_nothing(tmp_path: Path) -> None:
    ana, saved = somebody(), somebody(saved="Mamá")
    async with WhatsAppSite() as site, house(tmp_path, site) as home, home.working():
        site.faults.page = dict(RENAMED)
        site.faults.strict_csp = True
        channel_id = await home.add_phone()
        session = await home.link(channel_id, site)
        assert session.engine == "dom"
        assert "addAndSendMsgToChat" in (session.reason or "")

        site.write(saved, "nobody can say who I am")
        site.write(ana, "Hola")
        sent = await home.message_to(ana, lambda row: row.state == Outbound.SENT)
        (taken,) = [one for one in site.ledger if one.chat == ana.chat]
        assert (taken.id, taken.times_offered) == (sent.wamid, 1)
        site.acknowledge(taken.id, 3)
        await home.message_to(ana, lambda row: row.read_at is not None)
        await home.until(partial(said_by_anybody, home, "nobody can say who I am"))

        conversation = await home.conversation_with(ana)
        image = Image(media_id=await home.bring(PNG, "image/png", "a.png"))
        refused_id = await home.write_as_person(conversation.id, image)
        refused = await home.until(partial(home.row, refused_id), lambda row: row.state == Outbound.FAILED)
        assert refused.reason == "WhatsApp Web did not send it: unsupported_by_dom"
        site.type_on_phone(ana, "Soy Marta")
        said = await home.until(partial(home.said_by, ana), lambda said: ("phone", "Soy Marta") in said)
        assert [text for author, text in said if author == "phone"] == ["Soy Marta"], "our own words are no takeover"

        site.faults.page = {}
        await home.ask(channel_id, "restart")
        await home.until(
            partial(home.parts.web_sessions.get, channel_id), lambda one: (one.engine, one.state) == ("wpp", "online")
        )
        site.write(ana, "¿Sigue ahí?")
        after = await home.until(partial(home.said_by, ana), lambda said: ("customer", "¿Sigue ahí?") in said)
        assert after == [*said, ("customer", "¿Sigue ahí?")], "what one engine took in is known to the other"
        assert site.received(ana) == [taken.body]
        assert site.received(saved) == [], "who cannot be verified is not answered"


async def said_by_anybody(home: House, text: str) -> bool:
    async with home.parts.database.read() as connection:
        return bool(await connection.scalar(sa.select(messages.c.id).where(messages.c.text == text)))


async def test_the_modules_are_tried_again_after_a_while(tmp_path: Path) -> None:
    ana = somebody(lid="555444000111")
    async with WhatsAppSite() as site, house(tmp_path, site, WHATSAPP_WEB_PROBE_SECONDS="2") as home, home.working():
        site.faults.page = dict(RENAMED)
        channel_id = await home.add_phone()
        site.link_in_advance()
        look = partial(home.parts.web_sessions.get, channel_id)
        await home.until(look, lambda one: one.engine == "dom")
        site.faults.page = {}

        session = await home.until(look, lambda one: one.engine == "wpp" and one.state == State.ONLINE)
        site.write(ana, "Hola")

        assert session.reason is None
        assert session.restarts == 0
        await home.message_to(ana, lambda row: row.state == Outbound.SENT)
