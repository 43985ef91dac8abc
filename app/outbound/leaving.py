"""The flip to `processing`: which messages may leave now, decided under lock, committed before a byte is sent."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.contacts.models import contacts
from app.conversations import turns as words
from app.conversations.models import conversations, turns
from app.core.db import Statement, any_of, db_now, one_of
from app.core.db.events import record
from app.core.failpoints import reach
from app.core.ids import new_id
from app.outbound.events import DeliveryChanged
from app.outbound.models import outbound_messages
from app.outbound.settle import settle_turns
from app.outbound.states import CLAIMABLE, WAITING, State
from app.whatsapp.content import Content, Template, decode_content
from app.whatsapp.models import channels
from app.whatsapp.pacing import Pacer, Place
from app.whatsapp.transport import Recipient
from app.whatsapp.window import has_window, is_window_open

log = structlog.get_logger()

LEASE = timedelta(seconds=30)  # longer than any send may take; after it nobody knows what became of the message

_o = outbound_messages.c
_MOST_LOOKS = 20
_TEMPLATE_LIFE = timedelta(hours=24)  # what could not leave for so long is not news any more


class Leaving(msgspec.Struct, frozen=True):
    """A message in `processing`: `attempt_id` is committed, and it goes with the message as its tracker."""

    id: UUID
    conversation_id: UUID
    channel_id: UUID
    turn_id: UUID | None
    attempt: int
    attempt_id: UUID
    recipient: Recipient
    content: Content
    reply_to: str | None
    event_id: UUID | None
    opened_at: datetime | None


class Verdict(msgspec.Struct, frozen=True):
    """What becomes of a due message: None means that it leaves now."""

    state: State
    reason: words.Reason | None = None
    due_at: datetime | None = None


def judge(row: Any, content: Content, now: datetime) -> Verdict | None:
    """Decide whether a locked message may leave. Pure; `row` has the columns that `_candidates` selects."""
    if row.turn_id is not None and row.turn_state not in (words.State.READY, words.State.SENDING):
        return Verdict(State.SUPERSEDED, words.Reason.NEWER_MESSAGE)
    if row.control_version is not None and row.control_version != row.current_version:
        return Verdict(State.SUPERSEDED, words.Reason.HELD_BY_PERSON)
    if isinstance(content, Template):
        if now - row.scheduled_at > _TEMPLATE_LIFE:
            return Verdict(State.EXPIRED, words.Reason.WAITED_TOO_LONG)
    elif (row.turn_id is not None or has_window(row.channel_kind)) and not is_window_open(row.last_inbound_at, now):
        # An answer that is a day late is no answer any more, wherever it could still be sent.
        return Verdict(State.EXPIRED, words.Reason.WINDOW_CLOSED)
    return None


async def start(connection: AsyncConnection, pacer: Pacer, limit: int, *, now: datetime) -> list[Leaving]:
    """Flip up to `limit` due messages to `processing` and return them; settle those that may not leave.

    Where one may not leave, the next of its conversation is looked at, so that it need not wait for the next claim.
    Only of conversations that are locked already, and only if its turn is free: a lock that is waited for now would be
    taken out of the order that all keep.
    """
    leaving, ended = await _look(connection, pacer, await _candidates(connection, limit), now)
    for _ in range(_MOST_LOOKS):
        if not ended or len(leaving) == limit:
            break
        behind = {row.conversation_id for row, _ in ended}
        rows = await _next_of(connection, behind, limit - len(leaving))
        started, ended = await _look(connection, pacer, rows, now, only_free_turns=True)
        leaving += started
    return leaving


async def _look(
    connection: AsyncConnection, pacer: Pacer, rows: Sequence[Any], now: datetime, *, only_free_turns: bool = False
) -> tuple[list[Leaving], list[tuple[Any, Verdict]]]:
    """Look at the candidates; return what leaves now, and what has ended without leaving."""
    if not rows:
        return [], []
    ready: list[tuple[Any, Content]] = []
    stay: list[tuple[Any, Verdict]] = []
    for row in await _with_conversation(connection, rows, only_free_turns=only_free_turns):
        content = _readable(row)
        verdict = Verdict(State.FAILED, words.Reason.SEND_FAILED) if content is None else judge(row, content, now)
        if verdict is not None:
            stay.append((row, verdict))
        elif content is not None:
            ready.append((row, content))
    leaving: list[Leaving] = []
    for (row, content), wait_seconds in zip(
        ready, await pacer.take_all([_place(row) for row, _ in ready]), strict=True
    ):
        if wait_seconds > 0:
            stay.append((row, Verdict(State(row.state), due_at=now + timedelta(seconds=wait_seconds))))
        else:
            leaving.append(_leaving(row, content))
    await _flip(connection, leaving, now)
    await _stay(connection, stay, now)
    return leaving, [(row, verdict) for row, verdict in stay if verdict.due_at is None]


def _place(row: Any) -> Place:
    return Place(row.phone_number_id, pacing_key(Recipient(row.phone, row.contact_user_id)), row.messages_per_second)


def _readable(row: Any) -> Content | None:
    """Return the content; None for one that this version cannot read, which must not stop those behind it."""
    try:
        return decode_content(row.content)
    except msgspec.DecodeError:
        log.error("outbound.unreadable", outbound_id=str(row.id))  # noqa: TRY400 - the trace would hold the content
        return None


_other = outbound_messages.alias("other")
_COMES_BEFORE = sa.and_(_other.c.id < _o.id, _other.c.scheduled_at <= db_now())
IS_FIRST = ~sa.exists().where(
    _other.c.conversation_id == _o.conversation_id,
    one_of(_other.c.state, WAITING),
    _other.c.id != _o.id,
    sa.or_(_COMES_BEFORE, _other.c.state == State.PROCESSING),
)
_due = (
    sa.select(
        *_o,
        channels.c.kind.label("channel_kind"),
        channels.c.phone_number_id,
        channels.c.messages_per_second,
        contacts.c.phone,
        contacts.c.user_id.label("contact_user_id"),
    )
    .join(channels, channels.c.id == _o.channel_id)
    .join(contacts, contacts.c.id == _o.contact_id)
    .where(one_of(_o.state, WAITING), one_of(_o.state, CLAIMABLE), _o.due_at <= db_now())  # the first names the index
    .where(channels.c.stopped_at.is_(None), IS_FIRST)
    .order_by(_o.priority.desc(), _o.due_at)
    .limit(sa.bindparam("limit", type_=sa.Integer()))
    .with_for_update(of=outbound_messages, skip_locked=True)
)
_CANDIDATES = Statement(_due)
_NEXT_OF = Statement(_due.where(any_of(_o.conversation_id, "behind")))


async def _candidates(connection: AsyncConnection, limit: int) -> Sequence[Any]:
    """The first waiting message of each conversation, if it is due and none is on its way, on channels that work."""
    return await _CANDIDATES.rows(connection, limit=limit)


async def _next_of(connection: AsyncConnection, conversation_ids: set[UUID], limit: int) -> Sequence[Any]:
    return await _NEXT_OF.rows(connection, behind=list(conversation_ids), limit=limit)


class _Row:
    """A candidate together with what its conversation and turn say under lock."""

    __slots__ = ("_row", "current_version", "last_inbound_at", "opened_at", "turn_state")

    def __init__(self, row: Any, conversation: Any, turn: Any) -> None:
        self._row = row
        self.current_version = conversation.control_version
        self.last_inbound_at = conversation.last_inbound_at
        self.turn_state = turn.state if turn is not None else None
        self.opened_at = turn.opened_at if turn is not None else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, name)


_LOCK_CONVERSATIONS = Statement(
    sa.select(conversations.c.id, conversations.c.control_version, conversations.c.last_inbound_at)
    .where(any_of(conversations.c.id, "ids"))
    .order_by(conversations.c.id)
    .with_for_update()
)
_turns = sa.select(turns.c.id, turns.c.state, turns.c.opened_at).where(any_of(turns.c.id, "ids")).order_by(turns.c.id)
_LOCK_TURNS = Statement(_turns.with_for_update())
_LOCK_FREE_TURNS = Statement(_turns.with_for_update(skip_locked=True))


async def _with_conversation(connection: AsyncConnection, rows: Sequence[Any], *, only_free_turns: bool) -> list[_Row]:
    """Lock in the order that everybody keeps: outbound messages, conversations, turns.

    `only_free_turns` leaves out the messages whose turn somebody else holds now.
    """
    ids = {row.conversation_id for row in rows}
    held = {row.id: row for row in await _LOCK_CONVERSATIONS.rows(connection, ids=list(ids))}
    turn_ids = {row.turn_id for row in rows if row.turn_id is not None}
    answered: dict[UUID, Any] = {}
    if turn_ids:
        lock = _LOCK_FREE_TURNS if only_free_turns else _LOCK_TURNS
        answered = {row.id: row for row in await lock.rows(connection, ids=list(turn_ids))}
    return [
        _Row(row, held[row.conversation_id], answered.get(row.turn_id))
        for row in rows
        if row.turn_id is None or row.turn_id in answered or not only_free_turns
    ]


def pacing_key(recipient: Recipient) -> str:
    """Return the name under which a person's pace is kept."""
    return recipient.phone or recipient.user_id or ""


