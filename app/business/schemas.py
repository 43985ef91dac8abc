"""The business profile: what the assistant may say about the business, to whom and when."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta

from app.core.schema import Input, Output

Language = Literal["es", "en", "pt-BR"]
AnswerPolicy = Literal["everyone", "approved", "nobody"]

# The limit on the length also keeps out a line break that `$` would let pass.
OpeningTime = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5, examples=["09:00"])]
ClosingTime = Annotated[str, Meta(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$", max_length=5, examples=["18:00"])]

_MINUTES_OF_A_DAY = 24 * 60


class Interval(Input, frozen=True, kw_only=True):
    """Open from `opens` until `closes`, local times as HH:MM. One that closes earlier than it opens ends the next day.

    The whole day is 00:00 to 24:00.
    """

    opens: OpeningTime
    closes: ClosingTime

    def __post_init__(self) -> None:
        if self.opens == self.closes:
            raise ValueError("it opens and closes at the same time; the whole day is 00:00 to 24:00")

    @property
    def opens_minute(self) -> int:
        """Minutes since midnight."""
        return _minutes(self.opens)

    @property
    def closes_minute(self) -> int:
        """Minutes since the midnight at which the day of `opens` began: more than 1,440 when it ends the next day."""
        closes = _minutes(self.closes)
        return closes if closes > self.opens_minute else closes + _MINUTES_OF_A_DAY


Intervals = Annotated[list[Interval], Meta(max_length=6)]


class WeeklyHours(Input, frozen=True, kw_only=True):
    """The usual week. A day without intervals is closed."""

    monday: Intervals
    tuesday: Intervals
    wednesday: Intervals
    thursday: Intervals
    friday: Intervals
    saturday: Intervals
    sunday: Intervals

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            _refuse_overlap(getattr(self, name), name)

    @property
    def days(self) -> tuple[Sequence[Interval], ...]:
        """The intervals of each day, Monday first, as `date.weekday()` counts."""
        return (self.monday, self.tuesday, self.wednesday, self.thursday, self.friday, self.saturday, self.sunday)


class DatedHours(Input, frozen=True, kw_only=True):
    """Other hours on one date, such as a holiday. Without intervals it is closed all day."""

    on: date
    name: Annotated[str, Meta(max_length=100)]
    intervals: Intervals

    def __post_init__(self) -> None:
        _refuse_overlap(self.intervals, self.on.isoformat())


class Hours(Input, frozen=True, kw_only=True):
    """When the business is open. `time_zone` is a name of the IANA database, such as America/Bogota."""

    time_zone: Annotated[str, Meta(max_length=60, examples=["America/Bogota"])]
    weekly: WeeklyHours
    exceptions: Annotated[list[DatedHours], Meta(max_length=366)]

    def __post_init__(self) -> None:
        if not _is_time_zone(self.time_zone):
            raise ValueError("time_zone is not a name of the IANA database; write one such as America/Bogota")
        if len({exception.on for exception in self.exceptions}) < len(self.exceptions):
            raise ValueError("exceptions holds the same date twice")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class Fact(Input, frozen=True, kw_only=True):
    """Something customers ask about: a question or a heading, and the answer in the words of the business."""

    heading: Annotated[str, Meta(pattern=r"\S", max_length=200)]
    text: Annotated[str, Meta(pattern=r"\S", max_length=2000)]


class BusinessProfile(Input, frozen=True, kw_only=True):
    """Who the assistant speaks for, and the rules it keeps.

    `hours` is null for a business without fixed hours: it counts as open. Outside hours, customers get
    `outside_hours_message` instead of an answer; while that is empty, they are answered at every hour. `disclosure` is
    what the assistant says when asked whether it is a person. `paused` stops every automatic answer.
    """

    name: Annotated[str, Meta(pattern=r"\S", max_length=100)]
    description: Annotated[str, Meta(max_length=2000)]
    language: Language
    tone: Annotated[str, Meta(max_length=300)]
    greeting: Annotated[str, Meta(max_length=1000)]
    disclosure: Annotated[str, Meta(pattern=r"\S", max_length=500)]
    hours: Hours | None
    outside_hours_message: Annotated[str, Meta(max_length=1000)]
    facts: Annotated[list[Fact], Meta(max_length=200)]
    answer_policy: AnswerPolicy
    paused: bool


class StoredProfile(Output, frozen=True, kw_only=True):
    """The profile as stored. Version 0 is the example profile of a new installation, which nobody has stored yet.

    `updated_by` is the user who stored it; null for a program.
    """

    profile: BusinessProfile
    version: int
    updated_at: datetime | None
    updated_by: UUID | None


class ProfileReplacement(Input, frozen=True, kw_only=True):
    """The whole new profile, and the version it was made from: if that is no longer the newest, nothing is stored."""

    version: Annotated[int, Meta(ge=0, le=2**31 - 2)]
    profile: BusinessProfile


def _minutes(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)


def _refuse_overlap(intervals: Sequence[Interval], day: str) -> None:
    end = 0
    for interval in sorted(intervals, key=lambda interval: interval.opens_minute):
        if interval.opens_minute < end:
            raise ValueError(f"two intervals of {day} overlap")
        end = interval.closes_minute


def _is_time_zone(name: str) -> bool:
    # Files such as "localtime" stand beside the zones and mean whatever the machine they are on says.
    if name != "UTC" and "/" not in name:
        return False
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
