"""The trace of a question to the models: one `Attempt` for each route that was asked or passed over."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from app.ai.llm.chat import ChatReply, Usage
from app.ai.llm.errors import ErrorKind, Failure
from app.ai.llm.prices import cost_usd
from app.ai.llm.provider import Route

__all__ = ["Answered", "Attempt", "ChainFailed", "SkipReason", "answered", "failed", "skipped"]

SkipReason = Literal[
    "disabled",
    "no_images",
    "context_too_small",
    "cool_down",
    "breaker_open",
    "minute_budget",
    "day_budget",
    "money_budget",
    "busy",
]


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """What happened with one route.

    `kind` and `message` are set when it failed, `skipped` when it was not asked at all (which costs nothing).
    `wait_seconds` says when a skipped route is expected to be free again, where that is known. Token counts mean what
    `Usage` says. `cost_usd` None is unknown, not nothing.
    """

    route_id: str
    provider: str
    model: str
    outcome: Literal["answered", "failed", "skipped"]
    kind: ErrorKind | None = None
    message: str = ""
    skipped: SkipReason | None = None
    wait_seconds: float | None = None
    http_status: int | None = None
    milliseconds: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: Decimal | None = None


class Answered(msgspec.Struct, frozen=True):
    """A usable reply, and everything that was tried for it, in order."""

    reply: ChatReply
    attempts: tuple[Attempt, ...]

    @property
    def answered_by(self) -> Attempt:
        """The attempt the reply is from. It need not be the last: the rest of a cut-off answer may have failed."""
        return next(attempt for attempt in reversed(self.attempts) if attempt.outcome == "answered")


class ChainFailed(Exception):  # named as the fact, like every error of ours
    """No route gave a usable reply; `attempts` holds every cause, in order.

    `was_refused`: the models would not answer this, so that asking again later does not help and a person should.
    """

    def __init__(self, attempts: Sequence[Attempt]) -> None:
        self.attempts = tuple(attempts)
        causes = (f"{each.provider} {each.model}: {each.kind or each.skipped} {each.message}" for each in attempts)
        super().__init__("; ".join(causes) or "there was no route to ask, or no time")

    @property
    def was_refused(self) -> bool:
        return any(attempt.kind == "refusal" for attempt in self.attempts)


def answered(route: Route, milliseconds: int, usage: Usage) -> Attempt:
    return Attempt(
        route_id=route.id,
        provider=route.provider.name,
        model=route.model,
        outcome="answered",
        http_status=None if route.provider.answer else 200,
        milliseconds=milliseconds,
        input_tokens=usage.input_tokens,
        cached_input_tokens=usage.cached_input_tokens,
        output_tokens=usage.output_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        cost_usd=cost_usd(route.provider.name, route.model, usage),
    )


def failed(route: Route, failure: Failure, milliseconds: int, usage: Usage | None = None) -> Attempt:
    """Describe a failure; `usage` is what the provider charged for an answer we cannot use."""
    used = usage or Usage()
    return Attempt(
        route_id=route.id,
        provider=route.provider.name,
        model=route.model,
        outcome="failed",
        kind=failure.kind,
        message=failure.message,
        http_status=failure.status,
        milliseconds=milliseconds,
        input_tokens=used.input_tokens,
        cached_input_tokens=used.cached_input_tokens,
        output_tokens=used.output_tokens,
        reasoning_tokens=used.reasoning_tokens,
        cost_usd=cost_usd(route.provider.name, route.model, used) if usage is not None else None,
    )


def skipped(route: Route, reason: SkipReason, wait_seconds: float | None = None) -> Attempt:
    return Attempt(
        route_id=route.id,
        provider=route.provider.name,
        model=route.model,
        outcome="skipped",
        skipped=reason,
        wait_seconds=wait_seconds,
    )
