"""What is tried, and what came of it."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from app.core.schema import Input, Output

MOST_ROUTES = 4


class Question(Input, frozen=True, kw_only=True):
    """A customer's question for one to four routes. With a conversation, its last messages come before it."""

    question: Annotated[str, Meta(pattern=r"\S", max_length=4000)]
    route_ids: Annotated[list[str], Meta(min_length=1, max_length=MOST_ROUTES)]
    conversation_id: UUID | None = None


class TriedAnswer(Output, frozen=True, kw_only=True):
    """What one route said, or why it said nothing.

    Milliseconds, tokens and cost are those of all its calls; a cost of null is unknown, which is not nothing.
    """

    route_id: str
    provider: str
    model: str
    text: str | None
    milliseconds: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal | None
    error_kind: str | None
    error_message: str


class TriedAnswers(Output, frozen=True, kw_only=True):
    """One answer for each route, in the order in which they were asked for."""

    answers: list[TriedAnswer]


class Instructions(Output, frozen=True, kw_only=True):
    """The text that every model gets before a conversation; `estimated_tokens` is about what it costs each time."""

    text: str
    estimated_tokens: int
