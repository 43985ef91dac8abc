"""The simulator's time, which a test may move forward: window, media addresses and time stamps follow it."""

from datetime import UTC, datetime, timedelta

__all__ = ["SimulatorClock"]


class SimulatorClock:
    """Real time plus what was travelled. It never goes back, as a customer's phone never does."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def advance(self, by: timedelta) -> datetime:
        """Travel forward and return the new time."""
        self._ahead += max(by, timedelta())
        return self.now()
