import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from redis.asyncio import Redis

from app.whatsapp.error_codes import rule_for
from app.whatsapp.errors import SendRejected
from app.whatsapp.pacing import LocalPacer, Pacer, Place
from app.whatsapp.pacing_redis import RedisPacer
from tests.servers import RedisServer, free_port


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest.fixture(params=["local", "redis"])
def make(request: pytest.FixtureRequest, clock: Clock) -> Callable[[], Pacer]:
    if request.param == "local":
        return lambda: LocalPacer(clock)
    client: Redis = request.getfixturevalue("redis")
    return lambda: RedisPacer(client, clock=clock, server_clock=clock)


@pytest.fixture
def pacer(make: Callable[[], Pacer]) -> Pacer:
    return make()


def refusal(code: int, retry_after_seconds: float | None = 1.0) -> SendRejected:
    return SendRejected(code=code, title="slow", rule=rule_for(code), retry_after_seconds=retry_after_seconds)


async def sent_times(pacer: Pacer, clock: Clock, recipients: list[str], per_second: int, seconds: float) -> list[float]:
    """Send as fast as the pacer lets us, going round the recipients."""
    times = []
    end = clock.now + seconds
    number = asked = 0
    while clock.now < end:
        wait_seconds = await pacer.take("number", recipients[number % len(recipients)], per_second=per_second)
        if wait_seconds == 0:
            times.append(clock.now)
            number += 1
        clock.now += wait_seconds or 0.0001
        asked += 1
        assert asked < 10_000, "the waits that are named are too short"
    return times


def most_in_any(window_seconds: float, times: list[float]) -> int:
    return max(sum(start <= at < start + window_seconds - 1e-6 for at in times) for start in times)


@pytest.mark.parametrize("per_second", [80, 20])
async def test_a_number_sends_its_rate_and_never_more_in_any_second(
    pacer: Pacer, clock: Clock, per_second: int
) -> None:
    recipients = [f"person{number}" for number in range(500)]

    times = await sent_times(pacer, clock, recipients, per_second, 4)

    assert most_in_any(1, times) == per_second
    assert len(times) >= per_second * 4


async def test_a_pair_may_burst_and_then_gets_one_message_every_six_seconds(pacer: Pacer, clock: Clock) -> None:
    times = await sent_times(pacer, clock, ["person"], 80, 61)

    assert len(times) == 45 + 10
    assert most_in_any(6, times[45:]) == 1
    assert most_in_any(6, times) <= 45 + 1


async def test_a_pair_that_rested_may_burst_again(pacer: Pacer, clock: Clock) -> None:
    await sent_times(pacer, clock, ["person"], 80, 5)
    clock.now += 45 * 6

    assert len(await sent_times(pacer, clock, ["person"], 80, 5)) == 45


async def test_pairs_do_not_slow_each_other(pacer: Pacer) -> None:
    for _ in range(45):
        assert await pacer.take("number", "one") == 0

    assert await pacer.take("number", "one") > 0
    assert await pacer.take("number", "other") == 0
    assert await pacer.take("other number", "one") == 0


async def test_the_wait_that_is_named_is_enough_and_asking_costs_nothing(pacer: Pacer, clock: Clock) -> None:
    for _ in range(45):
        await pacer.take("number", "person")

    waits = [await pacer.take("number", "person") for _ in range(5)]
    assert waits == [pytest.approx(6)] * 5

    clock.now += waits[0]
    assert await pacer.take("number", "person") == 0


@pytest.mark.parametrize(("code", "waits"), [(130429, [1, 2, 4, 8]), (131056, [1, 4, 16, 64]), (80007, [60, 120, 240])])
async def test_each_further_throttle_waits_longer(pacer: Pacer, clock: Clock, code: int, waits: list[float]) -> None:
    first = rule_for(code).retry
    assert first is not None

    for seconds in waits:
        assert await pacer.hold("number", "person", refusal(code, first.first_seconds)) == pytest.approx(seconds)
        clock.now += seconds - 0.001
        assert await pacer.take("number", "person") > 0
        clock.now += 0.001
        assert await pacer.take("number", "person") == 0


async def test_a_throttled_number_stops_for_everyone_and_a_throttled_pair_for_itself(pacer: Pacer) -> None:
    await pacer.hold("a", "person", refusal(130429))
    await pacer.hold("b", "person", refusal(131056))

    assert await pacer.take("a", "somebody") > 0
    assert await pacer.take("b", "somebody") == 0
    assert await pacer.take("b", "person") > 0


async def test_a_throttled_number_starts_again_at_half_its_rate(pacer: Pacer, clock: Clock) -> None:
    clock.now += await pacer.hold("number", "person", refusal(130429))
    recipients = [f"person{number}" for number in range(500)]

    assert most_in_any(1, await sent_times(pacer, clock, recipients, 80, 3)) == 40


async def test_throttles_are_forgotten_after_a_while(clock: Clock) -> None:
    pacer = LocalPacer(clock)
    await pacer.hold("number", "person", refusal(131056))
    await pacer.hold("number", "person", refusal(131056))
    clock.now += 4 + 60

    assert await pacer.hold("number", "person", refusal(131056)) == 1


