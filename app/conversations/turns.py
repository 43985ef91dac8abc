"""The words of a turn, and the one decision about arriving messages, as pure functions."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

import msgspec

Control = Literal["bot", "person", "nobody"]


class State(StrEnum):
    """`collecting > thinking > ready > sending > done`, or one of the other ends."""

    COLLECTING = "collecting"
    THINKING = "thinking"
    READY = "ready"
    SENDING = "sending"
    DONE = "done"
    HANDED_OFF = "handed_off"
    IGNORED = "ignored"
    FAILED = "failed"
    SUPERSEDED = "superseded"


class Reason(StrEnum):
    """Why a turn ended without an answer, or why its answer did not leave. A closed list: the panel translates it."""

    PAUSED = "paused"
    POLICY_NOBODY = "policy_nobody"
    NOT_APPROVED = "not_approved"
    OUTSIDE_HOURS = "outside_hours"
    HELD_BY_PERSON = "held_by_person"
    WAITING_FOR_PERSON = "waiting_for_person"
    PERSON_ANSWERED = "person_answered"
    NOTHING_TO_ANSWER = "nothing_to_answer"
    NEWER_MESSAGE = "newer_message"
    MODELS_UNAVAILABLE = "models_unavailable"
    MODEL_REFUSED = "model_refused"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    WINDOW_CLOSED = "window_closed"
    WAITED_TOO_LONG = "waited_too_long"
    SEND_FAILED = "send_failed"
    CANCELLED = "cancelled"


class Pace(msgspec.Struct, frozen=True):
    """How long a burst may last: `quiet_seconds` after its last message, `max_wait_seconds` after its first."""

    quiet_seconds: float
    max_wait_seconds: float
    max_restarts: int = 2  # after that an answer is finished first, so that a fast typist gets one at all


class OpenTurn(msgspec.Struct, frozen=True):
    """The turn of a conversation that has not started to be sent, if there is one."""

    id: UUID
    state: State
    latest_at: datetime
    restarts: int


class Join(msgspec.Struct, frozen=True):
    """The messages join a turn that still collects; it is due at `due_at`."""

    turn_id: UUID
    due_at: datetime


class Replace(msgspec.Struct, frozen=True):
    """A new turn takes over the old one's messages and the new ones; the old answer never leaves."""

    turn_id: UUID
    due_at: datetime
    latest_at: datetime
    restarts: int


class Begin(msgspec.Struct, frozen=True):
    """A new turn, the only one open."""

    due_at: datetime
    latest_at: datetime


class Wait(msgspec.Struct, frozen=True):
    """The messages wait: the turn that thinks has been restarted often enough, and opens the next when it ends."""


def place(open_turn: OpenTurn | None, now: datetime, pace: Pace) -> Join | Replace | Begin | Wait:
    """Decide where a message that arrives at `now` goes. Pure: every rule about bursts is here."""
    quiet_until = now + timedelta(seconds=pace.quiet_seconds)
    spent = open_turn is not None and open_turn.restarts >= pace.max_restarts
    if open_turn is None or (open_turn.state is State.READY and spent):
        return Begin(due_at=quiet_until, latest_at=now + timedelta(seconds=pace.max_wait_seconds))
    due_at = min(quiet_until, max(now, open_turn.latest_at))
    if open_turn.state is State.COLLECTING:
        return Join(open_turn.id, due_at)
    if spent:
        return Wait()
    return Replace(open_turn.id, due_at, open_turn.latest_at, open_turn.restarts + 1)