def _leaving(row: Any, content: Content) -> Leaving:
    return Leaving(
        id=row.id,
        conversation_id=row.conversation_id,
        channel_id=row.channel_id,
        turn_id=row.turn_id,
        attempt=row.attempt + 1,
        attempt_id=new_id(),
        recipient=Recipient(row.phone, row.contact_user_id),
        content=content,
        reply_to=row.reply_to,
        event_id=row.event_id,
        opened_at=row.opened_at,
    )


_FLIP = Statement(
    sa.update(outbound_messages)
    .where(_o.id == sa.bindparam("outbound"))
    .values(
        state=State.PROCESSING,
        attempt=sa.bindparam("number"),
        attempt_id=sa.bindparam("tracker"),
        processing_at=sa.bindparam("now"),
        due_at=sa.bindparam("lease_ends"),
    )
)
_BEGIN_TO_SEND = Statement(
    sa.update(turns)
    .where(any_of(turns.c.id, "ids"), turns.c.state == words.State.READY)
    .values(state=words.State.SENDING)
)


async def _flip(connection: AsyncConnection, leaving: Sequence[Leaving], now: datetime) -> None:
    if not leaving:
        return
    lease = {"now": now, "lease_ends": now + LEASE}
    await _FLIP.run_each(
        connection,
        [{"outbound": one.id, "number": one.attempt, "tracker": one.attempt_id, **lease} for one in leaving],
    )
    started = {one.turn_id for one in leaving if one.turn_id is not None}
    if started:
        await _BEGIN_TO_SEND.run(connection, ids=list(started))


