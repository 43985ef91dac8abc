"""Manners of a linked phone: how fast it writes, to whom, and when. Pure; it fails closed.

These are manners, not magic: nothing here makes an automated account safe (docs/whatsapp-web.md). By default whoever
wrote first is answered at a human pace, and nobody else is written to.
"""

from datetime import datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

__all__ = ["Facts", "Go", "GroupPolicy", "Later", "Never", "Ruling", "WebPolicy", "govern", "is_quiet"]

GroupPolicy = Literal["ignore", "read"]
_Clock = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]

_MINUTE = timedelta(minutes=1)
_SOON = timedelta(seconds=4)


class WebPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a linked phone behaves. Times of day are "HH:MM" in `timezone`; quiet hours need both, and may span midnight.

    `groups`: `ignore` takes nothing in, `read` shows groups in the inbox; they are never answered by themselves.
    `new_chats_per_day` people who never wrote to us may be written to; 0 is the cold lane closed. After
    `most_unanswered` messages without a word from the person, nothing more leaves until they write.
    `take_over_on_conflict`: when WhatsApp Web is opened elsewhere, take it back once.
    """

    groups: GroupPolicy = "ignore"
    least_gap_seconds: Annotated[float, Meta(ge=0, le=60)] = 1.5
    most_gap_seconds: Annotated[float, Meta(ge=0, le=120)] = 3.0
    milliseconds_per_character: Annotated[float, Meta(ge=0, le=500)] = 45.0
    most_typing_seconds: Annotated[float, Meta(ge=0, le=8)] = 6.0
    per_minute: Annotated[int, Meta(ge=1, le=60)] = 20
    new_chats_per_day: Annotated[int, Meta(ge=0, le=200)] = 0
    most_unanswered: Annotated[int, Meta(ge=1, le=50)] = 6
    quiet_from: _Clock | None = None
    quiet_until: _Clock | None = None
    timezone: str = "UTC"
    take_over_on_conflict: bool = False


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the governor must know. `free_at` is when the phone has finished what it already shall write.

    `oldest_of_minute` is the start of the oldest of the messages that began within the last minute.
    """

    free_at: datetime | None
    started_in_minute: int
    oldest_of_minute: datetime | None
    wrote_first: bool
    new_chats_today: int
    unanswered: int


class Go(msgspec.Struct, frozen=True):
    """It may leave at `starts_at`, after `typing_seconds` of typing; the phone is free again at `free_at`."""

    starts_at: datetime
    typing_seconds: float


class Later(msgspec.Struct, frozen=True):
    """Not yet: ask again after `seconds`. `reason` is a short code."""

    seconds: float
    reason: Literal["pace", "quiet_hours", "unanswered"]


class Never(msgspec.Struct, frozen=True):
    """It must not leave. `reason` is a short code."""

    reason: Literal["cold", "cold_today"]


Ruling = Go | Later | Never


def govern(policy: WebPolicy, facts: Facts, now: datetime, *, characters: int, chance: float) -> Ruling:
    """Decide about one message of `characters` letters; `chance` from 0 to 1 spreads the pauses."""
    if not facts.wrote_first and policy.new_chats_per_day == 0:
        return Never("cold")
    if not facts.wrote_first and facts.new_chats_today >= policy.new_chats_per_day:
        return Never("cold_today")
    quiet_seconds = is_quiet(policy, now)
    if quiet_seconds:
        return Later(quiet_seconds, "quiet_hours")
    if facts.unanswered >= policy.most_unanswered:
        return Later(3600, "unanswered")
    gap = policy.least_gap_seconds + chance * max(0.0, policy.most_gap_seconds - policy.least_gap_seconds)
    starts_at = now if facts.free_at is None else max(now, facts.free_at + timedelta(seconds=gap))
    if facts.started_in_minute >= policy.per_minute and facts.oldest_of_minute is not None:
        starts_at = max(starts_at, facts.oldest_of_minute + _MINUTE)
    if starts_at - now > _SOON:
        return Later((starts_at - now).total_seconds(), "pace")
    return Go(starts_at, min(policy.most_typing_seconds, characters * policy.milliseconds_per_character / 1000))


def is_quiet(policy: WebPolicy, now: datetime) -> float:
    """Return how many seconds of quiet hours are left; 0 outside them."""
    if policy.quiet_from is None or policy.quiet_until is None or policy.quiet_from == policy.quiet_until:
        return 0.0
    here = now.astimezone(ZoneInfo(policy.timezone))
    begins, ends = _minutes(policy.quiet_from), _minutes(policy.quiet_until)
    at = here.hour * 60 + here.minute
    is_within = begins <= at < ends if begins < ends else at >= begins or at < ends
    if not is_within:
        return 0.0
    return float((ends - at) % (24 * 60) * 60 - here.second)


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
