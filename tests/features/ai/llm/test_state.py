"""One suite for both implementations of the state port, and what only shared state must do."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import redis.asyncio

from app.ai.llm.redis_state import RedisState
from app.ai.llm.state import MemoryState, Pause, RouteState
from tests.fakes.model_clock import FakeClock
from tests.servers import RedisServer

DEAD_URL = "redis://127.0.0.1:1/0"


@pytest.fixture(params=["memory", "redis", "redis_away"])
async def state(request: pytest.FixtureRequest) -> AsyncIterator[RouteState]:
    clock = FakeClock()
    if request.param == "memory":
        yield MemoryState(clock)
        return
    url = request.getfixturevalue("redis_url") if request.param == "redis" else DEAD_URL
    client = redis.asyncio.Redis.from_url(url)
    yield RedisState(client, clock)
    await client.aclose()


async def test_a_pause_is_seen_until_it_is_taken_back(state: RouteState) -> None:
    await state.pause("a", Pause(reason="cool_down", seconds=30, kind="rate"))
    held = (await state.pauses())["a"]
    assert (held.reason, held.kind) == ("cool_down", "rate")
    assert held.seconds == pytest.approx(30, abs=1)
    await state.resume("a")
    assert await state.pauses() == {}


async def test_the_longer_of_two_pauses_holds(state: RouteState) -> None:
    await state.pause("a", Pause(reason="cool_down", seconds=300, kind="quota"))
    await state.pause("a", Pause(reason="breaker_open", seconds=10, kind="server"))
    assert (await state.pauses())["a"].kind == "quota"


async def test_a_minutes_budget_is_not_exceeded(state: RouteState) -> None:
    taken = [await state.take("a", 15, None, 0) for _ in range(20)]
    assert [each.ok for each in taken] == [True] * 15 + [False] * 5
    assert taken[-1].scope == "minute_budget"
    assert 0 < taken[-1].wait_seconds <= 60
    assert (await state.take("b", 15, None, 0)).ok


async def test_a_reserve_is_left_to_those_who_may_take_it(state: RouteState) -> None:
    assert [(await state.take("a", 5, None, 2)).ok for _ in range(4)] == [True, True, True, False]
    assert (await state.take("a", 5, None, 0)).ok


async def test_a_days_budget_is_not_exceeded_and_says_when_it_ends(state: RouteState) -> None:
    assert [(await state.take("a", None, 2, 0)).ok for _ in range(2)] == [True, True]
    refused = await state.take("a", 10, 2, 0)
    assert (refused.ok, refused.scope, refused.wait_seconds) == (False, "day_budget", 14 * 3600)


async def test_what_was_used_is_told(state: RouteState) -> None:
    for _ in range(3):
        await state.take("a", 10, 10, 0)
    used = await state.used("a")
    assert (used.used_this_minute, used.used_today) == (3, 3)


async def test_a_conversation_sticks_until_it_is_let_go(state: RouteState) -> None:
    assert await state.sticky_route("c") is None
    await state.stick("c", "route-1")
    assert await state.sticky_route("c") == "route-1"
    await state.stick("c", None)
    assert await state.sticky_route("c") is None


async def test_memory_frees_slots_as_the_minute_passes() -> None:
    clock = FakeClock()
    state = MemoryState(clock)
    for _ in range(3):
        await state.take("a", 3, None, 0)
        clock.advance(10)
    assert (await state.take("a", 3, None, 0)).wait_seconds == pytest.approx(30)
    clock.advance(30)
    assert (await state.take("a", 3, None, 0)).ok


async def test_two_processes_together_never_exceed_a_shared_minute(redis_url: str) -> None:
    clients = [redis.asyncio.Redis.from_url(redis_url) for _ in range(2)]
    states = [RedisState(client, FakeClock()) for client in clients]
    taken = 0
    for _ in range(10):  # six at a time: a machine that is busy must not lose its Redis to sixty new connections
        asked = (states[number % 2].take("a", 15, None, 0) for number in range(6))
        taken += sum(each.ok for each in await asyncio.gather(*asked))
    assert taken == 15
    for client in clients:
        await client.aclose()


async def test_a_pause_set_by_one_process_is_seen_by_another_within_a_second(redis_url: str) -> None:
    clients = [redis.asyncio.Redis.from_url(redis_url) for _ in range(2)]
    clock = FakeClock()
    ours, theirs = (RedisState(client, clock) for client in clients)
    assert await theirs.pauses() == {}
    await ours.pause("a", Pause(reason="breaker_open", seconds=30, kind="server"))
    clock.advance(1)
    assert (await theirs.pauses())["a"].reason == "breaker_open"
    await ours.stick("c", "route-1")
    clock.advance(1)
    await theirs.pauses()
    assert await theirs.sticky_route("c") == "route-1"
    for client in clients:
        await client.aclose()


async def test_losing_redis_keeps_serving_with_this_process_share_and_finds_back(private_redis: RedisServer) -> None:
    clock = FakeClock()
    client = redis.asyncio.Redis.from_url(private_redis.url)
    state = RedisState(client, clock, processes=2)
    assert (await state.take("a", 10, None, 0)).ok
    private_redis.stop()
    # One was counted already, so four of this process's five are left.
    assert [(await state.take("a", 10, None, 0)).ok for _ in range(6)] == [True] * 4 + [False] * 2
    private_redis.start()
    clock.advance(5)
    assert (await state.take("b", 1, None, 0)).ok
    other = redis.asyncio.Redis.from_url(private_redis.url)
    assert await other.exists("mostrador:llm:minute:b") == 1
    await other.aclose()
    await client.aclose()
