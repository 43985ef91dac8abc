"""Linked phones over HTTP, with the worker played by the test."""

from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from app.audit.models import audit_entries
from app.core.db import Database
from app.core.ids import new_id
from app.core.security.cipher import Cipher
from app.whatsapp.channels import Channels
from app.whatsapp.web.consent import CONSENT_VERSION
from app.whatsapp.web.controllers import WebSessionsController
from app.whatsapp.web.ledger import COMMANDS
from app.whatsapp.web.models import web_sessions
from app.whatsapp.web.sessions import Report, WebSessions
from app.whatsapp.web.states import State
from tests.builders.api import Desk, RecordingWake, desk

PATH = "/api/whatsapp/web/sessions"


class Panel:
    """A desk, and the worker behind it."""

    def __init__(self, database: Database) -> None:
        cipher = Cipher([Fernet.generate_key().decode()])
        self.database = database
        self.channels = Channels(database, cipher)
        self.sessions = WebSessions(database, self.channels, cipher)
        self.wake = RecordingWake()
        self.desk: Desk = desk([WebSessionsController], {"web_sessions": self.sessions, "wake": self.wake})

    async def call(self, method: str, path: str, *, role: Any = "admin", **given: Any) -> Any:
        return await self.desk.call(method, f"{PATH}{path}", role=role, **given)

    async def ok(self, method: str, path: str, **given: Any) -> Any:
        answer = await self.call(method, path, **given)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    async def added(self) -> UUID:
        body = {"name": "Shop", "consent_version": CONSENT_VERSION}
        return UUID((await self.ok("POST", "", json=body))["id"])

    async def running(self, **report: Any) -> tuple[UUID, int]:
        """A session whose worker has reported."""
        channel_id = await self.added()
        await self.ok("POST", f"/{channel_id}/start")
        token = await self.sessions.take(channel_id, new_id())
        assert token is not None
        await self.sessions.report(channel_id, token, Report(**report))
        return channel_id, token


@pytest.fixture
async def panel(database: Database) -> Panel:
    panel = Panel(database)
    await panel.channels.open()
    return panel


async def test_the_notice_comes_in_every_language_of_the_product(panel: Panel) -> None:
    notice = await panel.desk.get("/api/whatsapp/web/notice")

    assert notice["version"] == CONSENT_VERSION
    assert set(notice["texts"]) == {"en", "es", "pt"}


async def test_a_session_begins_stopped_with_its_consent_on_record(panel: Panel) -> None:
    channel_id = await panel.added()

    session = await panel.ok("GET", f"/{channel_id}")
    assert (session["state"], session["wanted"], session["consent_version"]) == ("stopped", "stopped", CONSENT_VERSION)
    channel = await panel.channels.get(channel_id)
    assert (channel.kind, channel.stopped_reason) == ("web", "WhatsApp Web: stopped")
    async with panel.database.read() as connection:
        kept = (
            await connection.execute(
                sa.select(audit_entries.c.action, audit_entries.c.after).order_by(audit_entries.c.sequence)
            )
        ).all()
    assert [row.action for row in kept] == ["whatsapp_web.consented", "channel.added"]
    assert CONSENT_VERSION in kept[0].after


async def test_without_accepting_this_version_of_the_notice_nothing_is_added(panel: Panel) -> None:
    answer = await panel.call("POST", "", json={"name": "Shop", "consent_version": "2020-01-01"})

    assert answer.status_code == 422
    assert "read it again" in answer.json()["detail"]
    assert (await panel.ok("GET", ""))["items"] == []


async def test_starting_wakes_the_worker_and_stopping_too(panel: Panel) -> None:
    channel_id = await panel.added()

    assert (await panel.ok("POST", f"/{channel_id}/start"))["wanted"] == "running"
    assert (await panel.ok("POST", f"/{channel_id}/stop"))["wanted"] == "stopped"
    assert panel.wake.topics == [COMMANDS, COMMANDS]


async def test_the_code_is_shown_while_it_can_be_scanned_and_to_nobody_else(panel: Panel) -> None:
    channel_id, token = await panel.running(state=State.NEEDS_QR, code="2@secret")

    assert (await panel.ok("GET", f"/{channel_id}/link"))["qr"] == "2@secret"
    assert (await panel.call("GET", f"/{channel_id}/link", role="supervisor")).status_code == 403
    assert "2@secret" not in (await panel.call("GET", f"/{channel_id}", role="viewer")).text

    await panel.sessions.report(channel_id, token, Report(state=State.ONLINE, code=None))
    assert (await panel.ok("GET", f"/{channel_id}/link"))["qr"] is None


