"""Claiming turns that are due, with what is needed to answer them, and ending them. Set by set, fenced by token."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.contacts.models import contacts
from app.conversations.events import TurnEnded
from app.conversations.models import conversations, messages, turns
from app.conversations.turns import Control, Reason, State
from app.core.db import Statement, UtcDateTime, any_of, db_now, db_now_plus, one_of
from app.core.db.events import record
from app.whatsapp.models import media

LEASE_SECONDS = 30.0
MOST_CLAIMS = 3  # claims that ended without an outcome (a crash counts) before a turn is given up
_HISTORY = 20  # messages


class Said(msgspec.Struct, frozen=True):
    """One message as the assistant may read it. `picture` is the stored name of an image under DATA_DIR/media."""

    author: str
    kind: str
    text: str
    sent_at: datetime
    wamid: str | None = None
    picture: str | None = None
    mime_type: str | None = None


class ClaimedTurn(msgspec.Struct, frozen=True):
    """A turn that is ours until its lease ends, with the state of its conversation when it was claimed.

    `questions` are the frozen set of inbound messages, oldest first; `history` the messages before them.
    """

    id: UUID
    conversation_id: UUID
    token: int
    claims: int
    failures: int
    opened_at: datetime
    event_id: UUID | None
    channel_id: UUID
    contact_id: UUID
    contact_name: str | None
    contact_approved: bool
    control: Control
    control_version: int
    fallback_at: datetime | None
    questions: tuple[Said, ...]
    history: tuple[Said, ...]


_due = (
    sa.select(turns.c.id)
    .where(one_of(turns.c.state, (State.COLLECTING, State.THINKING)), turns.c.due_at <= db_now())
    .order_by(turns.c.due_at)
    .limit(sa.bindparam("limit", type_=sa.Integer()))
    .with_for_update(skip_locked=True)
    .cte("due")  # as a subquery PostgreSQL may run it again for each row, and claim beyond the limit
)
_CLAIM = Statement(
    sa.update(turns)
    .where(turns.c.id.in_(sa.select(_due.c.id)))
    .values(
        state=State.THINKING,
        token=turns.c.token + 1,
        claims=turns.c.claims + 1,
        due_at=db_now_plus(LEASE_SECONDS),
        claimed_at=db_now(),
    )
    .returning(*turns.c)
)


async def claim(connection: AsyncConnection, limit: int) -> list[ClaimedTurn]:
    """Lease up to `limit` due turns. One whose lease ran out comes again, with the next token."""
    rows = await _CLAIM.rows(connection, limit=limit)
    if not rows:
        return []
    held = await _conversations(connection, [row.conversation_id for row in rows])
    questions = await _questions(connection, [row.id for row in rows])
    history = await _history(connection, list(held))
    return [_claimed(row, held[row.conversation_id], questions, history) for row in rows]


async def extend(connection: AsyncConnection, tokens: Mapping[UUID, int]) -> set[UUID]:
    """Renew the leases of the turns still held with these tokens, and return which those are."""
    c = turns.c
    held = sa.or_(*(sa.and_(c.id == turn_id, c.token == token) for turn_id, token in tokens.items()))
    ours = sa.select(c.id).where(held, c.state == State.THINKING)
    in_order = ours.order_by(c.id).with_for_update().cte("in_order")  # as everybody locks turns
    rows = await connection.execute(
        sa.update(turns)
        .where(c.id.in_(sa.select(in_order.c.id)))
        .values(due_at=db_now_plus(LEASE_SECONDS))
        .returning(c.id)
    )
    return set(rows.scalars())


class Held(msgspec.Struct, frozen=True):
    """A turn that its claimer may still conclude, as its locked row says."""

    control: Control
    control_version: int


_LOCK_CONVERSATIONS = Statement(
    sa.select(conversations.c.id, conversations.c.control, conversations.c.control_version)
    .where(any_of(conversations.c.id, "ids"))
    .order_by(conversations.c.id)
    .with_for_update()
)
_LOCK_TURNS = Statement(
    sa.select(turns.c.id, turns.c.token, turns.c.state, turns.c.conversation_id)
    .where(any_of(turns.c.id, "ids"))
    .order_by(turns.c.id)
    .with_for_update()
)


async def hold(connection: AsyncConnection, claimed: Iterable[tuple[UUID, UUID, int]]) -> dict[tuple[UUID, int], Held]:
    """Lock the turns given as (conversation, turn, token); return those still held, by turn and token.

    Who is not in the answer has lost its turn (superseded, or claimed by another) and must write nothing about it.
    """
    wanted = list(claimed)
    asked = {(turn_id, token) for _, turn_id, token in wanted}
    conversation_ids = {conversation_id for conversation_id, _, _ in wanted}
    control = {row.id: row for row in await _LOCK_CONVERSATIONS.rows(connection, ids=list(conversation_ids))}
    rows = await _LOCK_TURNS.rows(connection, ids=[turn_id for turn_id, _ in asked])
    return {
        (row.id, row.token): Held(control[row.conversation_id].control, control[row.conversation_id].control_version)
        for row in rows
        if row.state == State.THINKING and (row.id, row.token) in asked
    }


class Ending(msgspec.Struct, frozen=True):
    """The next state of a turn that is held. `again_at` puts it back to wait until then."""

    turn_id: UUID
    conversation_id: UUID
    state: State
    reason: Reason | None = None
    event_id: UUID | None = None
    again_at: datetime | None = None


_END = Statement(
    sa.update(turns)
    .where(turns.c.id == sa.bindparam("turn"))
    .values(
        state=sa.bindparam("next"),
        reason=sa.func.coalesce(sa.bindparam("why", type_=sa.String()), turns.c.reason),
        due_at=sa.bindparam("due"),
        answered_at=sa.func.coalesce(sa.bindparam("answered", type_=UtcDateTime()), turns.c.answered_at),
        ended_at=sa.bindparam("ended"),
        claims=0,
        failures=turns.c.failures + sa.bindparam("failed"),
    )
)


async def end(connection: AsyncConnection, endings: Sequence[Ending], *, now: datetime) -> None:
    """Write the endings of turns that `hold` has confirmed, and the facts that follow."""
    if not endings:
        return
    await _END.run_each(
        connection,
        [
            {
                "turn": one.turn_id,
                "next": one.state,
                "why": one.reason,
                "due": one.again_at or now,
                "answered": now if one.state is State.READY else None,
                "ended": None if one.state in (State.READY, State.COLLECTING) else now,
                "failed": int(one.state is State.COLLECTING),
            }
            for one in endings
        ],
    )
    await record(
        connection,
        [
            TurnEnded(
                correlation_id=one.event_id,
                conversation_id=one.conversation_id,
                turn_id=one.turn_id,
                state=one.state,
                reason=one.reason,
            )
            for one in endings
            if one.state not in (State.READY, State.COLLECTING)
        ],
    )


_CONVERSATIONS = Statement(
    sa.select(
        conversations.c.id,
        conversations.c.channel_id,
        conversations.c.contact_id,
        conversations.c.control,
        conversations.c.control_version,
        conversations.c.fallback_at,
        contacts.c.name,
        contacts.c.approved,
    )
    .join(contacts, contacts.c.id == conversations.c.contact_id)
    .where(any_of(conversations.c.id, "ids"))
)


async def _conversations(connection: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, Any]:
    return {row.id: row for row in await _CONVERSATIONS.rows(connection, ids=ids)}


_SAID = (
    messages.c.conversation_id,
    messages.c.turn_id,
    messages.c.awaits_turn,
    messages.c.author,
    messages.c.kind,
    messages.c.text,
    messages.c.sent_at,
    messages.c.wamid,
    media.c.stored_name,
    media.c.mime_type,
)


_QUESTIONS = Statement(
    sa.select(*_SAID)
    .outerjoin(media, media.c.message_id == messages.c.id)
    .where(any_of(messages.c.turn_id, "turn_ids"), messages.c.author == "customer")
    .order_by(messages.c.sent_at, messages.c.id)
)


async def _questions(connection: AsyncConnection, turn_ids: Sequence[UUID]) -> dict[UUID, list[Said]]:
    found: dict[UUID, list[Said]] = {turn_id: [] for turn_id in turn_ids}
    for row in await _QUESTIONS.rows(connection, turn_ids=turn_ids):
        found[row.turn_id].append(_said(row))
    return found


_position = sa.func.row_number().over(partition_by=messages.c.conversation_id, order_by=messages.c.id.desc())
_ranked = (
    sa.select(messages.c.id, _position.label("position"))
    .where(any_of(messages.c.conversation_id, "conversation_ids"))
    .subquery()
)
_LAST_MESSAGES = Statement(
    sa.select(*_SAID)
    .join(_ranked, _ranked.c.id == messages.c.id)
    .outerjoin(media, media.c.message_id == messages.c.id)
    .where(_ranked.c.position <= _HISTORY)
    .order_by(messages.c.id)
)


async def _history(
    connection: AsyncConnection, conversation_ids: Sequence[UUID], *, with_waiting: bool = False
) -> dict[UUID, list[tuple[UUID | None, Said]]]:
    """The last messages of each conversation, oldest first. The ranking reads only the thread's index.

    Those that wait for the next turn are left out unless asked for: who answers this turn must not answer them too.
    """
    found: dict[UUID, list[tuple[UUID | None, Said]]] = {}
    for row in await _LAST_MESSAGES.rows(connection, conversation_ids=conversation_ids):
        if with_waiting or not row.awaits_turn:
            found.setdefault(row.conversation_id, []).append((row.turn_id, _said(row)))
    return found


async def last_said(connection: AsyncConnection, conversation_id: UUID) -> list[Said]:
    """Return the last messages of one conversation as the assistant would read them, oldest first."""
    found = await _history(connection, [conversation_id], with_waiting=True)
    return [said for _, said in found.get(conversation_id, [])]


def _said(row: Any) -> Said:
    picture = row.stored_name if row.kind == "image" else None
    return Said(row.author, row.kind, row.text, row.sent_at, row.wamid, picture, row.mime_type)


def _claimed(
    row: Any,
    held: Any,
    questions: Mapping[UUID, list[Said]],
    history: Mapping[UUID, list[tuple[UUID | None, Said]]],
) -> ClaimedTurn:
    return ClaimedTurn(
        id=row.id,
        conversation_id=row.conversation_id,
        token=row.token,
        claims=row.claims,
        failures=row.failures,
        opened_at=row.opened_at,
        event_id=row.event_id,
        channel_id=held.channel_id,
        contact_id=held.contact_id,
        contact_name=held.name,
        contact_approved=bool(held.approved),
        control=held.control,
        control_version=held.control_version,
        fallback_at=held.fallback_at,
        questions=tuple(questions[row.id]),
        history=tuple(said for turn_id, said in history.get(row.conversation_id, ()) if turn_id != row.id),
    )
