"""What counts as suspicious, how long it may be silenced, how long it is kept, and how old a key becomes."""

from dataclasses import dataclass
from typing import Final

from settings.env import Reader

__all__ = ["WatchSettings", "read"]

_MOST: Final = 1_000_000
_LONGEST_WINDOW_MINUTES: Final = 1_440
_LONGEST_DAYS: Final = 3_650
_SHORTEST_RETENTION_DAYS: Final = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchSettings:
    """Thresholds are how often something must happen within `window_minutes` to raise an alert.

    `fernet_rotation_days` is the age at which a key kept in DATA_DIR gets a successor; 0 is never.
    """

    sign_in_failed: int
    locked_out: int
    refresh_reused: int
    live_refused: int
    bad_signature: int
    window_minutes: int
    cooldown_minutes: int
    most_silence_minutes: int
    retention_days: int
    fernet_rotation_days: int


def read(reader: Reader) -> WatchSettings:
    return WatchSettings(
        sign_in_failed=_threshold(reader, "SECURITY_THRESHOLD_LOGIN_FAILED", 5),
        locked_out=_threshold(reader, "SECURITY_THRESHOLD_LOGIN_LOCKOUT", 1),
        refresh_reused=_threshold(reader, "SECURITY_THRESHOLD_REFRESH_REUSED", 1),
        live_refused=_threshold(reader, "SECURITY_THRESHOLD_WS_UNAUTHORIZED", 8),
        bad_signature=_threshold(reader, "SECURITY_THRESHOLD_BAD_SIGNATURE", 20),
        window_minutes=_minutes(reader, "SECURITY_WINDOW_MINUTES", 5),
        cooldown_minutes=_minutes(reader, "SECURITY_ALERT_COOLDOWN_MINUTES", 30),
        most_silence_minutes=_minutes(reader, "SECURITY_MAX_SILENCE_MINUTES_ADMIN", 240),
        retention_days=reader.whole_number(
            "SECURITY_RETENTION_DAYS", 365, minimum=_SHORTEST_RETENTION_DAYS, maximum=_LONGEST_DAYS
        ),
        fernet_rotation_days=reader.whole_number("FERNET_KEY_ROTATION_DAYS", 90, minimum=0, maximum=_LONGEST_DAYS),
    )


def _threshold(reader: Reader, key: str, default: int) -> int:
    return reader.whole_number(key, default, minimum=1, maximum=_MOST)


def _minutes(reader: Reader, key: str, default: int) -> int:
    return reader.whole_number(key, default, minimum=1, maximum=_LONGEST_WINDOW_MINUTES)
