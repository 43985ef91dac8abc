"""What dispatchers do, as metrics."""

from app.core.dispatch import Outcome
from app.core.metrics import Metrics


class DispatchMetrics:
    """A `DispatchObserver` that counts."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def claimed(self, dispatcher: str, items: int, seconds: float) -> None:
        del seconds
        self._metrics.claims.labels(dispatcher).inc(items)

    def claim_failed(self, dispatcher: str) -> None:
        """Nothing was claimed; the log says why."""

    def finished(self, dispatcher: str, outcome: Outcome, items: int, seconds: float) -> None:
        del dispatcher, seconds
        if outcome == "lost":
            self._metrics.lease_expired.inc(items)
