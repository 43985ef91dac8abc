"""Set the clock of this process ahead or back: everything in it that tells the time of day, CPython 3.11 and newer."""

import ctypes
import gc
import time
from datetime import UTC, datetime, tzinfo
from typing import Any
from uuid import UUID


def skew(seconds: float) -> None:
    """Do it before the product is imported. The monotonic clock stays as it is, as on a machine whose date is wrong."""
    time_of_day, nanoseconds, now = time.time, time.time_ns, datetime.now

    def skewed_now(_: type[datetime], tz: tzinfo | None = None) -> datetime:
        return datetime.fromtimestamp(time_of_day() + seconds, tz)

    time.time = lambda: time_of_day() + seconds
    time.time_ns = lambda: nanoseconds() + int(seconds * 1e9)
    # `datetime` is a type of C's: its members are changed where they lie.
    members: Any = gc.get_referents(datetime.__dict__)[0]
    members["now"] = classmethod(skewed_now)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime))
    assert abs((datetime.now(UTC) - now(UTC)).total_seconds() - seconds) < 1, "the clock was not set"
    _skew_ids(int(seconds * 1000))


def _skew_ids(milliseconds: int) -> None:
    """UUIDv7 are made in Rust, which asks the kernel: their first 48 bits are the time."""
    import uuid_utils.compat

    made = uuid_utils.compat.uuid7

    def uuid7() -> UUID:
        return UUID(int=made().int + (milliseconds << 80))

    uuid_utils.compat.uuid7 = uuid7  # type: ignore[assignment]  # nobody here asks for its nanoseconds