async def test_what_redis_knows_expires_when_it_no_longer_matters(redis: Redis, clock: Clock) -> None:
    pacer = RedisPacer(redis, clock=clock, server_clock=clock)
    await pacer.take("number", "person")
    await pacer.hold("number", "person", refusal(130429))
    await pacer.hold("number", "person", refusal(131056, 100.0))

    names = {"*:sent": 2_000, "*}:held": 61_000, "*:held:*": 300_000}
    for name, milliseconds in names.items():
        (key,) = await redis.keys(name)
        assert await redis.pttl(key) == pytest.approx(milliseconds, abs=500)


async def test_people_who_have_not_been_written_to_for_long_are_forgotten(clock: Clock) -> None:
    pacer = LocalPacer(clock)
    for number in range(4095):
        await pacer.take("number", f"person{number}", per_second=5000)
    await pacer.hold("number", "throttled", refusal(131056))
    clock.now += 45 * 6

    await pacer.take("number", "newcomer")

    assert list(pacer._buckets) == [("number", "newcomer")]
    assert not pacer._pairs


async def test_the_wait_that_whatsapp_asks_for_is_kept(pacer: Pacer) -> None:
    assert await pacer.hold("number", "person", refusal(130429, 30.0)) == 30


@pytest.mark.parametrize(("code", "seconds"), [(131026, None), (131000, 2.0), (131047, None), (131048, None)])
async def test_refusals_that_are_no_throttle_stop_nothing(pacer: Pacer, code: int, seconds: float | None) -> None:
    assert await pacer.hold("number", "person", refusal(code, seconds)) == 0
    assert await pacer.take("number", "person") == 0


async def test_processes_share_one_rate_through_redis(redis: Redis, clock: Clock) -> None:
    pacers = [RedisPacer(redis, clock=clock, server_clock=clock) for _ in range(3)]

    granted = 0
    for number in range(300):
        granted += await pacers[number % 3].take("number", f"person{number}") == 0

    assert granted == 80


async def test_processes_share_one_bucket_and_one_throttle_through_redis(redis: Redis, clock: Clock) -> None:
    one, other = (RedisPacer(redis, clock=clock, server_clock=clock) for _ in range(2))
    for _ in range(45):
        await one.take("number", "person")

    assert await other.take("number", "person") == pytest.approx(6)
    await one.hold("number", "else", refusal(130429))
    assert await other.take("number", "stranger") == pytest.approx(1)


async def test_places_that_redis_refuses_are_not_lost_here(redis: Redis, clock: Clock) -> None:
    one, other = (RedisPacer(redis, clock=clock, server_clock=clock) for _ in range(2))
    for number in range(80):
        await one.take("number", f"person{number}")
    clock.now += 0.9
    for number in range(80):
        assert await other.take("number", f"person{number}") > 0

    clock.now += 0.1

    assert await other.take("number", "person") == 0


async def test_many_tasks_at_once_never_exceed_the_rate(redis: Redis, clock: Clock) -> None:
    pacer = RedisPacer(redis, clock=clock, server_clock=clock)

    waits = await asyncio.gather(*(pacer.take("number", f"person{number}") for number in range(200)))

    assert waits.count(0) == 80


async def test_the_clock_of_the_server_is_used_by_default(redis: Redis) -> None:
    pacer = RedisPacer(redis)

    assert [await pacer.take("number", "person", per_second=2) > 0 for _ in range(3)] == [False, False, True]


async def test_no_phone_number_is_kept_in_redis(redis: Redis) -> None:
    pacer = RedisPacer(redis)
    await pacer.take("10654", "34600111222")
    await pacer.hold("10654", "34600111222", refusal(131056))

    keys = [key async for key in redis.scan_iter()]

    assert len(keys) == 3
    assert not any(b"34600111222" in key for key in keys)


async def test_without_redis_each_process_still_keeps_the_limits(clock: Clock) -> None:
    client = Redis.from_url(f"redis://127.0.0.1:{free_port()}", socket_connect_timeout=1, retry=None)
    pacer = RedisPacer(client, clock=clock)

    granted = [await pacer.take("number", f"person{number}") == 0 for number in range(100)]
    waited = await pacer.hold("number", "person", refusal(130429))
    await client.aclose()

    assert (granted.count(True), waited) == (80, 1)


async def test_when_redis_comes_back_it_is_asked_again(private_redis: RedisServer, clock: Clock) -> None:
    client = Redis.from_url(private_redis.url, socket_timeout=1, socket_connect_timeout=1, retry=None)
    pacer = RedisPacer(client, clock=clock, server_clock=clock)
    assert await pacer.take("number", "person") == 0
    private_redis.stop()
    assert await pacer.take("number", "person") == 0
    private_redis.start()

    clock.now += 2
    assert await pacer.take("number", "person") == 0
    known = await client.keys()
    await client.aclose()

    assert known


async def test_places_taken_together_are_those_that_would_be_taken_one_by_one(make: Callable[[], Pacer]) -> None:
    together, alone = make(), make()
    for name in ("together", "alone"):
        await (together if name == "together" else alone).take(name, "first", per_second=3)
    wanted = [Place("together", f"person{number}", 3) for number in range(4)]
    waits = await together.take_all(wanted)
    assert waits == [await alone.take("alone", one.recipient, per_second=3) for one in wanted]
    assert [wait > 0 for wait in waits] == [False, False, True, True]
    assert await together.take_all([]) == []
