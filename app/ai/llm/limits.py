"""What providers say about their limits in headers, and when their days end."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

from app.ai.llm.errors import Limits

__all__ = ["limits_of_headers", "pacific_date", "retry_after_of_headers", "seconds_of", "seconds_to_pacific_midnight"]

_PACIFIC = ZoneInfo("America/Los_Angeles")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST_SECONDS = 7 * 86400.0


def seconds_of(duration: str) -> float | None:
    """Read `1.5s`, `6m0s`, `20ms`, `1h` or a bare number of seconds; None for anything else."""
    text = duration.strip()
    try:
        seconds = float(text)
    except ValueError:
        found = _DURATION.findall(text)
        if not found or "".join(number + unit for number, unit in found) != text:
            return None
        seconds = sum(float(number) * _UNIT_SECONDS[unit] for number, unit in found)
    return min(seconds, _LONGEST_SECONDS) if seconds >= 0 else None


def retry_after_of_headers(headers: Mapping[str, str]) -> float | None:
    """Read `retry-after-ms` (OpenAI, Azure) or `Retry-After` in seconds or as a date (RFC 9110 10.2.3)."""
    if (in_milliseconds := seconds_of(headers.get("retry-after-ms", ""))) is not None:
        return in_milliseconds / 1000
    value = headers.get("retry-after", "")
    if (seconds := seconds_of(value)) is not None:
        return seconds
    return _seconds_until(value)


def limits_of_headers(headers: Mapping[str, str]) -> Limits:
    """Learn from `anthropic-ratelimit-requests-*` and `x-ratelimit-*-requests`, on success as on failure.

    The second family does not say whether it counts minutes or days (OpenAI: minutes, others: days), but a bucket that
    refills evenly does: reset x limit / used is the time it takes to fill.
    """
    if "anthropic-ratelimit-requests-limit" in headers:
        limit = _whole(headers["anthropic-ratelimit-requests-limit"])
        pause = None
        if headers.get("anthropic-ratelimit-requests-remaining") == "0":
            pause = _seconds_until(headers.get("anthropic-ratelimit-requests-reset", ""))
        return Limits(requests_per_minute=limit, pause_seconds=pause)
    if "x-ratelimit-limit-requests" in headers:
        return _limits_of_bucket(
            _whole(headers["x-ratelimit-limit-requests"]),
            _whole(headers.get("x-ratelimit-remaining-requests", "")),
            seconds_of(headers.get("x-ratelimit-reset-requests", "")),
        )
    return Limits()


def pacific_date(now: datetime) -> str:
    """Return the day that Google's daily limits count on, as `YYYY-MM-DD`."""
    return now.astimezone(_PACIFIC).date().isoformat()


def seconds_to_pacific_midnight(now: datetime) -> float:
    local = now.astimezone(_PACIFIC)
    midnight = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), _PACIFIC)
    return (midnight.astimezone(UTC) - now.astimezone(UTC)).total_seconds()


def _limits_of_bucket(limit: int | None, remaining: int | None, reset_seconds: float | None) -> Limits:
    if limit is None or remaining is None or reset_seconds is None:
        return Limits()
    pause = reset_seconds / limit if remaining == 0 else None
    used = limit - remaining
    period_seconds = reset_seconds * limit / used if used > 0 else 0
    if 40 <= period_seconds <= 90:  # noqa: PLR2004 - about a minute
        return Limits(requests_per_minute=limit, pause_seconds=pause)
    if 70_000 <= period_seconds <= 100_000:  # noqa: PLR2004 - about a day
        return Limits(requests_per_day=limit, pause_seconds=pause)
    return Limits(pause_seconds=pause)


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and 0 < len(text) <= 9 else None  # noqa: PLR2004


def _seconds_until(moment: str) -> float | None:
    """Seconds from now until a date in RFC 3339 or HTTP form; what has passed is 0."""
    try:
        at = datetime.fromisoformat(moment) if moment[:1].isdigit() else parsedate_to_datetime(moment)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(0.0, (at - datetime.now(UTC)).total_seconds()), _LONGEST_SECONDS)
