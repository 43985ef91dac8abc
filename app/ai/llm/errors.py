"""What can go wrong with a model, sorted into kinds that the router knows what to do with (reference/llm.md 4)."""

from typing import Literal

import msgspec

from app.core.http_client import HttpError

__all__ = ["COUNTS_FOR_BREAKER", "CallFailed", "ErrorKind", "Failure", "Limits", "failure_of_http_error"]

ErrorKind = Literal[
    "rate",  # too many requests or tokens for now
    "quota",  # the day's allowance or the money is used up
    "overload",  # the provider has no capacity
    "server",  # the provider broke
    "network",  # no connection, or it was lost
    "timeout",  # no complete answer in time
    "malformed",  # an answer that is no answer: broken JSON, nothing in it
    "auth",  # key refused
    "not_found",  # no such model or address
    "context",  # the conversation is too long for the model
    "param",  # a parameter that this model does not take
    "refusal",  # the model or its filter will not answer
    "bad_request",  # anything else that is our fault
    "cancelled",  # nobody waited for the answer any more; it may have been made, and paid for
]

# Kinds that say the provider is ill. A full bucket or a wrong key says nothing of the sort.
COUNTS_FOR_BREAKER: frozenset[ErrorKind] = frozenset({"overload", "server", "network", "timeout", "malformed"})


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider said about its limits: requests a minute, requests a day, and seconds until there is room."""

    requests_per_minute: int | None = None
    requests_per_day: int | None = None
    pause_seconds: float | None = None


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why one call gave no usable answer.

    `message` is the provider's own words, cut to 300 characters. `parameter` names the request field at fault (kind
    `param`). `resets_at_midnight` marks a daily allowance that Google counts until midnight Pacific time.
    """

    kind: ErrorKind
    message: str
    status: int | None = None
    retry_after_seconds: float | None = None
    parameter: str | None = None
    resets_at_midnight: bool = False
    limits: Limits = Limits()


class CallFailed(Exception):  # named as the fact, like every error of ours
    """A provider's answer held an error, or could not be read."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.kind}: {failure.message}")
        self.failure = failure


_HTTP_REASONS: dict[str, ErrorKind] = {
    "timeout": "timeout",
    "connect_timeout": "timeout",
    "not_http": "malformed",
    "truncated": "malformed",
    "too_large": "malformed",
    "bad_url": "not_found",
    "blocked": "not_found",
}


def failure_of_http_error(error: HttpError) -> Failure:
    return Failure(kind=_HTTP_REASONS.get(error.reason, "network"), message=str(error)[:300])
