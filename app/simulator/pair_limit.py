"""Meta's limit for messages to the same customer: 45 at once, then one every 6 seconds (`reference/whatsapp.md` A2)."""

from collections.abc import Callable
from datetime import datetime

from app.simulator.graph_errors import GraphError

__all__ = ["PairLimit"]

CAPACITY = 45
SECONDS_EACH = 6.0


class PairLimit:
    """One bucket for each number and customer, by the simulator's clock."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._buckets: dict[tuple[str, str], tuple[float, datetime]] = {}

    def spend(self, channel: str, customer: str) -> None:
        """Take one message from the bucket (raises GraphError 131056 when it is empty)."""
        now = self._now()
        left, since = self._buckets.get((channel, customer), (float(CAPACITY), now))
        left = min(CAPACITY, left + (now - since).total_seconds() / SECONDS_EACH)
        if left < 1:
            raise GraphError(131056)
        self._buckets[channel, customer] = (left - 1, now)

    def clear(self) -> None:
        self._buckets.clear()
