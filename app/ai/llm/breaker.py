"""A circuit breaker for one route: a provider that is ill is left alone, then tried with a single call."""

from collections import deque
from collections.abc import Callable
from typing import Literal

__all__ = ["Breaker", "BreakerState"]

BreakerState = Literal["closed", "open", "half_open"]

_WINDOW_SECONDS = 60.0
_FAILURES = 4
_CALLS = 10
_SHARE = 0.5
_FIRST_OPEN_SECONDS = 10.0
_LONGEST_OPEN_SECONDS = 300.0
_JITTER = 0.2


class Breaker:
    """Opens on 4 failures in a row within 60 s, or when half of at least 10 calls in 60 s failed.

    In a row, because at a hundred calls a second four scattered failures in a minute are health, not illness. It stays
    open for 10 s, doubling to 300 s.

    After that one probe is let through: its success closes the breaker, its failure opens it for longer. What counts
    as a failure is the caller's business. `monotonic` is in seconds; `jitter` returns a number from 0 to 1.
    """

    def __init__(self, monotonic: Callable[[], float], jitter: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._jitter = jitter
        self._calls: deque[tuple[float, bool]] = deque(maxlen=1000)
        self._failures = 0
        self._row: deque[float] = deque(maxlen=_FAILURES)
        self._open_until: float | None = None
        self._open_seconds = _FIRST_OPEN_SECONDS
        self._is_probing = False

    @property
    def state(self) -> BreakerState:
        if self._open_until is None:
            return "closed"
        return "open" if self._monotonic() < self._open_until else "half_open"

    def wait_seconds(self) -> float:
        """Return 0 when a call may go now; otherwise how long to leave the route alone."""
        if self._open_until is None:
            return 0.0
        left = self._open_until - self._monotonic()
        if left > 0:
            return left
        return 1.0 if self._is_probing else 0.0

    def starts(self) -> bool:
        """Note that a call goes out; True if it is the probe of the half-open state."""
        if self._open_until is None or self._is_probing:
            return False
        self._is_probing = True
        return True

    def abandoned(self) -> None:
        """Note that the probe ended without saying anything."""
        self._is_probing = False

    def succeeded(self) -> None:
        """Note an answer that a healthy provider gives; a late one from before it opened changes nothing."""
        if self._open_until is not None:
            if not self._is_probing:
                return
            self.close()
        self._row.clear()
        self._note(ok=True)

    def failed(self) -> float | None:
        """Note a failure; returns for how many seconds the breaker opened, None if it did not."""
        self._row.append(self._monotonic())
        self._note(ok=False)
        if self._open_until is not None:
            if not self._is_probing:
                return None  # a straggler from before it opened
            self._open_seconds = min(self._open_seconds * 2, _LONGEST_OPEN_SECONDS)
            return self._open()
        in_a_row = len(self._row) == _FAILURES and self._row[-1] - self._row[0] <= _WINDOW_SECONDS
        half = len(self._calls) >= _CALLS and self._failures >= _SHARE * len(self._calls)
        return self._open() if in_a_row or half else None

    def _note(self, *, ok: bool) -> None:
        now = self._monotonic()
        if len(self._calls) == self._calls.maxlen and not self._calls[0][1]:
            self._failures -= 1
        self._calls.append((now, ok))
        self._failures += not ok
        while self._calls and self._calls[0][0] <= now - _WINDOW_SECONDS:
            self._failures -= not self._calls.popleft()[1]

    def _open(self) -> float:
        self._is_probing = False
        seconds = self._open_seconds * (1 + _JITTER * self._jitter())
        self._open_until = self._monotonic() + seconds
        return seconds

    def close(self) -> None:
        """Forget everything: the provider is known to be well."""
        self._open_until = None
        self._open_seconds = _FIRST_OPEN_SECONDS
        self._is_probing = False
        self._calls.clear()
        self._row.clear()
        self._failures = 0
