import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.dispatch import Dispatcher, Outcome, Timing, each
from app.core.wake import InProcessWake
from tests.virtual_time import elapsed, in_virtual_time


@dataclass(frozen=True)
class Row:
    id: int


@dataclass
class Table:
    """Stands for the database: rows become due, a claim takes them away, an extension says which are still ours."""

    wake: InProcessWake = field(default_factory=InProcessWake)
    due: list[Row] = field(default_factory=list)
    claims: list[int] = field(default_factory=list)
    claim_seconds: float = 0.002
    down: bool = False
    taken_over: set[int] = field(default_factory=set)
    extend_seconds: float = 0.0
    extend_fails: bool = False
    extend_hangs: bool = False

    def add(self, *ids: int, tell: bool = True) -> None:
        self.due += [Row(id_) for id_ in ids]
        if tell:
            self.wake.notify("rows")

    async def claim(self, limit: int) -> Sequence[Row]:
        self.claims.append(limit)
        if self.down:
            raise ConnectionError("no database")
        rows, self.due = self.due[:limit], self.due[limit:]
        await asyncio.sleep(self.claim_seconds)
        return rows

    async def extend(self, rows: Sequence[Row]) -> set[int]:
        if self.extend_hangs:
            await asyncio.sleep(3_600)
        if self.extend_fails:
            raise ConnectionError("no database")
        owned = {row.id for row in rows} - self.taken_over
        await asyncio.sleep(self.extend_seconds)
        return owned


