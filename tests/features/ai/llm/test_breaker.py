from app.ai.llm.breaker import Breaker
from tests.fakes.model_clock import FakeClock


def breaker() -> tuple[Breaker, FakeClock]:
    clock = FakeClock()
    return Breaker(clock.monotonic, lambda: 0.0), clock


def test_it_opens_on_the_fourth_failure_in_a_row() -> None:
    ours, _ = breaker()
    assert [ours.failed() for _ in range(4)] == [None, None, None, 10.0]
    assert ours.wait_seconds() == 10.0


def test_failures_spread_over_more_than_a_minute_do_not_open_it() -> None:
    ours, clock = breaker()
    for _ in range(12):
        assert ours.failed() is None
        clock.advance(25)


def test_few_failures_among_many_answers_do_not_open_it() -> None:
    ours, _ = breaker()
    for number in range(200):
        assert number % 20 or ours.failed() is None
        ours.succeeded()


def test_it_opens_when_half_of_ten_calls_failed() -> None:
    ours, _ = breaker()
    opened = []
    for _ in range(5):
        ours.succeeded()
        opened.append(ours.failed())
    assert opened == [None, None, None, None, 10.0]


def test_each_failed_probe_doubles_the_time_up_to_five_minutes() -> None:
    ours, clock = breaker()
    for _ in range(4):
        ours.failed()
    waits = []
    for _ in range(6):
        clock.advance(ours.wait_seconds())
        assert ours.starts()
        waits.append(ours.failed())
    assert waits == [20.0, 40.0, 80.0, 160.0, 300.0, 300.0]


def test_one_probe_goes_at_a_time_and_an_abandoned_one_makes_room() -> None:
    ours, clock = breaker()
    for _ in range(4):
        ours.failed()
    clock.advance(10)
    assert ours.starts()
    assert not ours.starts()
    assert ours.wait_seconds() > 0
    ours.abandoned()
    assert ours.wait_seconds() == 0


def test_success_closes_it_and_forgets() -> None:
    ours, clock = breaker()
    for _ in range(4):
        ours.failed()
    clock.advance(10)
    ours.starts()
    ours.succeeded()
    assert ours.state == "closed"
    assert [ours.failed() for _ in range(4)] == [None, None, None, 10.0]


def test_a_call_from_before_it_opened_changes_nothing() -> None:
    ours, _ = breaker()
    for _ in range(4):
        ours.failed()
    assert ours.failed() is None
    assert ours.wait_seconds() == 10.0
