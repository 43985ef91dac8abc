"""What dispatchers do, as metrics."""

from prometheus_client import Counter

from app.core.dispatch import Outcome
from app.core.metrics import Metrics


class DispatchMetrics:
    """A `DispatchObserver` that counts."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._claims: dict[str, Counter] = {}

    def claimed(self, dispatcher: str, items: int, seconds: float) -> None:
        del seconds
        counter = self._claims.get(dispatcher)
        if counter is None:
            counter = self._claims[dispatcher] = self._metrics.claims.labels(dispatcher)
        counter.inc(items)

    def claim_failed(self, dispatcher: str) -> None:
        """Nothing was claimed; the log says why."""

    def finished(self, dispatcher: str, outcome: Outcome, items: int, seconds: float) -> None:
        del dispatcher, seconds
        if outcome == "lost":
            self._metrics.lease_expired.inc(items)