async def test_a_channel_stands_still_until_its_phone_is_online(panel: Panel) -> None:
    channel_id, token = await panel.running(state=State.NEEDS_QR)
    await panel.channels.refresh()
    assert (await panel.channels.get(channel_id)).stopped_reason == "WhatsApp Web: needs qr"

    await panel.sessions.report(channel_id, token, Report(state=State.ONLINE))
    await panel.channels.refresh()
    assert (await panel.channels.get(channel_id)).stopped_reason is None

    await panel.sessions.report(channel_id, token, Report(state=State.CRASHED))
    await panel.channels.refresh()
    assert (await panel.channels.get(channel_id)).stopped_reason is None, "it comes back by itself"

    await panel.sessions.report(channel_id, token, Report(state=State.LOGGED_OUT))
    await panel.channels.refresh()
    assert (await panel.channels.get(channel_id)).stopped_reason == "WhatsApp Web: logged out"


async def test_a_pairing_code_is_asked_for_where_a_code_is_shown(panel: Panel) -> None:
    channel_id, _ = await panel.running(state=State.NEEDS_QR)

    await panel.ok("POST", f"/{channel_id}/pairing-code", json={"phone": "5491100000000"})

    session = await panel.sessions.get(channel_id)
    assert (session.request, session.pairing_phone) == ("pair", "5491100000000")


@pytest.mark.parametrize("action", ["restart", "logout", "code"])
async def test_a_stopped_session_is_asked_for_nothing(panel: Panel, action: str) -> None:
    channel_id = await panel.added()

    answer = await panel.call("POST", f"/{channel_id}/{action}")

    assert (answer.status_code, answer.json()["code"]) == (409, "whatsapp_web_not_possible_now")


async def test_no_code_is_refreshed_for_a_phone_that_is_online(panel: Panel) -> None:
    channel_id, _ = await panel.running(state=State.ONLINE)

    assert (await panel.call("POST", f"/{channel_id}/code")).status_code == 409


@pytest.mark.parametrize("phone", ["", "+5491100000000", "0123456789", "12", "5" * 16])
async def test_a_phone_that_is_none_is_refused(panel: Panel, phone: str) -> None:
    channel_id, _ = await panel.running(state=State.NEEDS_QR)

    assert (await panel.call("POST", f"/{channel_id}/pairing-code", json={"phone": phone})).status_code == 422


async def test_a_policy_is_changed_as_a_whole_and_bad_ones_are_refused(panel: Panel) -> None:
    channel_id = await panel.added()

    changed = await panel.ok("PUT", f"/{channel_id}/policy", json={"policy": {"groups": "read", "per_minute": 5}})
    assert (changed["policy"]["groups"], changed["policy"]["per_minute"]) == ("read", 5)
    for bad in ({"per_minute": 1000}, {"quiet_from": "25:00"}, {"misspelt": 1}, {"timezone": "Nowhere/Here"}):
        assert (await panel.call("PUT", f"/{channel_id}/policy", json={"policy": bad})).status_code == 422


async def test_the_picture_of_a_failure_is_kept_encrypted_and_shown_to_admins(panel: Panel) -> None:
    channel_id, token = await panel.running(state=State.CRASHED)
    assert (await panel.call("GET", f"/{channel_id}/screenshot")).status_code == 404

    await panel.sessions.keep_screenshot(channel_id, token, b"\x89PNG customers")

    shown = await panel.call("GET", f"/{channel_id}/screenshot")
    assert (shown.content, shown.headers["content-type"]) == (b"\x89PNG customers", "image/png")
    assert (await panel.call("GET", f"/{channel_id}/screenshot", role="agent")).status_code == 403
    async with panel.database.read() as connection:
        kept = await connection.scalar(sa.select(web_sessions.c.screenshot))
    assert kept is not None
    assert b"customers" not in kept


async def test_what_does_not_exist_is_not_found(panel: Panel) -> None:
    for method, path in (("GET", ""), ("POST", "/start"), ("GET", "/link"), ("GET", "/screenshot")):
        assert (await panel.call(method, f"/{new_id()}{path}")).status_code == 404


async def test_one_process_at_a_time_has_the_profile(panel: Panel) -> None:
    channel_id, token = await panel.running(state=State.ONLINE)

    assert await panel.sessions.take(channel_id, new_id()) is None
    await panel.sessions.release(channel_id, token)
    newer = await panel.sessions.take(channel_id, new_id())

    assert newer == token + 1
    assert not await panel.sessions.report(channel_id, token, Report(state=State.OFFLINE))
    assert not await panel.sessions.renew(channel_id, token)
    assert (await panel.sessions.get(channel_id)).state is State.ONLINE


async def test_a_process_that_died_loses_the_profile_when_its_lease_ends(panel: Panel) -> None:
    channel_id, token = await panel.running(state=State.ONLINE)
    async with panel.database.write() as connection:
        await connection.execute(sa.update(web_sessions).values(lease_until=sa.text("'2020-01-01 00:00:00'")))

    assert await panel.sessions.take(channel_id, new_id()) == token + 1
