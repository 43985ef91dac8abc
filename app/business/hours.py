"""Whether a business is open, and when it opens next: pure functions of its hours and an instant."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

from app.business.schemas import Hours, Interval

__all__ = ["is_open", "next_opening"]

# Long enough for a business that opens for a season only.
_HORIZON_DAYS = 370


def is_open(hours: Hours | None, at: datetime) -> bool:
    """Tell whether the business is open at the instant `at` (aware). Without hours it always is.

    The instant of opening is open, the instant of closing is closed.
    """
    if hours is None:
        return True
    today = at.astimezone(hours.zone).date()
    # Yesterday's last interval may reach into today.
    return any(opens <= at < closes for opens, closes in _spans(hours, today - timedelta(days=1), days=2))


def next_opening(hours: Hours | None, at: datetime) -> datetime | None:
    """Return the first instant from `at` (aware) on at which the business is open, in UTC; `at` itself when it is.

    None when it does not open within a year.
    """
    if is_open(hours, at):
        return at.astimezone(UTC)
    if hours is None:
        return None
    today = at.astimezone(hours.zone).date()
    later = (opens for opens, _ in _spans(hours, today, days=_HORIZON_DAYS) if opens > at)
    return next(later, None)


def _spans(hours: Hours, first: date, *, days: int) -> Iterator[tuple[datetime, datetime]]:
    """Give opening and closing instants (UTC) of the intervals that begin on `days` days from `first` on, in order."""
    dated = {exception.on: exception.intervals for exception in hours.exceptions}
    for offset in range(days):
        day = first + timedelta(days=offset)
        intervals: Sequence[Interval] = dated.get(day, hours.weekly.days[day.weekday()])
        # Sorted as instants, because a change of the clock may put a later local time first.
        yield from sorted(_span(hours, day, interval) for interval in intervals)


def _span(hours: Hours, day: date, interval: Interval) -> tuple[datetime, datetime]:
    closes = max(_instant(hours, day, interval.closes_minute, fold=fold) for fold in (0, 1))
    return _instant(hours, day, interval.opens_minute), closes


def _instant(hours: Hours, day: date, minute: int, *, fold: int = 0) -> datetime:
    """Return the instant that the local clock shows `minute` minutes after the midnight of `day`.

    When clocks go back, a local time comes twice and `fold` says which is meant: opening takes the first, closing the
    last. When they go forward, a local time that is left out counts with the offset before the change (PEP 495).
    """
    days, minutes = divmod(minute, 24 * 60)
    local = datetime.combine(day + timedelta(days=days), time(*divmod(minutes, 60), fold=fold), tzinfo=hours.zone)
    return local.astimezone(UTC)
