"""What must always be true of the rows, each a question whose answer should be nothing (promise P32)."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.audit.verify import verify
from app.conversations.models import messages, turns
from app.conversations.turns import State as TurnState
from app.core.db import Database, one_of
from app.core.ids import first_id
from app.outbound.models import delivery_statuses, outbound_messages
from app.outbound.states import WAITING
from app.outbound.states import State as OutboundState
from app.outbound.statuses import TRACKER_PREFIX
from app.proof.ledger import unexplained
from app.whatsapp.models import inbound_events

MOST_COUNTED = 1000

_LOOKED_BACK = timedelta(days=1)  # for questions that would otherwise read whole tables
_A_MINUTE = timedelta(minutes=1)
_AN_HOUR = timedelta(hours=1)
_LONGEST_ANSWER = timedelta(minutes=15)  # P10

_m, _t, _o, _w, _d = messages.c, turns.c, outbound_messages.c, inbound_events.c, delivery_statuses.c
_thinks = sa.exists().where(_t.conversation_id == _m.conversation_id, _t.state == TurnState.THINKING)
_has_part = sa.exists().where(_o.turn_id == _t.id, sa.or_(one_of(_o.state, WAITING), _o.state == OutboundState.UNKNOWN))


class Invariant(msgspec.Struct, frozen=True):
    """`find` returns what contradicts it, at most `MOST_COUNTED`. `every` is how often it is worth asking."""

    name: str
    about: str
    find: Callable[[Database, datetime], Awaitable[list[str]]]
    every: timedelta = timedelta(0)


def _rows(
    question: Callable[[datetime], sa.Select[tuple[object]]],
) -> Callable[[Database, datetime], Awaitable[list[str]]]:
    async def find(database: Database, now: datetime) -> list[str]:
        async with database.read() as connection:
            return await _ids(connection, question(now))

    return find


async def _ids(connection: AsyncConnection, question: sa.Select[tuple[object]]) -> list[str]:
    return [str(found) for found in (await connection.execute(question.limit(MOST_COUNTED))).scalars()]


def _webhooks_left_lying(now: datetime) -> sa.Select[tuple[object]]:
    return sa.select(_w.id).where(_w.state == "pending", _w.due_at < now - _A_MINUTE)


def _messages_left_lying(now: datetime) -> sa.Select[tuple[object]]:
    return sa.select(_m.id).where(_m.awaits_turn == 1, _m.id < first_id(now - _A_MINUTE), ~_thinks)


def _doubled_parts(now: datetime) -> sa.Select[tuple[object]]:
    recent = sa.and_(_o.id >= first_id(now - _LOOKED_BACK), _o.turn_id.is_not(None))
    return sa.select(_o.turn_id).where(recent).group_by(_o.turn_id, _o.part).having(sa.func.count() > 1)


def _doubled_messages(now: datetime) -> sa.Select[tuple[object]]:
    recent = sa.and_(_m.id >= first_id(now - _LOOKED_BACK), _m.wamid.is_not(None))
    return sa.select(sa.func.min(_m.wamid)).where(recent).group_by(_m.channel_id, _m.wamid).having(sa.func.count() > 1)


def _late_turns(now: datetime) -> sa.Select[tuple[object]]:
    still_open = one_of(_t.state, (TurnState.COLLECTING, TurnState.THINKING))
    return sa.select(_t.id).where(still_open, _t.due_at < now - _LONGEST_ANSWER)


def _answers_missing(now: datetime) -> sa.Select[tuple[object]]:
    del now
    return sa.select(_t.id).where(one_of(_t.state, (TurnState.READY, TurnState.SENDING)), ~_has_part)


def _sends_overdue(now: datetime) -> sa.Select[tuple[object]]:
    waiting = one_of(_o.state, WAITING)  # names the index
    return sa.select(_o.id).where(waiting, _o.state == OutboundState.PROCESSING, _o.due_at < now - _A_MINUTE)


def _unconfirmed(now: datetime) -> sa.Select[tuple[object]]:
    return sa.select(_o.id).where(_o.state == OutboundState.UNKNOWN, _o.processing_at < now - _AN_HOUR)


def _sent_without_id(now: datetime) -> sa.Select[tuple[object]]:
    return sa.select(_o.id).where(
        _o.id >= first_id(now - _LOOKED_BACK),
        _o.state == OutboundState.SENT,
        _o.wamid.is_(None),
    )


def _orphans(now: datetime) -> sa.Select[tuple[object]]:
    ours = _d.tracker.startswith(TRACKER_PREFIX)  # others may send through the same number: theirs match nothing here
    return sa.select(_d.wamid).where(_d.outbound_id.is_(None), ours, _d.received_at < now - _AN_HOUR)


async def _unexplained(database: Database, now: datetime) -> list[str]:
    async with database.read() as connection:
        return await unexplained(connection, now - _LOOKED_BACK, now, MOST_COUNTED)


async def _audit_chain(database: Database, now: datetime) -> list[str]:
    del now
    verdict = await verify(database)
    return [] if verdict.is_whole else [str(verdict.broken_at or verdict.reason)]


INVARIANTS = (
    Invariant(
        "webhook_left_lying",
        "An acknowledged webhook is taken up within a minute.",
        _rows(_webhooks_left_lying),
    ),
    Invariant(
        "message_left_lying",
        "A message waits for its turn only while another turn of its conversation is being answered.",
        _rows(_messages_left_lying),
    ),
    Invariant("message_unexplained", "Every message of the last day has a fate, or waits for one.", _unexplained),
    Invariant("message_doubled", "A message of WhatsApp's is stored once.", _rows(_doubled_messages)),
    Invariant("reply_doubled", "A turn has one answer.", _rows(_doubled_parts)),
    Invariant("turn_late", "A turn is taken up within 15 minutes of its time.", _rows(_late_turns)),
    Invariant("answer_missing", "An answered turn has an answer that is on its way.", _rows(_answers_missing)),
    Invariant("send_overdue", "A send ends, or is parked, within a minute of its lease.", _rows(_sends_overdue)),
    Invariant("send_unconfirmed", "What WhatsApp did not confirm is decided within an hour.", _rows(_unconfirmed)),
    Invariant("sent_without_id", "What was sent has the id that WhatsApp gave it.", _rows(_sent_without_id)),
    Invariant("status_orphaned", "A status of a message of ours finds it within an hour.", _rows(_orphans)),
    Invariant("audit_chain_broken", "The audit trail is as it was written.", _audit_chain, every=_AN_HOUR),
)
