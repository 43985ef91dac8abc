"""The customer-service window: free-form messages are allowed for 24 hours after the person last wrote.

Source: Meta, "Customer service windows". Outside it only templates are accepted (error 131047).
"""

from datetime import datetime, timedelta

__all__ = ["WINDOW", "has_window", "is_window_open", "window_closes_at"]

WINDOW = timedelta(hours=24)
_WITHOUT_WINDOW = frozenset({"web"})


def has_window(channel_kind: str) -> bool:
    """Say whether WhatsApp closes the window on channels of this kind: a linked phone may write at any time."""
    return channel_kind not in _WITHOUT_WINDOW


def window_closes_at(last_inbound_at: datetime | None) -> datetime | None:
    """Return the moment from which free-form messages are refused; `None` if the person never wrote."""
    return None if last_inbound_at is None else last_inbound_at + WINDOW


def is_window_open(last_inbound_at: datetime | None, now: datetime, *, margin: timedelta = timedelta(0)) -> bool:
    """Say whether a free-form message may leave at `now` (aware, like `last_inbound_at`).

    `margin` closes the window earlier, by the time that a message may still wait before it is sent.
    """
    closes_at = window_closes_at(last_inbound_at)
    return closes_at is not None and now + margin < closes_at
