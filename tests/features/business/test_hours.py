"""Open or closed, and when next: in every time zone, across midnight and across changes of the clock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.business.hours import is_open, next_opening
from app.business.schemas import Hours
from tests.features.business.profiles import DAYS, every_day, hours, weekly_hours


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


OFFICE = hours(monday=["09:00-12:30", "14:00-18:00"], tuesday=["09:00-18:00"], exceptions={"2026-11-24": []})
BAR = hours(friday=["20:00-02:00"], saturday=["20:00-24:00"])


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-23T08:59:59-05:00", False),
        ("2026-11-23T09:00:00-05:00", True),
        ("2026-11-23T12:29:59-05:00", True),
        ("2026-11-23T12:30:00-05:00", False),
        ("2026-11-23T13:00:00-05:00", False),
        ("2026-11-23T17:59:00-05:00", True),
        ("2026-11-24T10:00:00-05:00", False),  # the exception
        ("2026-12-01T10:00:00-05:00", True),  # the same weekday without one
        ("2026-11-25T10:00:00-05:00", False),
        ("2026-11-23T14:30:00+00:00", True),  # the same instant, said in another zone
    ],
)
def test_a_business_is_open_within_its_intervals(at: str, expected: bool) -> None:
    assert is_open(OFFICE, datetime.fromisoformat(at)) is expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-27T19:59:00-05:00", False),
        ("2026-11-27T23:59:00-05:00", True),
        ("2026-11-28T01:59:00-05:00", True),
        ("2026-11-28T02:00:00-05:00", False),
        ("2026-11-28T23:59:59-05:00", True),
        ("2026-11-29T00:00:00-05:00", False),
    ],
)
def test_an_interval_may_end_after_midnight(at: str, expected: bool) -> None:
    assert is_open(BAR, datetime.fromisoformat(at)) is expected


def test_an_exception_replaces_the_hours_of_its_date_and_of_no_other() -> None:
    new_year = hours(thursday=["09:00-18:00"], exceptions={"2026-12-31": ["22:00-03:00"], "2027-01-01": []})

    assert not is_open(new_year, datetime.fromisoformat("2026-12-31T10:00:00-05:00"))
    assert is_open(new_year, datetime.fromisoformat("2027-01-01T02:59:00-05:00"))
    assert not is_open(new_year, datetime.fromisoformat("2027-01-01T03:00:00-05:00"))


def test_a_business_without_hours_is_always_open() -> None:
    at = _utc("2026-11-23T03:00:00-05:00")

    assert is_open(None, at)
    assert next_opening(None, at) == at


def test_a_whole_day_has_no_gap_at_midnight() -> None:
    always = every_day("00:00-24:00")

    assert is_open(always, datetime.fromisoformat("2026-11-24T00:00:00-05:00"))
    assert is_open(always, datetime.fromisoformat("2026-11-23T23:59:59.999999-05:00"))


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-11-23T07:00:00-05:00", "2026-11-23T09:00:00-05:00"),
        ("2026-11-23T10:00:00-05:00", "2026-11-23T10:00:00-05:00"),  # open now
        ("2026-11-23T13:00:00-05:00", "2026-11-23T14:00:00-05:00"),
        ("2026-11-23T18:00:00-05:00", "2026-11-30T09:00:00-05:00"),  # Tuesday is an exception
        ("2026-11-29T23:00:00-05:00", "2026-11-30T09:00:00-05:00"),
    ],
)
def test_the_next_opening_skips_closed_days(at: str, opens: str) -> None:
    assert next_opening(OFFICE, datetime.fromisoformat(at)) == _utc(opens)


def test_a_business_that_never_opens_has_no_next_opening() -> None:
    assert next_opening(hours(), _utc("2026-11-23T10:00:00-05:00")) is None


def test_a_single_date_half_a_year_away_is_found() -> None:
    fair = hours(exceptions={"2027-05-20": ["10:00-20:00"]})

    assert next_opening(fair, _utc("2026-11-23T10:00:00-05:00")) == _utc("2027-05-20T10:00:00-05:00")


class TestChangesOfTheClock:
    """New York goes to summer time on 2027-03-14 at 02:00 and back on 2026-11-01 at 02:00."""

    def test_the_same_wall_clock_is_another_instant_in_summer_and_in_winter(self) -> None:
        shop = every_day("09:00-17:00", "America/New_York")

        assert next_opening(shop, _utc("2026-07-01T00:00:00-04:00")) == _utc("2026-07-01T09:00:00-04:00")
        assert next_opening(shop, _utc("2026-12-01T00:00:00-05:00")) == _utc("2026-12-01T09:00:00-05:00")

    def test_the_hour_that_comes_twice_is_open_both_times(self) -> None:
        night = every_day("22:00-01:30", "America/New_York")

        assert is_open(night, datetime.fromisoformat("2026-11-01T01:29:00-04:00"))
        assert is_open(night, datetime.fromisoformat("2026-11-01T01:29:00-05:00"))
        assert not is_open(night, datetime.fromisoformat("2026-11-01T01:30:00-05:00"))

    def test_an_opening_in_the_hour_that_is_left_out_comes_right_after_it(self) -> None:
        early = every_day("02:30-05:00", "America/New_York")

        assert next_opening(early, _utc("2027-03-14T01:00:00-05:00")) == _utc("2027-03-14T03:30:00-04:00")

    def test_an_opening_that_the_change_overtakes_is_not_taken_for_the_next(self) -> None:
        early = hours("America/New_York", sunday=["02:30-02:45", "03:10-05:00"])

        assert next_opening(early, _utc("2027-03-14T01:00:00-05:00")) == _utc("2027-03-14T03:10:00-04:00")

    def test_a_day_of_23_hours_has_no_gap(self) -> None:
        always = every_day("00:00-24:00", "America/New_York")
        midnight = _utc("2027-03-14T00:00:00-05:00")

        assert all(is_open(always, midnight + timedelta(minutes=minute)) for minute in range(0, 24 * 60, 7))


minutes = st.integers(0, 24 * 60 - 1)


@st.composite
def some_hours(draw: st.DrawFn) -> Hours:
    zone = draw(st.sampled_from(["America/Bogota", "America/Sao_Paulo", "Europe/Madrid", "Australia/Lord_Howe", "UTC"]))
    week = {}
    for day in DAYS:
        opens, closes = draw(minutes), draw(minutes)
        if opens != closes:
            week[day] = [f"{opens // 60:02}:{opens % 60:02}-{closes // 60:02}:{closes % 60:02}"]
    return weekly_hours(zone, week, {})


@given(some_hours(), st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC)))  # noqa: DTZ001  # hypothesis wants naive bounds
def test_at_the_next_opening_it_is_open_and_before_it_closed(some: Hours, at: datetime) -> None:
    opens = next_opening(some, at)

    if opens is None:
        assert not is_open(some, at)
        return
    assert opens >= at
    assert is_open(some, opens)
    if opens > at:
        assert not is_open(some, at + (opens - at) / 2)
        assert not is_open(some, opens - timedelta(microseconds=1))
