import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from app.core.security.rate_limit import Limit, LocalRateLimiter, RateLimiter, RedisRateLimiter, TokenBuckets
from tests.servers import RedisServer

FIVE = Limit(requests=5, window_seconds=60)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
async def own_redis(private_redis: RedisServer) -> AsyncIterator[Redis]:
    client = Redis.from_url(private_redis.url, socket_timeout=1, socket_connect_timeout=1)
    yield client
    await client.aclose()


async def passed(limiter: RateLimiter, key: str, tries: int, limit: Limit = FIVE) -> int:
    return sum([(await limiter.take(key, limit)).allowed for _ in range(tries)])


async def test_no_more_than_the_limit_passes_and_every_answer_says_what_is_left() -> None:
    await counts_down(LocalRateLimiter())


async def test_no_more_than_the_limit_passes_in_redis_either(redis: Redis) -> None:
    await counts_down(RedisRateLimiter(redis))


async def counts_down(limiter: RateLimiter) -> None:
    answers = [await limiter.take("a", FIVE) for _ in range(7)]

    assert [answer.allowed for answer in answers] == [True] * 5 + [False] * 2
    assert [answer.remaining for answer in answers] == [4, 3, 2, 1, 0, 0, 0]
    assert {answer.limit for answer in answers} == {5}
    assert all(50 < answer.reset_seconds <= 60 for answer in answers)
    assert 50 < answers[-1].retry_after_seconds <= 60


async def test_keys_are_counted_apart() -> None:
    limiter = LocalRateLimiter()
    assert await passed(limiter, "a", 6) == 5
    assert await passed(limiter, "b", 6) == 5


async def test_the_window_slides() -> None:
    clock = Clock()
    limiter = LocalRateLimiter(clock)
    assert await passed(limiter, "a", 3) == 3
    clock.now += 30
    assert await passed(limiter, "a", 6) == 2
    clock.now += 30  # the first three are a minute old now, the other two are not
    assert await passed(limiter, "a", 6) == 3
    clock.now += 29.9
    assert await passed(limiter, "a", 6) == 0
    clock.now += 0.1
    assert await passed(limiter, "a", 6) == 2


async def test_waiting_as_long_as_told_is_enough() -> None:
    clock = Clock()
    limiter = LocalRateLimiter(clock)
    assert await passed(limiter, "a", 5) == 5
    clock.now += 12.3
    refused = await limiter.take("a", FIVE)
    assert not refused.allowed
    clock.now += refused.retry_after_seconds
    assert (await limiter.take("a", FIVE)).allowed


async def test_what_was_refused_does_not_lengthen_the_wait() -> None:
    clock = Clock()
    limiter = LocalRateLimiter(clock)
    assert await passed(limiter, "a", 5) == 5
    for _ in range(59):
        clock.now += 1
        assert not (await limiter.take("a", FIVE)).allowed
    clock.now += 1
    assert (await limiter.take("a", FIVE)).allowed


async def test_strangers_without_end_do_not_fill_the_memory() -> None:
    limiter = LocalRateLimiter(most_keys=100)
    for number in range(1000):
        await limiter.take(f"stranger {number}", FIVE)
    assert len(limiter._windows) == 100


async def test_the_window_slides_in_redis_too(redis: Redis) -> None:
    limiter = RedisRateLimiter(redis)
    short = Limit(requests=2, window_seconds=0.2)
    assert await passed(limiter, "a", 5, short) == 2
    refused = await limiter.take("a", short)
    assert not refused.allowed
    assert 0 < refused.reset_seconds <= 0.2
    await asyncio.sleep(refused.reset_seconds + 0.01)  # the clock is that of the server
    assert (await limiter.take("a", short)).allowed


async def test_two_processes_on_one_redis_never_let_more_than_the_limit_pass(redis: Redis, redis_url: str) -> None:
    other = Redis.from_url(redis_url)
    limiters = [RedisRateLimiter(redis), RedisRateLimiter(other)]
    limit = Limit(requests=50, window_seconds=60)
    answers = await asyncio.gather(*(limiters[number % 2].take("a", limit) for number in range(400)))
    await other.aclose()
    assert sum(answer.allowed for answer in answers) == 50


async def test_nothing_in_redis_tells_who_it_was(redis: Redis) -> None:
    await RedisRateLimiter(redis).take("login:203.0.113.7", FIVE)
    [name] = await redis.keys("*")
    assert name.startswith(b"mostrador:rate:")
    assert b"203.0.113.7" not in name
    assert 55_000 < await redis.pttl(name) <= 62_000


async def test_when_redis_goes_away_each_process_goes_on_with_what_it_counted_and_comes_back(
    private_redis: RedisServer, own_redis: Redis
) -> None:
    clock = Clock()
    limiter = RedisRateLimiter(own_redis, clock=clock)
    assert await passed(limiter, "a", 3) == 3

    private_redis.stop()
    assert await passed(limiter, "a", 10) == 2, "what was counted before still counts"
    assert await passed(limiter, "b", 10) == 5, "strangers are limited as well"

    private_redis.start()
    clock.now += 1.5
    assert (await limiter.take("c", FIVE)).allowed
    assert await own_redis.keys("*"), "Redis counts again"
    assert await passed(limiter, "b", 10) == 0, "an empty Redis forgives nothing that this process knows"


async def test_a_redis_that_hangs_delays_one_request_a_second_and_no_more(
    private_redis: RedisServer, own_redis: Redis
) -> None:
    clock = Clock()
    limiter = RedisRateLimiter(own_redis, clock=clock)
    await limiter.take("a", FIVE)
    private_redis.pause()
    try:
        async with asyncio.timeout(0.8):
            await limiter.take("a", FIVE)
        async with asyncio.timeout(0.1):
            assert await passed(limiter, "a", 50) == 3
        clock.now += 1.5
        prober = asyncio.create_task(limiter.take("b", FIVE))
        await asyncio.sleep(0)
        async with asyncio.timeout(0.1):
            assert await passed(limiter, "c", 50) == 5
        assert (await prober).allowed
    finally:
        private_redis.resume()


def test_a_bucket_lets_a_burst_in_and_then_its_rate() -> None:
    clock = Clock()
    buckets = TokenBuckets(per_second=10, burst=100, clock=clock)
    assert [buckets.take("a") for _ in range(100)] == [0.0] * 100
    assert buckets.take("a") == pytest.approx(0.1)
    assert buckets.take("b") == 0
    clock.now += 1
    assert sum(buckets.take("a") == 0 for _ in range(20)) == 10


def test_buckets_of_made_up_addresses_do_not_fill_the_memory() -> None:
    buckets = TokenBuckets(per_second=10, burst=100, most_keys=10)
    for number in range(100):
        buckets.take(str(number))
    assert len(buckets._buckets) == 10