class Handler:
    """Handles for `seconds` and remembers."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.started: list[int] = []
        self.done: list[int] = []
        self.cancelled: list[int] = []
        self.most_at_once = 0

    async def __call__(self, row: Row) -> None:
        self.started.append(row.id)
        self.most_at_once = max(self.most_at_once, len(self.started) - len(self.done) - len(self.cancelled))
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled.append(row.id)
            raise
        self.done.append(row.id)


@dataclass
class Observer:
    outcomes: list[Outcome] = field(default_factory=list)
    failed_claims: int = 0

    def claimed(self, dispatcher: str, items: int, seconds: float) -> None: ...

    def claim_failed(self, dispatcher: str) -> None:
        self.failed_claims += 1

    def finished(self, dispatcher: str, outcome: Outcome, items: int, seconds: float) -> None:
        self.outcomes.append(outcome)


def dispatcher(
    table: Table,
    handle: Callable[[Row], Awaitable[None]],
    *,
    concurrency: int = 10,
    observer: Observer | None = None,
    timing: Timing | None = None,
) -> Dispatcher[Row]:
    return Dispatcher(
        "rows",
        wake=table.wake.subscribe("rows"),
        claim=table.claim,
        handle=each(handle),
        extend=table.extend,
        concurrency=concurrency,
        observer=observer,
        timing=timing,
    )


@in_virtual_time
async def test_a_wake_up_starts_work_at_once() -> None:
    table, handler = Table(), Handler()
    async with dispatcher(table, handler):
        await asyncio.sleep(0.5)
        table.add(1)
        await asyncio.sleep(0.01)

        assert handler.done == [1]


@in_virtual_time
async def test_rows_nobody_told_of_are_found_within_a_second() -> None:
    table, handler = Table(), Handler()
    async with dispatcher(table, handler):
        await asyncio.sleep(0.5)
        table.add(1, tell=False)
        await asyncio.sleep(1.1)

        assert handler.done == [1]


@in_virtual_time
async def test_a_wake_up_during_a_claim_is_not_lost() -> None:
    table, handler = Table(claim_seconds=0.1), Handler()
    async with dispatcher(table, handler):
        await asyncio.sleep(0.05)  # the first claim has looked and not yet answered
        table.add(1)
        await asyncio.sleep(0.2)

        assert handler.done == [1]


@in_virtual_time
async def test_a_wake_up_while_all_hands_are_busy_is_not_lost() -> None:
    table, handler = Table(), Handler(seconds=0.3)
    async with dispatcher(table, handler, concurrency=1):
        table.add(1)
        await asyncio.sleep(0.1)
        table.add(2)
        await asyncio.sleep(0.25)

        assert handler.started == [1, 2]


@in_virtual_time
async def test_a_wake_up_while_the_only_batch_runs_is_not_lost() -> None:
    table, batches = Table(), []

    async def handle(rows: Sequence[Row]) -> None:
        batches.append([row.id for row in rows])
        await asyncio.sleep(0.3)

    async with Dispatcher("rows", wake=table.wake.subscribe("rows"), claim=table.claim, handle=handle, batch_size=100):
        table.add(1, 2)
        await asyncio.sleep(0.1)
        table.add(3, 4)
        await asyncio.sleep(0.25)

        assert batches == [[1, 2], [3, 4]]


@in_virtual_time
async def test_room_made_during_a_claim_is_used_at_once() -> None:
    table, handler = Table(claim_seconds=0.1), Handler(seconds=0.05)
    table.add(*range(6))
    async with dispatcher(table, handler, concurrency=2):
        await asyncio.sleep(0.6)

        assert handler.done == list(range(6))


@in_virtual_time
async def test_room_made_while_a_claim_filled_the_rest_is_used_at_once() -> None:
    table, started = Table(claim_seconds=0.1), []

    async def handle(row: Row) -> None:
        started.append(row.id)
        await asyncio.sleep(60 if row.id else 0.05)

    async with dispatcher(table, handle, concurrency=2, timing=Timing(grace_seconds=0)):
        table.add(0)
        await asyncio.sleep(0.11)
        table.add(1, 2)  # there is room for one; row 0 ends while that one is claimed
        await asyncio.sleep(0.29)

        assert started == [0, 1, 2]


@in_virtual_time
async def test_it_does_not_look_while_it_is_full() -> None:
    table, handler = Table(), Handler(seconds=60)
    table.add(*range(5))
    async with dispatcher(table, handler, concurrency=2, timing=Timing(grace_seconds=0)):
        for _ in range(1_000):
            await asyncio.sleep(0.01)
            table.wake.notify("rows")

        assert table.claims == [2]


@in_virtual_time
async def test_it_rests_when_idle() -> None:
    table = Table()
    async with dispatcher(table, Handler()):
        await asyncio.sleep(60)

        assert len(table.claims) <= 61


@in_virtual_time
async def test_a_storm_of_wake_ups_is_answered_by_few_claims() -> None:
    table, handler = Table(claim_seconds=0), Handler()
    async with dispatcher(table, handler, concurrency=1_000):
        for number in range(1_000):
            table.add(number)
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)

        assert handler.done == list(range(1_000))
        assert len(table.claims) <= 205


@in_virtual_time
async def test_handlers_that_end_one_after_another_are_not_each_followed_by_a_claim() -> None:
    table, done = Table(claim_seconds=0), []

    async def handle(row: Row) -> None:
        await asyncio.sleep(0.1 + row.id % 100 / 1_000)
        done.append(row.id)

    table.add(*range(1_000))
    async with dispatcher(table, handle, concurrency=100):
        await asyncio.sleep(3)

        assert len(done) == 1_000
        assert len(table.claims) <= 400


@in_virtual_time
async def test_no_more_run_at_once_than_allowed() -> None:
    table, handler = Table(), Handler(seconds=0.5)
    table.add(*range(20))
    async with dispatcher(table, handler, concurrency=3):
        await asyncio.sleep(10)

        assert (handler.most_at_once, len(handler.done)) == (3, 20)


@in_virtual_time
async def test_an_error_of_a_handler_concerns_its_own_row_only() -> None:
    table, observer, done = Table(), Observer(), []

    async def handle(row: Row) -> None:
        if row.id == 1:
            raise ValueError("poison")
        done.append(row.id)

    async with dispatcher(table, handle, observer=observer):
        table.add(0, 1, 2)
        await asyncio.sleep(0.1)
        table.add(3)
        await asyncio.sleep(0.1)

        assert done == [0, 2, 3]
        assert sorted(observer.outcomes) == ["done", "done", "done", "failed"]


@in_virtual_time
async def test_a_database_that_is_gone_is_asked_less_and_less_often() -> None:
    table, observer = Table(down=True), Observer()
    async with dispatcher(table, Handler(), observer=observer):
        for _ in range(600):
            await asyncio.sleep(0.1)
            table.wake.notify("rows")

        assert 12 <= len(table.claims) <= 32
        assert observer.failed_claims == len(table.claims)


@in_virtual_time
async def test_work_goes_on_when_the_database_is_back() -> None:
    table, handler = Table(down=True), Handler()
    async with dispatcher(table, handler):
        table.add(1)
        await asyncio.sleep(60)
        table.down = False
        await asyncio.sleep(5.1)

        assert handler.done == [1]


@in_virtual_time
async def test_an_observer_that_raises_does_not_end_the_loop() -> None:
    class Broken(Observer):
        def claimed(self, dispatcher: str, items: int, seconds: float) -> None:
            raise RuntimeError("no such label")

    table, handler = Table(), Handler()
    async with dispatcher(table, handler, observer=Broken()) as running:
        await asyncio.sleep(1)

        assert not running._tasks[0].done()


@in_virtual_time
async def test_work_whose_lease_is_kept_runs_as_long_as_it_needs() -> None:
    table, handler = Table(), Handler(seconds=120)
    async with dispatcher(table, handler):
        table.add(1)
        await asyncio.sleep(121)

        assert handler.done == [1]


@in_virtual_time
async def test_work_that_another_owner_took_over_is_cancelled_at_the_next_beat() -> None:
    table, handler, observer = Table(), Handler(seconds=120), Observer()
    async with dispatcher(table, handler, observer=observer):
        table.add(1, 2)
        await asyncio.sleep(1)
        table.taken_over = {1}
        await asyncio.sleep(10)

        assert handler.cancelled == [1]
        assert observer.outcomes == ["lost"]
        await asyncio.sleep(120)
        assert handler.done == [2]


@in_virtual_time
async def test_a_handler_that_has_just_recorded_its_outcome_is_not_disturbed() -> None:
    """Between its last commit and its return, its row is not ours any more."""
    table, observer = Table(extend_seconds=0.0005), Observer()

    async def handle(row: Row) -> None:
        await asyncio.sleep(9.997)  # 10 s after the start the first beat asks, and is answered before the return
        table.taken_over = {row.id}
        await asyncio.sleep(0.0018)

    async with dispatcher(table, handle, observer=observer):
        table.add(1)
        await asyncio.sleep(11)

        assert observer.outcomes == ["done"]


@pytest.mark.parametrize("how", ["fails", "hangs"])
@in_virtual_time
async def test_work_stops_itself_when_no_beat_was_confirmed_for_twenty_seconds(how: str) -> None:
    table, handler = Table(), Handler(seconds=120)
    async with dispatcher(table, handler):
        table.add(1)
        await asyncio.sleep(1)
        table.extend_fails, table.extend_hangs = how == "fails", how == "hangs"
        await asyncio.sleep(18.5)
        assert handler.cancelled == []
        await asyncio.sleep(1)

        assert handler.cancelled == [1]


@in_virtual_time
async def test_one_failed_beat_is_made_up_for() -> None:
    table, handler = Table(), Handler(seconds=60)
    async with dispatcher(table, handler):
        table.add(1)
        await asyncio.sleep(1)
        table.extend_fails = True
        await asyncio.sleep(14)
        table.extend_fails = False
        await asyncio.sleep(50)

        assert handler.done == [1]


@in_virtual_time
async def test_an_idle_stop_takes_no_time() -> None:
    running = dispatcher(Table(), Handler())
    await running.start()
    await asyncio.sleep(0.5)

    assert await elapsed(running.stop()) <= 0.005


@in_virtual_time
async def test_a_stop_lasts_as_long_as_the_work_that_runs() -> None:
    table, handler = Table(), Handler(seconds=7)
    running = dispatcher(table, handler, concurrency=1)
    await running.start()
    table.add(1, 2)
    await asyncio.sleep(2)

    assert await elapsed(running.stop()) == pytest.approx(5, abs=0.05)
    assert (handler.started, handler.done) == ([1], [1])


@in_virtual_time
async def test_work_that_outlasts_the_grace_period_is_cancelled_and_waited_for() -> None:
    table, observer = Table(), Observer()
    cleaned_up = asyncio.Event()

    async def handle(_: Row) -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(3)
            cleaned_up.set()

    running = dispatcher(table, handle, observer=observer)
    await running.start()
    table.add(1)
    await asyncio.sleep(1)

    assert await elapsed(running.stop()) == pytest.approx(23, abs=0.05)
    assert cleaned_up.is_set()
    assert observer.outcomes == ["cancelled"]


@in_virtual_time
async def test_what_a_claim_gave_while_the_stop_was_asked_is_still_handled() -> None:
    table, handler = Table(claim_seconds=0.5), Handler(seconds=1)
    running = dispatcher(table, handler)
    table.add(1)
    await running.start()
    await asyncio.sleep(0.1)
    await running.stop()

    assert handler.done == [1]
    assert len(table.claims) == 1


@in_virtual_time
async def test_leases_are_kept_during_the_stop() -> None:
    table, handler = Table(), Handler(seconds=30)
    running = dispatcher(table, handler, timing=Timing(grace_seconds=40))
    await running.start()
    table.add(1)
    await asyncio.sleep(1)
    await running.stop()

    assert handler.done == [1]


@in_virtual_time
async def test_a_stop_without_grace_cancels_even_what_has_not_begun() -> None:
    table, handler = Table(claim_seconds=0), Handler(seconds=10)
    running = dispatcher(table, handler, timing=Timing(grace_seconds=0))
    table.add(1)
    await running.start()
    await asyncio.sleep(0.001)
    await running.stop()

    assert running.in_flight == 0


@given(
    arrivals=st.lists(st.tuples(st.floats(0, 0.5), st.integers(1, 7), st.booleans()), max_size=30),
    concurrency=st.integers(1, 8),
    handling=st.sampled_from([0.0, 0.001, 0.02, 0.3]),
    claiming=st.sampled_from([0.0, 0.001, 0.05]),
)
def test_every_row_is_handled_once_and_never_a_second_late(
    arrivals: list[tuple[float, int, bool]], concurrency: int, handling: float, claiming: float
) -> None:
    @in_virtual_time
    async def scenario() -> None:
        table, handler = Table(claim_seconds=claiming), Handler(handling)
        async with dispatcher(table, handler, concurrency=concurrency):
            added = 0
            for pause, count, tell in arrivals:
                await asyncio.sleep(pause)
                table.add(*range(added, added + count), tell=tell)
                added += count
            rounds = -(-added // concurrency)
            await asyncio.sleep(1.1 + rounds * (handling + 2 * claiming + 0.02))

            assert sorted(handler.done) == list(range(added))
            assert handler.most_at_once <= concurrency

    scenario()
