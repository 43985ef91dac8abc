"""The ledger between the transport and the browser: what shall be sent, what was, and under which id.

There is one row a message, whatever happens in between. Its WhatsApp id is stored before it is used, so that after any
crash the page can be asked whether it has the message; it is sent again only with the same id, and only once the page
says that it does not.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.db import exclusive, filled_up
from app.core.ids import new_id
from app.whatsapp.content import Text, decode_content
from app.whatsapp.identifiers import Recipient
from app.whatsapp.web.governor import Facts, Go, Later, Never, WebPolicy, govern
from app.whatsapp.web.models import web_chats, web_commands, web_sessions
from app.whatsapp.web.states import State

__all__ = [
    "COMMANDS",
    "RESULTS",
    "UNNAMED",
    "Command",
    "CommandState",
    "Fate",
    "NotOnline",
    "Order",
    "ask_to_read",
    "ask_to_send",
    "begin",
    "claim",
    "expire",
    "fate_of",
    "give_back",
    "let_go",
    "name",
    "recognise",
    "settle",
    "take_back",
    "trackers",
    "unsettled",
    "withdraw",
]

COMMANDS: Final = "whatsapp-web"  # the wake-up topic of the browsers
RESULTS: Final = "whatsapp-web-results"  # and of those who wait for them
UNNAMED: Final = (
    "after:"  # begins the id of a message whose real one only WhatsApp can tell; the last one before follows
)

_c = web_commands.c
_READ_SECONDS: Final = 20.0
_MOVED: Final = "moved"
_LOOKED_AT: Final = 61  # messages; the pace is at most 60 a minute


class CommandState(StrEnum):
    """`pending > preparing > sending > sent`; or `not_sent`, which is certain and may become `pending` again."""

    PENDING = "pending"
    PREPARING = "preparing"
    SENDING = "sending"
    SENT = "sent"
    NOT_SENT = "not_sent"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A message that shall leave; `key` is the same for every attempt of the same message."""

    key: UUID
    channel_id: UUID
    recipient: Recipient
    content: str
    characters: int
    tracker: str
    reply_to: str | None
    seconds: float

    @property
    def person(self) -> str:
        return self.recipient.user_id or self.recipient.phone or ""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A claimed command. `message_key` is set when an earlier attempt may have sent it already."""

    id: UUID
    kind: str
    recipient: Recipient
    content: str
    reply_to: str | None
    typing_seconds: float
    tracker: str | None
    chat: str | None
    message_key: str | None
    message_id: str | None
    cold: bool


class Fate(msgspec.Struct, frozen=True):
    """What became of an order. `reason` of one that was not sent is a short code."""

    state: CommandState
    message_id: str | None
    reason: str | None


class NotOnline(msgspec.Struct, frozen=True):
    """The phone is in this state and sends nothing now."""

    state: str


async def ask_to_send(
    connection: AsyncConnection, order: Order, *, now: datetime, chance: float
) -> Fate | Later | Never | NotOnline:
    """Place the order if manners allow, and return its fate so far."""
    await exclusive(connection, f"web:{order.channel_id}")
    known = (await connection.execute(sa.select(*_c).where(_c.id == order.key).with_for_update())).one_or_none()
    if known is not None and (known.state == CommandState.SENT or known.reason == _MOVED):
        return _fate(known)
    session = (
        await connection.execute(
            sa.select(web_sessions.c.state, web_sessions.c.policy).where(web_sessions.c.channel_id == order.channel_id)
        )
    ).one_or_none()
    if session is None or session.state != State.ONLINE:
        return NotOnline("gone" if session is None else session.state)
    policy = msgspec.json.decode(session.policy, type=WebPolicy)
    facts = await _facts(connection, order, now)
    ruling = govern(policy, facts, now, characters=order.characters, chance=chance)
    if not isinstance(ruling, Go):
        return ruling
    await _place(connection, order, ruling, cold=not facts.wrote_first, is_known=known is not None, now=now)
    return Fate(CommandState.PENDING, None, None)


async def ask_to_read(
    connection: AsyncConnection, channel_id: UUID, message_id: str, *, typing: bool, now: datetime
) -> None:
    """Let a message be marked as read, and with `typing` show that we write; soon, or not at all."""
    await connection.execute(
        web_commands.insert().values(
            id=new_id(),
            channel_id=channel_id,
            kind="read",
            state=CommandState.PENDING,
            person="",
            recipient="{}",
            content="",
            message_id=message_id,
            starts_at=now,
            typing_seconds=1.0 if typing else 0.0,
            expires_at=now + timedelta(seconds=_READ_SECONDS),
            created_at=now,
        )
    )


async def withdraw(connection: AsyncConnection, key: UUID, *, now: datetime) -> bool:
    """Take back an order that the browser has not begun; True if it certainly was not sent."""
    taken: Any = await connection.execute(
        sa.update(web_commands)
        .where(_c.id == key, _c.state == CommandState.PENDING)
        .values(state=CommandState.NOT_SENT, reason="withdrawn", settled_at=now)
    )
    return bool(taken.rowcount)


async def let_go(connection: AsyncConnection, channel_id: UUID, keys: set[UUID], *, now: datetime) -> set[UUID]:
    """Give up the orders that no browser has begun, so that they may leave another way; return them.

    A process that was paused before it could place one of them finds it given up, until it is taken back.
    """
    await exclusive(connection, f"web:{channel_id}")
    has_begun = sa.or_(_c.state != CommandState.NOT_SENT, _c.message_key.is_not(None))
    begun = set(await connection.scalars(sa.select(_c.id).where(_c.id.in_(keys), has_begun)))
    free = keys - begun
    if free:
        await connection.execute(sa.delete(web_commands).where(_c.id.in_(free)))
        gone = {"channel_id": channel_id, "kind": "send", "state": CommandState.NOT_SENT, "reason": _MOVED}
        empty = {"person": "", "recipient": "{}", "content": ""}
        times = {"starts_at": now, "expires_at": now, "created_at": now, "settled_at": now}
        await connection.execute(web_commands.insert(), [{"id": key, **gone, **empty, **times} for key in free])
    return free


async def take_back(connection: AsyncConnection, keys: set[UUID]) -> None:
    """Let orders that were given up be placed again: they leave through a phone after all."""
    await connection.execute(sa.delete(web_commands).where(_c.id.in_(keys), _c.reason == _MOVED))


async def fate_of(connection: AsyncConnection, key: UUID) -> Fate | None:
    """Return what has become of an order; None if it was never placed."""
    row = (await connection.execute(sa.select(*_c).where(_c.id == key))).one_or_none()
    return None if row is None else _fate(row)


async def claim(connection: AsyncConnection, channel_id: UUID, token: int, *, now: datetime) -> Command | None:
    """Take the next command that is due, as the owner of the session's lease; None if there is none, or it is lost."""
    s = web_sessions.c
    owned = await connection.scalar(
        sa.select(s.channel_id).where(s.channel_id == channel_id, s.lease_token == token).with_for_update()
    )
    if owned is None:
        return None
    row = (
        await connection.execute(
            sa.select(*_c)
            .where(
                _c.channel_id == channel_id,
                _c.state == CommandState.PENDING,
                _c.starts_at <= now,
                _c.expires_at > now,
            )
            .order_by(_c.starts_at, _c.id)
            .limit(1)
            .with_for_update()
        )
    ).one_or_none()
    if row is None:
        return None
    await connection.execute(sa.update(web_commands).where(_c.id == row.id).values(state=CommandState.PREPARING))
    return _command(row)


