from datetime import UTC, datetime, timedelta

import pytest

from app.whatsapp.identifiers import identifier, phone_digits
from app.whatsapp.window import is_window_open, window_closes_at

WROTE_AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("after", "margin", "is_open"),
    [
        (timedelta(0), timedelta(0), True),
        (timedelta(hours=24) - timedelta(microseconds=1), timedelta(0), True),
        (timedelta(hours=24), timedelta(0), False),
        (timedelta(hours=23, minutes=50), timedelta(minutes=9), True),
        (timedelta(hours=23, minutes=50), timedelta(minutes=10), False),
    ],
)
def test_the_window_is_open_for_24_hours(after: timedelta, margin: timedelta, *, is_open: bool) -> None:
    assert is_window_open(WROTE_AT, WROTE_AT + after, margin=margin) is is_open


def test_who_never_wrote_has_no_window() -> None:
    assert not is_window_open(None, WROTE_AT)
    assert window_closes_at(None) is None
    assert window_closes_at(WROTE_AT) == WROTE_AT + timedelta(days=1)


@pytest.mark.parametrize("written", ["16505551234", "+16505551234", "+1 (650) 555-1234", "1.650.555.1234"])
def test_a_phone_number_is_its_digits(written: str) -> None:
    assert phone_digits(written) == "16505551234"


@pytest.mark.parametrize("written", [None, "", "+", "1234", "1" * 16, "US.1349", "٣٤٦٠٠١١١٢٢٢", "346001x1222", "²³⁴⁵⁶"])
def test_anything_else_is_no_phone_number(written: str | None) -> None:
    assert phone_digits(written) is None


def test_an_identifier_that_no_index_could_hold_counts_as_absent() -> None:
    assert [identifier(value) for value in (None, "", "x" * 513, "x" * 512)] == [None, None, None, "x" * 512]
