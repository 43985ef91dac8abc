"""WhatsApp Web: orders to the browser of a linked phone, by way of the database."""

import asyncio
import random
import time
from pathlib import Path
from typing import Final, assert_never
from uuid import UUID

from app.core.db import Database, DatabaseUnavailable
from app.core.ids import new_id
from app.core.wake import Wake
from app.whatsapp.content import Content, Text, encode_content
from app.whatsapp.content_rules import check
from app.whatsapp.error_codes import ErrorAction, ErrorClass, ErrorRule
from app.whatsapp.errors import CallUnavailable, InvalidContent, SendNotAttempted, SendRejected, SendUnknown
from app.whatsapp.transport import Accepted, Capabilities, ChannelAccess, Recipient
from app.whatsapp.web import ledger
from app.whatsapp.web.governor import Later, Never
from app.whatsapp.web.ledger import COMMANDS, RESULTS, CommandState, Fate, NotOnline, Order

__all__ = ["WebTransport"]

_KINDS: Final = frozenset({"text", "image", "video", "audio", "document", "reaction"})
_REFUSED_HERE: Final = ErrorRule(ErrorClass.CONTENT, ErrorAction.FAIL)
_NOT_ALLOWED: Final = ErrorRule(ErrorClass.RECIPIENT, ErrorAction.FAIL)
_LOOK_SECONDS: Final = 0.5
_OFFLINE_SECONDS: Final = 10.0
_MARGIN_SECONDS: Final = 1.0
# What the browser says about a message that it could not send for good: the chat or the content is at fault.
_FOR_GOOD: Final = frozenset(
    {"wrong_chat", "no_such_person", "unverified", "unsupported", "unsupported_by_dom", "file_unavailable"}
)
_COLD: Final = {
    "cold": "this person never wrote to this phone, and writing first is switched off",
    "cold_today": "no more people who never wrote may be written to today",
}


class WebTransport:
    """See `Transport`. A message is placed in the ledger once, whatever happens; a second attempt finds the first."""

    kind: Final = "web"
    capabilities: Final = Capabilities(_KINDS, tracks=True, has_window=False, typing=True, recalls=True)

    def __init__(self, database: Database, wake: Wake) -> None:
        self._database = database
        self._wake = wake

    async def send(
        self,
        channel: ChannelAccess,
        recipient: Recipient,
        content: Content,
        *,
        tracker: str,
        timeout_seconds: float,
        reply_to: str | None = None,
        key: UUID | None = None,
    ) -> Accepted:
        _check(content)
        deadline = time.monotonic() + timeout_seconds - _MARGIN_SECONDS
        order = Order(
            key=key or new_id(),
            channel_id=channel.channel_id,
            recipient=recipient,
            content=encode_content(content).decode(),
            characters=len(content.body) if isinstance(content, Text) else 0,
            tracker=tracker,
            reply_to=reply_to,
            seconds=timeout_seconds,
        )
        results = self._wake.subscribe(RESULTS)
        fate = await self._place(order)
        try:
            while fate.state not in (CommandState.SENT, CommandState.NOT_SENT) and time.monotonic() < deadline:
                await _woken(results)
                fate = await self._fate(order.key)
            if fate.state is CommandState.PENDING:
                fate = await self._withdraw(order.key)
        except DatabaseUnavailable:
            raise SendUnknown("database") from None
        return _accepted(fate)

    async def recall(self, channel: ChannelAccess, key: UUID) -> Accepted | None:  # noqa: ARG002 - the port's
        async with self._database.read() as connection:
            fate = await ledger.fate_of(connection, key)
        if fate is None:
            raise SendNotAttempted("never_placed")
        if fate.state is CommandState.PENDING:
            fate = await self._withdraw(key)
        return None if fate.state in (CommandState.PREPARING, CommandState.SENDING) else _accepted(fate)

    async def upload(
        self,
        channel: ChannelAccess,  # noqa: ARG002 - the port's
        path: Path,
        mime_type: str,  # noqa: ARG002 - the port's
        *,
        filename: str,  # noqa: ARG002 - the port's
        timeout_seconds: float,  # noqa: ARG002 - the port's
    ) -> str:
        return path.name  # the browser's worker reads it from the same directory

    async def mark_read(
        self,
        channel: ChannelAccess,
        message_id: str,
        *,
        typing: bool,
        timeout_seconds: float = 10,  # noqa: ARG002 - the port's
    ) -> None:
        try:
            async with self._database.write() as connection:
                now = await self._database.now(connection)
                await ledger.ask_to_read(connection, channel.channel_id, message_id, typing=typing, now=now)
        except DatabaseUnavailable:
            raise CallUnavailable("database") from None
        self._wake.notify(COMMANDS)

    async def _place(self, order: Order) -> Fate:
        try:
            async with self._database.write() as connection:
                now = await self._database.now(connection)
                placed = await ledger.ask_to_send(connection, order, now=now, chance=random.random())  # noqa: S311 - a pause
        except DatabaseUnavailable:
            # Even if it was placed after all: the next attempt finds it by its key.
            raise SendNotAttempted("database") from None
        match placed:
            case NotOnline(state=state):
                raise SendNotAttempted(f"whatsapp_web_{state}", retry_after_seconds=_OFFLINE_SECONDS)
            case Later(seconds=seconds, reason=reason):
                raise SendNotAttempted(reason, retry_after_seconds=seconds)
            case Never(reason=reason):
                raise SendRejected(code=None, title="Not allowed", rule=_NOT_ALLOWED, details=_COLD[reason])
            case Fate():
                self._wake.notify(COMMANDS)
                return placed

    async def _fate(self, key: UUID) -> Fate:
        async with self._database.read() as connection:
            fate = await ledger.fate_of(connection, key)
        return fate or Fate(CommandState.NOT_SENT, None, "forgotten")

    async def _withdraw(self, key: UUID) -> Fate:
        async with self._database.write() as connection:
            await ledger.withdraw(connection, key, now=await self._database.now(connection))
        return await self._fate(key)


def _accepted(fate: Fate) -> Accepted:
    """Return the id of what was sent. Raises what a send raises otherwise."""
    match fate.state:
        case CommandState.SENT:
            return Accepted(fate.message_id or "")
        case CommandState.NOT_SENT if fate.reason in _FOR_GOOD:
            title = "WhatsApp Web did not send it:"
            raise SendRejected(code=None, title=title, rule=_NOT_ALLOWED, details=fate.reason or "")
        case CommandState.NOT_SENT:
            raise SendNotAttempted(fate.reason or "not_sent")
        case CommandState.PENDING | CommandState.PREPARING | CommandState.SENDING:
            raise SendUnknown("not_confirmed")
        case _:
            assert_never(fate.state)


def _check(content: Content) -> None:
    kind = str(content.__struct_config__.tag)
    if kind not in _KINDS:
        details = f"WhatsApp Web cannot carry {kind}"
        raise SendRejected(code=None, title="Not supported:", rule=_REFUSED_HERE, details=details)
    try:
        check(content)
    except InvalidContent as error:
        details = f"{error.field}: {error}"
        raise SendRejected(code=None, title="Invalid content", rule=_REFUSED_HERE, details=details) from error


async def _woken(results: asyncio.Event) -> None:
    """Sleep until something was settled, or in any case for half a second."""
    try:
        async with asyncio.timeout(_LOOK_SECONDS):
            await results.wait()
    except TimeoutError:
        return
    finally:
        results.clear()
