"""What the API returns about turns: what was decided, when, and why."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from app.conversations.turns import Reason, State
from app.core.schema import Output


class ModelCall(Output, frozen=True, kw_only=True):
    """One attempt to reach a model. Attempts of the same `claim` belong to one try of the turn, by `position`.

    `kind` is the class of a failure, or why the model was passed over; `detail` the provider's words about a failure.
    `cost_usd` is a decimal in text; null when it is not known, which is not the same as nothing.
    """

    claim: int
    position: int
    provider: str
    model: str | None
    outcome: Literal["answered", "failed", "skipped"]
    kind: str | None
    detail: str | None
    http_status: int | None
    milliseconds: int
    tokens_in: int | None
    tokens_cached: int | None
    tokens_out: int | None
    tokens_reasoning: int | None
    cost_usd: str | None
    at: datetime


class Turn(Output, frozen=True, kw_only=True):
    """A burst of messages, the one answer to it, and why it is as it is.

    `reason` says why there was no answer, or why it did not leave. `restarts` counts the answers that were thrown away
    for newer messages, `failures` how often no model could answer. The messages of a superseded turn went to
    `superseded_by`. `outbound_ids` are those of its answer's parts.
    """

    id: UUID
    conversation_id: UUID
    state: State
    reason: Reason | None
    opened_at: datetime
    due_at: datetime
    claimed_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    restarts: int
    failures: int
    superseded_by: UUID | None
    inbound_ids: list[UUID]
    outbound_ids: list[UUID]
    model_calls: list[ModelCall]
