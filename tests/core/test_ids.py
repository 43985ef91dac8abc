"""Identifiers keep the order of the clock they are made by."""

from datetime import UTC, datetime, timedelta

from app.core.ids import first_id, ids_at, new_id

NOW = datetime(2026, 11, 28, 4, tzinfo=UTC)


def test_ids_of_one_moment_are_in_order_and_never_the_same() -> None:
    ids = ids_at(NOW, 100)
    assert ids == sorted(ids)
    assert len({*ids, *ids_at(NOW, 100)}) == 200
    assert {(one.version, one.variant) for one in ids} == {(7, new_id().variant)}


def test_an_id_of_a_later_moment_comes_later_whoever_made_it() -> None:
    later = NOW + timedelta(milliseconds=1)
    assert max(ids_at(NOW, 100)) < first_id(later) < min(ids_at(later, 100))
