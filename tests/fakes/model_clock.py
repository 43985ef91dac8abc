"""A clock whose hands only tests turn; sleeping turns them too."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    def __init__(self, now: datetime = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []
        self._start = now - timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.seconds)

    def advance(self, seconds: float) -> None:
        self.seconds += seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
