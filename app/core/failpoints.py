"""Places where a test may end, fail or cancel this process: `reach("intake.inserted")` does nothing unless armed.

Nothing in the product arms them, and there is no setting that does: only `tests/faults/armed.py` knows how.
"""

from collections.abc import Callable
from typing import Final

__all__ = ["POINTS", "armed", "reach"]

POINTS: Final = (
    "migration.applied",
    "intake.inserted",
    "intake.committed",
    "ingest.claimed",
    "ingest.taken",
    "ingest.finished",
    "answer.claimed",
    "answer.decided",
    "answer.concluded",
    "answer.committed",
    "deliver.flipped",
    "deliver.claimed",
    "deliver.sending",
    "deliver.sent",
    "deliver.recorded",
    "deliver.committed",
    "sweep.parked",
    "relay.told",
    "stop.begun",
)
"""Every point, in the order of a message's path; once for each unit of work, never for each row."""

armed: Final[dict[str, Callable[[], None]]] = {}
"""What happens where. Empty in production, so that reaching a point costs one look at an empty dictionary."""


def reach(point: str) -> None:
    if armed and (action := armed.get(point)) is not None:
        action()
