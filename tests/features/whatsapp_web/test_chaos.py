"""A bad day for one linked phone: what dies is opened again, nothing is lost, doubled or sent to somebody else.

`make test` runs the most telling of them, `make faults` all.
"""

import asyncio
import itertools
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from app.outbound.states import State as Outbound
from app.whatsapp.content import Text
from app.whatsapp.web.states import State
from tests.builders.linked_phones import House, house, needs_browser
from tests.replica.site import Person, WhatsAppSite
from workers.whatsapp_web.browser import processes_of
from workers.whatsapp_web.profile import Profile

pytestmark = [needs_browser, pytest.mark.kill, pytest.mark.xdist_group("whatsapp-web")]

RECOVERY_SECONDS = 20.0
_numbers = itertools.count(1)


def somebody() -> Person:
    number = next(_numbers)
    return Person(f"54911666{number:05}", f"Bea {number}", lid=f"2223334{number:05}")


class Phone:
    """A linked phone in an installation of its own, and the site it is linked to."""

    def __init__(self, home: House, site: WhatsAppSite, channel_id: UUID) -> None:
        self.home = home
        self.site = site
        self.channel_id = channel_id

    @property
    def profile(self) -> Path:
        return Profile(self.home.parts.settings.storage.data_dir, self.channel_id).directory

    async def wrote(self, person: Person, text: str) -> UUID:
        """Let somebody write, and a colleague answer; return the colleague's message."""
        self.site.write(person, "Hola")
        conversation = await self.home.conversation_with(person)
        return await self.home.write_as_person(conversation.id, Text(text))

    async def until_sent(self, outbound_id: UUID, within_seconds: float = 60) -> None:
        await self.home.until(
            lambda: self.home.row(outbound_id), lambda row: row.state == Outbound.SENT, within_seconds=within_seconds
        )

    async def is_written_down(self) -> bool:
        """Tell whether the browser has written to disk which device it is, which it does within seconds."""
        (device,) = self.site.linked
        return any(
            device.encode() in file.read_bytes() for file in self.profile.glob("Default/Local Storage/leveldb/*.log")
        )

    def times(self, person: Person, text: str) -> int:
        return self.site.received(person).count(text)


@pytest.fixture
async def phone(tmp_path: Path) -> AsyncIterator[Phone]:
    async with WhatsAppSite() as site, house(tmp_path, site) as home, home.working():
        channel_id = await home.add_phone()
        await home.link(channel_id, site)
        phone = Phone(home, site, channel_id)
        await home.until(phone.is_written_down)
        yield phone


@pytest.mark.parametrize(
    "victim", [pytest.param("--type=renderer", id="renderer", marks=pytest.mark.faults), pytest.param("", id="browser")]
)
async def test_what_was_killed_comes_back_and_nothing_is_missed(phone: Phone, victim: str) -> None:
    ana = somebody()
    first = await phone.wrote(ana, "before")
    await phone.until_sent(first)

    killed_at = time.monotonic()
    kill(phone.profile, victim)
    phone.site.write(ana, "while it was down")
    await phone.home.until_state(phone.channel_id, State.CRASHED, State.STARTING, State.ONLINE)
    await phone.home.until(
        lambda: phone.home.said_by(ana), lambda said: ("customer", "while it was down") in said, within_seconds=40
    )

    assert time.monotonic() - killed_at < RECOVERY_SECONDS + 20, "the machine may be busy; alone it takes seconds"
    conversation = await phone.home.conversation_with(ana)
    second = await phone.home.write_as_person(conversation.id, Text("after"))
    await phone.until_sent(second)
    assert [phone.times(ana, text) for text in ("before", "after")] == [1, 1]


async def test_a_browser_that_dies_while_a_message_is_on_its_way_sends_it_once(phone: Phone) -> None:
    """WhatsApp does not answer, the browser dies, and after it is back the message leaves under its old id."""
    ana = somebody()
    phone.site.faults.hold_sends = True
    outbound_id = await phone.wrote(ana, "only once")
    await phone.site.until(lambda: phone.site.offered("only once"))
    phone.site.faults.hold_sends = False

    kill(phone.profile, "")

    await phone.until_sent(outbound_id, within_seconds=90)
    assert phone.times(ana, "only once") == 1
    assert len(phone.site.offered("only once")) == 1, "every attempt had the same id"


@pytest.mark.faults
async def test_a_message_that_the_page_forgot_leaves_again_under_its_old_id(phone: Phone) -> None:
    """As above, but the page does not remember what it had queued."""
    phone.site.faults.page["forgetsPending"] = True
    phone.site.tell("reload")
    ana = somebody()
    phone.site.write(ana, "Hola")
    conversation = await phone.home.conversation_with(ana)
    phone.site.faults.lose_sends = True
    outbound_id = await phone.home.write_as_person(conversation.id, Text("only once"))
    await phone.site.until(lambda: phone.site.offered("only once"), 40)
    phone.site.faults.lose_sends = False

    kill(phone.profile, "")

    await phone.until_sent(outbound_id, within_seconds=90)
    assert phone.times(ana, "only once") == 1
    assert len(phone.site.offered("only once")) == 1


