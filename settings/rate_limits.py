"""How often people and programs may call: counted over a sliding window, for each account or else each address."""

from dataclasses import dataclass
from typing import Final

from settings.env import Reader

__all__ = ["RateLimitSettings", "read"]

_MOST_REQUESTS: Final = 1_000_000
_LONGEST_WINDOW_SECONDS: Final = 86_400


@dataclass(frozen=True, kw_only=True, slots=True)
class RateLimitSettings:
    """How many requests within how many seconds; the defaults leave room for a person who leafs through the panel.

    `redis_enabled` counts for all processes together where there is a Redis; without it each counts for itself.

    `auth_requests` are those of sign-in, `webhook_per_second` those of one webhook address in one process.
    """

    enabled: bool
    redis_enabled: bool
    api_requests: int
    window_seconds: int
    auth_requests: int
    auth_window_seconds: int
    system_requests: int
    system_window_seconds: int
    webhook_per_second: int


def read(reader: Reader) -> RateLimitSettings:
    return RateLimitSettings(
        enabled=reader.boolean("RATE_LIMIT_ENABLED", default=True),
        redis_enabled=reader.boolean("RATE_LIMIT_REDIS_ENABLED", default=True),
        api_requests=_requests(reader, "RATE_LIMIT_API_REQUESTS", 1_200),
        window_seconds=_window(reader, "RATE_LIMIT_WINDOW_SECONDS", 60),
        auth_requests=_requests(reader, "RATE_LIMIT_AUTH_REQUESTS", 10),
        auth_window_seconds=_window(reader, "RATE_LIMIT_AUTH_WINDOW_SECONDS", 300),
        system_requests=_requests(reader, "RATE_LIMIT_SYSTEM_REQUESTS", 240),
        system_window_seconds=_window(reader, "RATE_LIMIT_SYSTEM_WINDOW_SECONDS", 60),
        webhook_per_second=_requests(reader, "RATE_LIMIT_WEBHOOK_PER_SECOND", 5_000),
    )


def _requests(reader: Reader, key: str, default: int) -> int:
    return reader.whole_number(key, default, minimum=1, maximum=_MOST_REQUESTS)


def _window(reader: Reader, key: str, default: int) -> int:
    return reader.whole_number(key, default, minimum=1, maximum=_LONGEST_WINDOW_SECONDS)
