"""What the assistant decided about a turn, written in one unit of work with everything that follows from it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ai.llm.attempts import Attempt
from app.ai.llm.models import model_calls
from app.ai.llm.trace import trace_rows
from app.conversations.answering import ClaimedTurn, Ending, end, hold
from app.conversations.control import give_to
from app.conversations.models import conversations
from app.conversations.receive import plan_waiting
from app.conversations.turns import Pace, Reason, State
from app.core.db import InsertMany
from app.outbound.queue import Draft, Origin, enqueue
from app.whatsapp.content import Content


class Answer(msgspec.Struct, frozen=True, tag=True):
    """`parts` leave in order. `reason` is given when it is a set text, not an answer of the model's."""

    parts: tuple[Content, ...]
    reason: Reason | None = None


class Silence(msgspec.Struct, frozen=True, tag=True):
    """No answer, and why."""

    reason: Reason


class Again(msgspec.Struct, frozen=True, tag=True):
    """No model could answer: try again after `seconds`, and say `text` unless it was said in this outage."""

    seconds: float
    text: Content


class HandOver(msgspec.Struct, frozen=True, tag=True):
    """A person shall answer; the customer is told so by `text`."""

    reason: Reason
    text: Content


class GiveUp(msgspec.Struct, frozen=True, tag=True):
    """The turn is a dead letter: a person shall look at it."""

    reason: Reason


Decision = Answer | Silence | Again | HandOver | GiveUp


class Conclusion(msgspec.Struct, frozen=True):
    """A decision about a claimed turn, and every attempt to reach a model that was made for it."""

    turn: ClaimedTurn
    decision: Decision
    attempts: tuple[Attempt, ...] = ()


async def conclude(
    connection: AsyncConnection, conclusions: Sequence[Conclusion], *, now: datetime, pace: Pace
) -> list[bool]:
    """Write `conclusions`; say for each whether its turn was still held. The calls' traces are kept in any case.

    An answer that was made before a person took the conversation is not queued.
    """
    held = await hold(connection, [(one.turn.conversation_id, one.turn.id, one.turn.token) for one in conclusions])
    await _trace(connection, conclusions)
    writes = _Writes(now)
    for one in conclusions:
        mine = held.get((one.turn.id, one.turn.token))
        if mine is not None:
            writes.take(one, still_ours=(mine.control, mine.control_version) == ("bot", one.turn.control_version))
    await writes.apply(connection, pace)
    return [(one.turn.id, one.turn.token) in held for one in conclusions]


class _Writes:
    """Everything that a set of decisions changes, gathered by kind."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._drafts: list[Draft] = []
        self._endings: list[Ending] = []
        self._looks: list[dict[str, Any]] = []
        self._handed_over: list[tuple[ClaimedTurn, HandOver]] = []

    def take(self, one: Conclusion, *, still_ours: bool) -> None:
        turn = one.turn
        match one.decision:
            case Answer() | Again() | HandOver() if not still_ours:
                self._end(turn, State.IGNORED, Reason.HELD_BY_PERSON)
            case Answer(parts=parts, reason=reason):
                self._drafts += [
                    _draft(turn, content, "reply", turn_id=turn.id, part=part) for part, content in enumerate(parts)
                ]
                self._end(turn, State.READY, reason)
                if turn.fallback_at is not None:
                    self._look(turn, attention=None, fallback_at=None)
            case Silence(reason=reason):
                self._end(turn, State.IGNORED, reason)
            case Again(seconds=seconds, text=text):
                self._end(turn, State.COLLECTING, Reason.MODELS_UNAVAILABLE, after_seconds=seconds)
                if turn.fallback_at is None:
                    self._drafts.append(_draft(turn, text, "fallback"))
                    self._look(turn, attention=Reason.MODELS_UNAVAILABLE, fallback_at=self._now)
            case HandOver(reason=reason):
                self._end(turn, State.HANDED_OFF, reason)
                self._handed_over.append((turn, one.decision))
            case GiveUp(reason=reason):
                self._end(turn, State.FAILED, reason)
                self._look(turn, attention=reason, fallback_at=turn.fallback_at)

    async def apply(self, connection: AsyncConnection, pace: Pace) -> None:
        for turn, decision in self._handed_over:
            version = await give_to(
                connection,
                turn.conversation_id,
                "nobody",
                attention=decision.reason,
                correlation_id=turn.event_id,
            )
            self._drafts.append(_draft(turn, decision.text, "fallback", control_version=version))
        await enqueue(connection, self._drafts, now=self._now)
        await end(connection, self._endings, now=self._now)
        if self._looks:
            await connection.execute(
                sa.update(conversations)
                .where(conversations.c.id == sa.bindparam("conversation"))
                .values(attention=sa.bindparam("why"), fallback_at=sa.bindparam("said_at")),
                self._looks,
            )
        await plan_waiting(connection, [one.conversation_id for one in self._endings], now=self._now, pace=pace)

    def _end(self, turn: ClaimedTurn, state: State, reason: Reason | None, *, after_seconds: float = 0) -> None:
        again_at = self._now + timedelta(seconds=after_seconds)
        self._endings.append(Ending(turn.id, turn.conversation_id, state, reason, turn.event_id, again_at))

    def _look(self, turn: ClaimedTurn, *, attention: Reason | None, fallback_at: datetime | None) -> None:
        self._looks.append({"conversation": turn.conversation_id, "why": attention, "said_at": fallback_at})


def _draft(
    turn: ClaimedTurn,
    content: Content,
    origin: Origin,
    *,
    turn_id: UUID | None = None,
    part: int = 0,
    control_version: int | None = None,
) -> Draft:
    return Draft(
        conversation_id=turn.conversation_id,
        channel_id=turn.channel_id,
        contact_id=turn.contact_id,
        origin=origin,
        content=content,
        turn_id=turn_id,
        part=part,
        control_version=control_version or turn.control_version,
        correlation_id=turn.event_id,
    )


_TRACE = InsertMany(model_calls)


async def _trace(connection: AsyncConnection, conclusions: Sequence[Conclusion]) -> None:
    rows = [row for one in conclusions for row in trace_rows(one.attempts, turn_id=one.turn.id, token=one.turn.token)]
    await _TRACE.run(connection, rows)