@pytest.mark.faults
async def test_an_ack_that_never_comes_leaves_the_message_unconfirmed_until_it_does(phone: Phone) -> None:
    ana = somebody()
    phone.site.faults.never_ack = True
    outbound_id = await phone.wrote(ana, "slow")

    await phone.home.until(
        lambda: phone.home.row(outbound_id), lambda row: row.state == Outbound.UNKNOWN, within_seconds=60
    )
    (sent,) = [one for one in phone.site.ledger if one.body == "slow"]
    phone.site.acknowledge(sent.id, 1)

    await phone.until_sent(outbound_id)
    assert phone.times(ana, "slow") == 1


@pytest.mark.faults
async def test_a_frozen_page_is_closed_and_opened_again(phone: Phone) -> None:
    ana = somebody()
    phone.site.tell("freeze")
    await phone.home.until_state(phone.channel_id, State.CRASHED, within_seconds=40)

    outbound_id = await phone.wrote(ana, "after the ice")

    await phone.until_sent(outbound_id, within_seconds=60)
    assert phone.times(ana, "after the ice") == 1


async def test_an_unlinked_phone_ends_the_session_and_its_messages_wait(phone: Phone) -> None:
    ana = somebody()
    phone.site.write(ana, "Hola")
    conversation = await phone.home.conversation_with(ana)

    phone.site.log_out()
    session = await phone.home.until_state(phone.channel_id, State.LOGGED_OUT)
    outbound_id = await phone.home.write_as_person(conversation.id, Text("later"))

    assert (session.wanted, session.account, session.code) == ("stopped", None, None)
    await phone.home.until(lambda: _done(phone), bool)
    assert not phone.profile.exists()
    assert (await phone.home.row(outbound_id)).state in (Outbound.PENDING, Outbound.RETRY)
    await phone.home.want(phone.channel_id, "running")
    await phone.home.link(phone.channel_id, phone.site)
    await phone.until_sent(outbound_id, within_seconds=60)


async def _done(phone: Phone) -> bool:
    return not processes_of(phone.profile)


@pytest.mark.faults
async def test_a_page_that_was_opened_elsewhere_is_not_fought_over(phone: Phone) -> None:
    phone.site.tell("mode", mode="CONFLICT")
    session = await phone.home.until_state(phone.channel_id, State.CONFLICT)
    assert session.reason == "WhatsApp Web is open somewhere else"
    loads = phone.site.loads
    await asyncio.sleep(3)
    assert phone.site.loads == loads

    phone.site.tell("mode", mode="MAIN")

    await phone.home.until_state(phone.channel_id, State.ONLINE)


@pytest.mark.faults
async def test_a_banned_account_is_left_alone(phone: Phone) -> None:
    phone.site.tell("mode", mode="TOS_BLOCK")

    session = await phone.home.until_state(phone.channel_id, State.BANNED)

    assert session.reason is not None
    session = await phone.home.until(
        lambda: phone.home.parts.web_sessions.get(phone.channel_id), lambda one: one.wanted == "stopped"
    )
    assert session.state is State.BANNED
    assert session.screenshot_at is not None


async def test_what_was_written_while_the_worker_was_down_is_found(tmp_path: Path) -> None:
    ana, bea = somebody(), somebody()
    async with WhatsAppSite() as site, house(tmp_path, site) as home:
        async with home.working():
            channel_id = await home.add_phone()
            await home.link(channel_id, site)
            site.write(ana, "one")
            await home.until(lambda: home.said_by(ana), lambda said: ("customer", "one") in said)
        assert processes_of(Profile(tmp_path, channel_id).directory) == []
        for number in range(40):
            site.write(ana, f"missed {number}")
        site.type_on_phone(ana, "I am at the phone")
        site.write(bea, "somebody new")

        async with home.working():
            await home.until_state(channel_id, State.ONLINE)
            said = await home.until(lambda: home.said_by(ana), lambda said: ("phone", "I am at the phone") in said)
            await home.until(lambda: home.said_by(bea), lambda said: ("customer", "somebody new") in said)

        texts = [text for author, text in said if author == "customer"]
        assert texts == ["one", *(f"missed {number}" for number in range(40))]
        assert (await home.conversation_with(ana)).control == "person"


@pytest.mark.faults
async def test_a_lost_profile_is_restored_from_its_encrypted_copy(tmp_path: Path) -> None:
    async with WhatsAppSite() as site, house(tmp_path, site) as home:
        async with home.working():
            channel_id = await home.add_phone()
            await home.link(channel_id, site)
        profile = Profile(tmp_path, channel_id)
        copies = list(profile.directory.parent.glob("*.backup"))
        assert len(copies) == 1
        assert b"Default" not in copies[0].read_bytes()
        assert copies[0].stat().st_mode & 0o077 == 0
        profile.directory.rename(tmp_path / "lost")

        async with home.working():
            await home.until_state(channel_id, State.ONLINE)


def kill(profile: Path, mark: str) -> None:
    """Kill the renderers (by the mark of their command line), or everything of a browser."""
    for pid in processes_of(profile):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_text()
            if mark in command:
                os.kill(pid, signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue
