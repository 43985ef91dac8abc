"""Builders of hours and profiles: what a test does not name is of no interest to it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from app.business.example_profile import example_profile
from app.business.schemas import BusinessProfile, DatedHours, Hours, Interval, WeeklyHours

Spans = Mapping[str, list[str]]

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def intervals(*spans: str) -> list[Interval]:
    """Return intervals written as `09:00-18:00`."""
    return [Interval(opens=opens, closes=closes) for opens, closes in (span.split("-") for span in spans)]


def hours(zone: str = "America/Bogota", *, exceptions: Spans | None = None, **week: list[str]) -> Hours:
    """Return hours with the named days open, such as `monday=["09:00-18:00"]`, and exceptions by their date."""
    return weekly_hours(zone, week, exceptions or {})


def weekly_hours(zone: str, week: Spans, exceptions: Spans) -> Hours:
    return Hours(
        time_zone=zone,
        weekly=WeeklyHours(**{day: intervals(*week.get(day, [])) for day in DAYS}),
        exceptions=[
            DatedHours(on=date.fromisoformat(on), name="", intervals=intervals(*spans))
            for on, spans in exceptions.items()
        ],
    )


def every_day(span: str, zone: str = "America/Bogota") -> Hours:
    return weekly_hours(zone, {day: [span] for day in DAYS}, {})


def profile(**changes: Any) -> BusinessProfile:
    return msgspec.structs.replace(example_profile(), **changes)
