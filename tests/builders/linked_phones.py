"""A whole installation in this process, with its browser worker, against the replica of WhatsApp Web."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

import pytest
import sqlalchemy as sa
from playwright.async_api import Page

from app.audit.service import AuditEntry
from app.contacts.models import contact_identifiers, contacts
from app.conversations.models import conversations, messages
from app.core.ids import new_id
from app.core.parts import running
from app.outbound.delivery import OUTBOX
from app.outbound.models import outbound_messages
from app.outbound.schemas import NewMessage
from app.outbound.service import write
from app.plugins import Parts
from app.whatsapp.models import media
from app.whatsapp.uploads import bring
from app.whatsapp.web.consent import CONSENT_VERSION
from app.whatsapp.web.governor import WebPolicy
from app.whatsapp.web.models import web_chats
from app.whatsapp.web.sessions import WebSession
from app.whatsapp.web.states import State
from settings import load
from tests.replica.site import Person, WhatsAppSite
from workers.whatsapp_web.engines.wpp import bundle
from workers.whatsapp_web.page import PageRefused
from workers.whatsapp_web.worker import WhatsAppWeb

Found = TypeVar("Found")

AT_ONCE: Final = WebPolicy(
    least_gap_seconds=0, most_gap_seconds=0, milliseconds_per_character=0, most_unanswered=50, per_minute=60
)
WITHIN_SECONDS: Final = 30.0


def why_no_browser() -> str | None:
    """Say why tests with a browser cannot run on this machine; None if they can."""
    if not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        return "there is no Chromium on this machine: apt-get install chromium"
    try:
        bundle()
    except PageRefused as error:
        return error.reason
    return None


needs_browser = pytest.mark.skipif(why_no_browser() is not None, reason=why_no_browser() or "")


class House:
    """The installation, and what its people and its customers would see of it."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.worker: WhatsAppWeb | None = None
        self.colleague_id = new_id()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[WhatsAppWeb]:
        """Run a browser worker inside the installation."""
        self.worker = WhatsAppWeb(self.parts)
        async with running([self.worker]):
            yield self.worker

    async def add_phone(self, policy: WebPolicy = AT_ONCE) -> UUID:
        """A session that shall run."""
        sessions = self.parts.web_sessions
        user_id = new_id()
        consent, added = _audit("whatsapp_web.consented"), _audit("channel.added")
        session = await sessions.add("Shop", CONSENT_VERSION, user_id=user_id, consent=consent, audit=added)
        await sessions.set_policy(session.channel_id, policy, audit=_audit("whatsapp_web.policy_changed"))
        await sessions.want(session.channel_id, "running", audit=_audit("whatsapp_web.started"))
        await self.parts.channels.refresh()
        return session.channel_id

    async def link(self, channel_id: UUID, site: WhatsAppSite) -> WebSession:
        """Scan the code once it is shown, and wait until the phone is online."""
        await self.until_state(channel_id, State.NEEDS_QR)
        site.scan()
        return await self.until_state(channel_id, State.ONLINE)

    async def until_state(self, channel_id: UUID, *states: State, within_seconds: float = WITHIN_SECONDS) -> WebSession:
        return await self.until(
            lambda: self.parts.web_sessions.get(channel_id),
            lambda one: one.state in states,
            within_seconds=within_seconds,
        )

    async def until(
        self,
        look: Callable[[], Awaitable[Found]],
        holds: Callable[[Found], Any] = bool,
        *,
        within_seconds: float = WITHIN_SECONDS,
    ) -> Found:
        """Look until it holds, and return what was seen then."""
        ends_at = time.monotonic() + within_seconds
        while True:
            found = await look()
            if holds(found):
                return found
            if time.monotonic() > ends_at:
                pytest.fail(f"not so within {within_seconds:g} s; seen last: {found!r}")
            await asyncio.sleep(0.05)

    async def said_by(self, person: Person) -> list[tuple[str, str]]:
        """Return (author, text) of every message with a person, in the order in which it was stored."""
        conversation = await self._conversation(person)
        if conversation is None:
            return []
        return [
            (row.author, row.text)
            for row in await self._rows(
                sa.select(messages.c.author, messages.c.text)
                .where(messages.c.conversation_id == conversation.id)
                .order_by(messages.c.id)
            )
        ]

    async def conversation_with(self, person: Person) -> Any:
        """Return the conversation with a person, once there is one."""
        return await self.until(lambda: self._conversation(person))

    async def message_to(self, person: Person, holds: Callable[[Any], object]) -> Any:
        """Return the last message to a person, once it holds."""
        conversation = await self.conversation_with(person)
        o = outbound_messages.c
        query = sa.select(*o).where(o.conversation_id == conversation.id).order_by(o.id.desc()).limit(1)
        rows = await self.until(lambda: self._rows(query), lambda rows: rows and holds(rows[0]))
        return rows[0]

    async def row(self, outbound_id: UUID) -> Any:
        (row,) = await self._rows(sa.select(*outbound_messages.c).where(outbound_messages.c.id == outbound_id))
        return row

    async def files_of(self, person: Person) -> list[Any]:
        conversation = await self.conversation_with(person)
        return await self._rows(
            sa.select(*media.c)
            .join(messages, messages.c.id == media.c.message_id)
            .where(messages.c.conversation_id == conversation.id)
        )

    async def rename_lid(self, contact_id: UUID, lid: str) -> None:
        """Let us believe that a contact has another LID."""
        async with self.parts.database.write() as connection:
            await connection.execute(sa.update(contacts).where(contacts.c.id == contact_id).values(user_id=lid))
            await connection.execute(
                web_chats.insert().values(
                    channel_id=(await connection.scalar(sa.select(web_chats.c.channel_id).limit(1))),
                    chat=lid,
                    lid=lid.removesuffix("@lid"),
                    last_inbound_at=datetime.now(UTC),
                )
            )

    async def bring(self, content: bytes, mime_type: str, filename: str) -> str:
        """Let the colleague bring a file to send; return what a message names it by."""

        async def chunks() -> AsyncIterator[bytes]:
            yield content

        parts = self.parts
        upload = await bring(
            parts.database, parts.media_dir, chunks(), mime_type=mime_type, filename=filename, user_id=self.colleague_id
        )
        return str(upload.id)

    async def write_as_person(self, conversation_id: UUID, content: Any) -> UUID:
        """Let a colleague write from the inbox."""
        async with self.parts.database.write() as connection:
            now = await self.parts.database.now(connection)
            new = NewMessage(content=content)
            written = await write(
                connection, conversation_id, new, user_id=self.colleague_id, idempotency_key=None, now=now
            )
        self.parts.wake.notify(OUTBOX)
        return written.id

    async def in_page(self, channel_id: UUID, expression: str) -> Any:
        """Evaluate in the page of a session."""
        return await self.page(channel_id).evaluate(expression)

    def page(self, channel_id: UUID) -> Page:
        """Return the page that a session has open."""
        assert self.worker is not None
        page = self.worker.page_of(channel_id)
        assert page is not None
        return page

    async def _conversation(self, person: Person) -> Any:
        names = [f"{person.lid}@lid", person.phone]
        c = conversations.c
        rows = await self._rows(
            sa.select(*c)
            .join(contact_identifiers, contact_identifiers.c.contact_id == c.contact_id)
            .where(contact_identifiers.c.value.in_(names))
        )
        return rows[0] if rows else None

    async def _rows(self, statement: Any) -> list[Any]:
        async with self.parts.database.read() as connection:
            return list((await connection.execute(statement)).all())

    async def ask(self, channel_id: UUID, request: Any, **given: Any) -> None:
        await self.parts.web_sessions.ask(channel_id, request, audit=_audit("whatsapp_web.asked"), **given)

    async def want(self, channel_id: UUID, wanted: Any) -> None:
        await self.parts.web_sessions.want(channel_id, wanted, audit=_audit("whatsapp_web.wanted"))


@asynccontextmanager
async def house(data_dir: Path, site: WhatsAppSite, **environ: str) -> AsyncIterator[House]:
    """An installation on SQLite that does everything itself, apart from its browsers."""
    settings = load(
        {
            "DATA_DIR": str(data_dir),
            "SIMULATOR": "false",
            "TURN_QUIET_SECONDS": "0",
            "TURN_MAX_WAIT_SECONDS": "0",
            "WHATSAPP_WEB_URL": site.url.rstrip("/"),
            "LOG_LEVEL": "warning",
            **environ,
        }
    )
    async with Parts(settings, "web").running() as parts:
        yield House(parts)


def _audit(action: str) -> AuditEntry:
    return AuditEntry(action=action, target_kind="channel", target_id="")