async def begin(connection: AsyncConnection, command_id: UUID, *, chat: str, message_key: str, message_id: str) -> bool:
    """Store the id that the message is about to be sent with; False if the command is not ours any more."""
    begun: Any = await connection.execute(
        sa.update(web_commands)
        .where(_c.id == command_id, _c.state == CommandState.PREPARING)
        .values(state=CommandState.SENDING, chat=chat, message_key=message_key, message_id=message_id)
    )
    return bool(begun.rowcount)


async def name(connection: AsyncConnection, command_id: UUID, *, message_id: str) -> None:
    """Store the id that WhatsApp has given to a message which was begun without one."""
    await connection.execute(
        sa.update(web_commands)
        .where(_c.id == command_id, _c.message_id.startswith(UNNAMED))
        .values(message_key=message_id, message_id=message_id)
    )


async def recognise(
    connection: AsyncConnection, channel_id: UUID, *, phone: str | None, text: str, message_id: str
) -> bool:
    """Tell whether a text from our side is one that was begun without an id, and give it its own if so."""
    nameless = sa.and_(_c.state == CommandState.SENDING, _c.message_id.startswith(UNNAMED))
    rows = await connection.execute(
        sa.select(*_c).where(
            _c.channel_id == channel_id, _c.kind == "send", sa.or_(nameless, _c.message_id == message_id)
        )
    )
    for command in map(_command, rows):
        if command.message_id == message_id:  # whoever sent it was quicker
            return True
        content = decode_content(command.content)
        is_same = isinstance(content, Text) and content.body.split() == text.split()
        if is_same and phone is not None and command.recipient.phone == phone:
            await name(connection, command.id, message_id=message_id)
            return True
    return False


async def settle(
    connection: AsyncConnection, command_id: UUID, state: CommandState, *, now: datetime, reason: str | None = None
) -> None:
    """Write down what certainly became of a command. What was sent stays sent."""
    await connection.execute(
        sa.update(web_commands)
        .where(_c.id == command_id, _c.state != CommandState.SENT, sa.or_(_c.reason.is_(None), _c.reason != _MOVED))
        .values(state=state, reason=reason, settled_at=now)
    )


async def unsettled(connection: AsyncConnection, channel_id: UUID) -> list[Command]:
    """Return what an earlier browser began and nobody knows the end of, oldest first."""
    rows = await connection.execute(
        sa.select(*_c)
        .where(_c.channel_id == channel_id, _c.state.in_((CommandState.PREPARING, CommandState.SENDING)))
        .order_by(_c.starts_at)
    )
    return [_command(row) for row in rows]


