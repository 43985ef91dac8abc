"""The ledger: every message that came in, and what became of it, from the rows alone."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.conversations.models import messages, turns
from app.conversations.turns import Reason
from app.conversations.turns import State as TurnState
from app.core.db import one_of
from app.core.ids import first_id
from app.outbound.models import outbound_messages
from app.outbound.states import WAITING
from app.outbound.states import State as OutboundState
from app.proof.schemas import Fate, Ledger, LedgerExample, LedgerLine, WebhookCount
from app.whatsapp.models import inbound_events

_EXAMPLES = 5
_PERSON_TAKES_OVER = (Reason.HELD_BY_PERSON, Reason.WAITING_FOR_PERSON, Reason.PERSON_ANSWERED)

_m, _t, _o = messages.c, turns.c, outbound_messages.c
_said = messages.alias("said")

_sent = sa.exists().where(_o.turn_id == _t.id, _o.state == OutboundState.SENT)
_waits = sa.exists().where(_o.turn_id == _t.id, one_of(_o.state, WAITING))
_unconfirmed = sa.exists().where(_o.turn_id == _t.id, _o.state == OutboundState.UNKNOWN)
_person_wrote = sa.exists().where(
    _said.c.conversation_id == _m.conversation_id,
    _said.c.id > _m.id,
    one_of(_said.c.author, ("person", "phone")),
)
_is_a_persons = sa.or_(
    _t.state == TurnState.HANDED_OFF, sa.and_(_t.state == TurnState.IGNORED, one_of(_t.reason, _PERSON_TAKES_OVER))
)

# Each case in turn: (is it so?, the fate, the reason). What fits none is unexplained by its state.
_CASES: Sequence[tuple[sa.ColumnElement[bool], Fate, Any]] = (
    (_m.awaits_turn == 1, "pending", "turn"),
    (_m.turn_id.is_(None), "ignored", "nothing_to_answer"),
    (_t.id.is_(None), "unexplained", "its turn is missing"),
    (one_of(_t.state, (TurnState.COLLECTING, TurnState.THINKING)), "pending", "turn"),
    (sa.and_(_t.state == TurnState.DONE, _sent), "answered", sa.null()),
    (_t.state == TurnState.DONE, "unexplained", "its turn is done, but nothing was sent"),
    (sa.and_(one_of(_t.state, (TurnState.READY, TurnState.SENDING)), _waits), "pending", "outbox"),
    (sa.and_(one_of(_t.state, (TurnState.READY, TurnState.SENDING)), _unconfirmed), "pending", "unconfirmed"),
    (one_of(_t.state, (TurnState.READY, TurnState.SENDING)), "unexplained", "its answer is missing"),
    (sa.and_(_is_a_persons, _person_wrote), "by_person", _t.reason),
    (_is_a_persons, "pending", "person"),
    (sa.and_(_t.state == TurnState.IGNORED, _t.reason.is_not(None)), "ignored", _t.reason),
    (sa.and_(_t.state == TurnState.FAILED, _t.reason.is_not(None)), "failed", _t.reason),
)
_fate = sa.case(*((holds, fate) for holds, fate, _ in _CASES), else_="unexplained").label("fate")
_reason = sa.case(
    *((holds, reason) for holds, _, reason in _CASES), else_=sa.literal("its turn ended as ").concat(_t.state)
).label("reason")
_JUDGED = (
    sa.select(_m.id, _m.conversation_id, _fate, _reason)
    .outerjoin_from(messages, turns, _t.id == _m.turn_id)
    .where(_m.author == "customer", _m.id >= sa.bindparam("first"), _m.id < sa.bindparam("last"))
)
_judged = _JUDGED.subquery()
_COUNT = (
    sa.select(_judged.c.fate, _judged.c.reason, sa.func.count().label("number"))
    .group_by(_judged.c.fate, _judged.c.reason)
    .order_by(_judged.c.fate, sa.func.count().desc(), _judged.c.reason)
)
_NEWEST = (
    sa.select(_judged.c.id, _judged.c.conversation_id)
    .where(
        _judged.c.fate == sa.bindparam("fate"),
        sa.func.coalesce(_judged.c.reason, "") == sa.bindparam("reason"),
    )
    .order_by(_judged.c.id.desc())
    .limit(_EXAMPLES)
)
_w = inbound_events.c
_WEBHOOKS = (
    sa.select(_w.state, sa.func.count().label("number"))
    .where(_w.id >= sa.bindparam("first"), _w.id < sa.bindparam("last"))
    .group_by(_w.state)
)


async def ledger(connection: AsyncConnection, since: datetime, until: datetime) -> Ledger:
    """Say what became of every message of a customer that was stored from `since` until before `until`."""
    span = {"first": first_id(since), "last": first_id(until)}
    lines = [
        LedgerLine(
            fate=row.fate,
            reason=row.reason,
            count=row.number,
            examples=await _examples(connection, span, row.fate, row.reason),
        )
        for row in (await connection.execute(_COUNT, span)).all()
    ]
    number = {row.state: row.number for row in await connection.execute(_WEBHOOKS, span)}
    return Ledger(
        since=since,
        until=until,
        received=sum(line.count for line in lines),
        answered=_total(lines, "answered"),
        by_person=_total(lines, "by_person"),
        ignored=_total(lines, "ignored"),
        failed=_total(lines, "failed"),
        pending=_total(lines, "pending"),
        unexplained=_total(lines, "unexplained"),
        lines=lines,
        webhooks=WebhookCount(
            received=sum(number.values()),
            read=number.get("done", 0),
            pending=number.get("pending", 0),
            dead=number.get("dead", 0),
        ),
    )


async def unexplained(connection: AsyncConnection, since: datetime, until: datetime, limit: int) -> list[str]:
    """Return ids of messages whose fate nothing explains."""
    found = sa.select(_judged.c.id).where(_judged.c.fate == "unexplained").limit(limit)
    rows = await connection.execute(found, {"first": first_id(since), "last": first_id(until)})
    return [str(message_id) for message_id in rows.scalars()]


async def _examples(
    connection: AsyncConnection, span: dict[str, Any], fate: Fate, reason: str | None
) -> list[LedgerExample]:
    rows = await connection.execute(_NEWEST, {**span, "fate": fate, "reason": reason or ""})
    return [LedgerExample(message_id=row.id, conversation_id=row.conversation_id) for row in rows]


def _total(lines: Sequence[LedgerLine], fate: Fate) -> int:
    return sum(line.count for line in lines if line.fate == fate)
