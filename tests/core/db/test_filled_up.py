import pytest

from app.core.db import filled_up


@pytest.mark.parametrize(("count", "length"), [(0, 0), (1, 1), (2, 2), (3, 4), (5, 8), (8, 8), (255, 256), (256, 256)])
def test_a_list_grows_to_a_power_of_two_by_repeating_its_last_value(count: int, length: int) -> None:
    values = filled_up(range(count))
    assert len(values) == length
    assert values[:count] == list(range(count))
    assert set(values) == set(range(count))