_STAY = Statement(
    sa.update(outbound_messages)
    .where(_o.id == sa.bindparam("outbound"))
    .values(state=sa.bindparam("next"), reason=sa.bindparam("why"), due_at=sa.bindparam("due"))
)


async def _stay(connection: AsyncConnection, stay: Sequence[tuple[Any, Verdict]], now: datetime) -> None:
    if not stay:
        return
    await _STAY.run_each(
        connection,
        [
            {"outbound": row.id, "next": verdict.state, "why": verdict.reason, "due": verdict.due_at or now}
            for row, verdict in stay
        ],
    )
    ended = [(row, verdict) for row, verdict in stay if verdict.due_at is None]
    await record(
        connection,
        [
            DeliveryChanged(
                correlation_id=row.event_id,
                conversation_id=row.conversation_id,
                outbound_id=row.id,
                change=verdict.state,
            )
            for row, verdict in ended
        ],
    )
    await settle_turns(connection, {row.turn_id for row, _ in ended if row.turn_id is not None}, now=now)


_over = (
    sa.select(_o.id)
    .where(one_of(_o.state, WAITING), _o.state == State.PROCESSING, _o.due_at <= db_now())
    .with_for_update(skip_locked=True)  # who has it locked is writing its outcome
    .cte("over")
)
_PARK = Statement(
    sa.update(outbound_messages)
    .where(_o.id.in_(sa.select(_over.c.id)))
    .values(state=State.UNKNOWN, reason="the process ended while the message was being sent")
    .returning(_o.id, _o.conversation_id, _o.event_id)
)


async def sweep(connection: AsyncConnection) -> list[UUID]:
    """Park what was being sent when its process ended: nobody knows whether it left, so it is never sent again."""
    rows = await _PARK.rows(connection)
    if rows:
        reach("sweep.parked")
    await record(
        connection,
        [
            DeliveryChanged(
                correlation_id=row.event_id,
                conversation_id=row.conversation_id,
                outbound_id=row.id,
                change=State.UNKNOWN,
            )
            for row in rows
        ],
    )
    return [row.id for row in rows]