async def expire(connection: AsyncConnection, channel_id: UUID, *, now: datetime, keep: timedelta) -> int:
    """Settle what nobody began in time, and forget what was settled before `keep` ago; return how many expired."""
    expired: Any = await connection.execute(
        sa.update(web_commands)
        .where(_c.channel_id == channel_id, _c.state == CommandState.PENDING, _c.expires_at <= now)
        .values(state=CommandState.NOT_SENT, reason="not_begun", settled_at=now)
    )
    await connection.execute(
        sa.delete(web_commands).where(
            _c.channel_id == channel_id, _c.settled_at.is_not(None), _c.settled_at < now - keep
        )
    )
    return int(expired.rowcount)


async def give_back(connection: AsyncConnection, channel_id: UUID, *, now: datetime) -> None:
    """Settle everything that was not begun: the browser closes, and whoever waits shall not wait in vain."""
    await connection.execute(
        sa.update(web_commands)
        .where(_c.channel_id == channel_id, _c.state == CommandState.PENDING)
        .values(state=CommandState.NOT_SENT, reason="browser_closed", settled_at=now)
    )


async def trackers(
    connection: AsyncConnection, channel_id: UUID, message_ids: Collection[str]
) -> dict[str, str | None]:
    """Return those of `message_ids` that are ours, with the tracker each was sent with."""
    if not message_ids:
        return {}
    rows = await connection.execute(
        sa.select(_c.message_id, _c.tracker).where(
            _c.channel_id == channel_id, _c.kind == "send", _c.message_id.in_(filled_up(message_ids))
        )
    )
    return {row.message_id: row.tracker for row in rows}


async def _facts(connection: AsyncConnection, order: Order, now: datetime) -> Facts:
    mine = sa.and_(_c.channel_id == order.channel_id, _c.kind == "send", _c.state != CommandState.NOT_SENT)
    recent = (
        await connection.execute(
            sa.select(_c.starts_at, _c.typing_seconds)
            .where(mine, _c.id != order.key)
            .order_by(_c.starts_at.desc())
            .limit(_LOOKED_AT)
        )
    ).all()
    minute = [row.starts_at for row in recent if row.starts_at > now - timedelta(minutes=1)]
    chat = web_chats.c
    heard_at = await connection.scalar(
        sa.select(sa.func.max(chat.last_inbound_at)).where(
            chat.channel_id == order.channel_id, _is_person(order.recipient)
        )
    )
    to_person = sa.select(sa.func.count()).select_from(web_commands).where(mine, _c.person == order.person)
    if heard_at is not None:
        to_person = to_person.where(_c.starts_at > heard_at)
    new_chats = (
        sa.select(sa.func.count(sa.distinct(_c.person)))
        .select_from(web_commands)
        .where(mine, _c.cold.is_(True), _c.starts_at > now - timedelta(days=1), _c.person != order.person)
    )
    return Facts(
        free_at=max((row.starts_at + timedelta(seconds=row.typing_seconds) for row in recent), default=None),
        started_in_minute=len(minute),
        oldest_of_minute=min(minute, default=None),
        wrote_first=heard_at is not None,
        new_chats_today=int(await connection.scalar(new_chats) or 0),
        unanswered=int(await connection.scalar(to_person) or 0),
    )


def _is_person(recipient: Recipient) -> sa.ColumnElement[bool]:
    chat = web_chats.c
    names: list[sa.ColumnElement[bool]] = [chat.phone == recipient.phone] if recipient.phone else []
    if recipient.user_id:
        names += [chat.lid == recipient.user_id.removesuffix("@lid"), chat.chat == recipient.user_id]
    return sa.or_(sa.false(), *names)


async def _place(
    connection: AsyncConnection, order: Order, go: Go, *, cold: bool, is_known: bool, now: datetime
) -> None:
    values = {
        "state": CommandState.PENDING,
        "reason": None,
        "tracker": order.tracker,
        "starts_at": go.starts_at,
        "typing_seconds": go.typing_seconds,
        "expires_at": now + timedelta(seconds=order.seconds),
        "settled_at": None,
    }
    if is_known:  # its id stays: the page is asked about it before anything is sent
        await connection.execute(sa.update(web_commands).where(_c.id == order.key).values(**values))
        return
    await connection.execute(
        web_commands.insert().values(
            id=order.key,
            channel_id=order.channel_id,
            kind="send",
            person=order.person,
            recipient=msgspec.json.encode(order.recipient).decode(),
            content=order.content,
            reply_to=order.reply_to,
            cold=cold,
            created_at=now,
            **values,
        )
    )


def _fate(row: Any) -> Fate:
    return Fate(CommandState(row.state), row.message_id, row.reason)


def _command(row: Any) -> Command:
    return Command(
        id=row.id,
        kind=row.kind,
        recipient=msgspec.json.decode(row.recipient, type=Recipient),
        content=row.content,
        reply_to=row.reply_to,
        typing_seconds=row.typing_seconds,
        tracker=row.tracker,
        chat=row.chat,
        message_key=row.message_key,
        message_id=row.message_id,
        cold=bool(row.cold),
    )
