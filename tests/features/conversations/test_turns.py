from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.conversations.turns import Begin, Join, OpenTurn, Pace, Replace, State, Wait, place
from app.core.ids import new_id

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PACE = Pace(quiet_seconds=4, max_wait_seconds=20, max_restarts=2)
OPEN = (State.COLLECTING, State.THINKING, State.READY)

seconds = st.floats(0, 600, allow_nan=False)
paces = st.builds(Pace, seconds, seconds, st.integers(0, 4))
open_turns = st.builds(
    OpenTurn,
    st.builds(new_id),
    st.sampled_from(OPEN),
    st.floats(-600, 600, allow_nan=False).map(lambda offset: NOW + timedelta(seconds=offset)),
    st.integers(0, 5),
)


def turn(state: State, *, latest_in: float = 20, restarts: int = 0) -> OpenTurn:
    return OpenTurn(new_id(), state, NOW + timedelta(seconds=latest_in), restarts)


def test_a_first_message_begins_a_turn_that_is_due_after_the_quiet_time() -> None:
    assert place(None, NOW, PACE) == Begin(NOW + timedelta(seconds=4), NOW + timedelta(seconds=20))


def test_the_next_line_of_a_burst_joins_and_starts_the_quiet_time_again() -> None:
    collecting = turn(State.COLLECTING)
    assert place(collecting, NOW, PACE) == Join(collecting.id, NOW + timedelta(seconds=4))


def test_a_burst_is_answered_at_its_latest_time_however_long_it_goes_on() -> None:
    collecting = turn(State.COLLECTING, latest_in=1)
    assert place(collecting, NOW, PACE) == Join(collecting.id, NOW + timedelta(seconds=1))


def test_a_newer_message_replaces_an_answer_that_has_not_started_to_leave() -> None:
    for state in (State.THINKING, State.READY):
        old = turn(state, restarts=1)
        assert place(old, NOW, PACE) == Replace(old.id, NOW + timedelta(seconds=4), old.latest_at, 2)


def test_after_enough_restarts_the_answer_is_finished_first() -> None:
    assert place(turn(State.THINKING, restarts=2), NOW, PACE) == Wait()
    assert isinstance(place(turn(State.READY, restarts=2), NOW, PACE), Begin)


@given(open_turn=st.none() | open_turns, pace=paces)
def test_wherever_a_message_goes_it_is_due_in_time(open_turn: OpenTurn | None, pace: Pace) -> None:
    """Never in the past, never later than the quiet time, never later than the turn's latest time allows."""
    decided = place(open_turn, NOW, pace)
    if isinstance(decided, Wait):
        assert open_turn is not None
        assert (open_turn.state, open_turn.restarts >= pace.max_restarts) == (State.THINKING, True)
        return
    assert NOW <= decided.due_at <= NOW + timedelta(seconds=pace.quiet_seconds)
    if isinstance(decided, Join | Replace):
        assert open_turn is not None
        assert decided.turn_id == open_turn.id
        assert decided.due_at <= max(NOW, open_turn.latest_at)


@given(open_turn=open_turns, pace=paces)
def test_a_turn_is_replaced_a_limited_number_of_times(open_turn: OpenTurn, pace: Pace) -> None:
    decided = place(open_turn, NOW, pace)
    if isinstance(decided, Replace):
        assert decided.restarts == open_turn.restarts + 1 <= pace.max_restarts
        assert open_turn.state is not State.COLLECTING


@given(open_turn=open_turns, pace=paces)
def test_there_is_never_a_second_open_turn(open_turn: OpenTurn, pace: Pace) -> None:
    if isinstance(place(open_turn, NOW, pace), Begin):
        assert open_turn.state is State.READY
