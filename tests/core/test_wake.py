import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from app.core.wake import InProcessWake, RedisWake, Wake, open_wake
from tests.servers import RedisServer

WITHIN_SECONDS = 10.0


@pytest.fixture(params=["in-process", pytest.param("redis", marks=pytest.mark.redis)])
async def wake(request: pytest.FixtureRequest) -> AsyncIterator[Wake]:
    redis_url = None if request.param == "in-process" else request.getfixturevalue("redis_url")
    async with open_wake(redis_url) as wake:
        if isinstance(wake, RedisWake):
            await within(wake.listening())
        yield wake


async def test_every_subscriber_of_the_topic_is_told_at_once(wake: Wake) -> None:
    first, second, other = wake.subscribe("inbox"), wake.subscribe("inbox"), wake.subscribe("outbox")

    wake.notify("inbox")

    assert (first.is_set(), second.is_set(), other.is_set()) == (True, True, False)


async def test_notifying_a_topic_that_nobody_knows_does_nothing(wake: Wake) -> None:
    wake.notify("nobody")


async def test_a_subscriber_that_went_away_is_forgotten() -> None:
    wake = InProcessWake()
    wake.subscribe("inbox")

    assert not any(wake._events["inbox"])


async def test_another_process_is_told(redis_url: str) -> None:
    async with listening(redis_url) as here, listening(redis_url) as there:
        told = there.subscribe("inbox")

        here.notify("inbox")

        await within(told.wait())


async def test_other_topics_are_not_told_elsewhere(redis_url: str) -> None:
    async with listening(redis_url) as here, listening(redis_url) as there:
        inbox, outbox = there.subscribe("inbox"), there.subscribe("outbox")

        here.notify("inbox")
        await within(inbox.wait())

        assert not outbox.is_set()


async def test_many_notifications_travel_as_few_messages(redis_url: str) -> None:
    async with listening(redis_url) as here, listening(redis_url) as there, Redis.from_url(redis_url) as spy:
        inbox, last = there.subscribe("inbox"), there.subscribe("last")
        before = await published(spy)

        for _ in range(1_000):
            here.notify("inbox")
        await within(inbox.wait())
        here.notify("last")
        await within(last.wait())

        assert await published(spy) - before == 2


async def test_its_own_message_does_not_come_back(redis_url: str) -> None:
    async with listening(redis_url) as here, listening(redis_url) as there:
        own, answer, told = here.subscribe("inbox"), here.subscribe("answer"), there.subscribe("inbox")
        here.notify("inbox")
        own.clear()
        await within(told.wait())

        there.notify("answer")
        await within(answer.wait())

        assert not own.is_set()


async def test_it_hears_again_after_the_server_was_away(private_redis: RedisServer) -> None:
    async with listening(private_redis.url) as here, listening(private_redis.url) as there:
        told = there.subscribe("inbox")
        private_redis.stop()
        here.notify("inbox")
        private_redis.start()

        await within(told.wait())
        await within(there.listening())
        told.clear()
        await within(here.listening())
        told.clear()
        here.notify("inbox")
        await within(told.wait())


async def test_connections_killed_under_it_are_made_again(redis_url: str) -> None:
    async with listening(redis_url) as here, listening(redis_url) as there, Redis.from_url(redis_url) as admin:
        told = there.subscribe("inbox")
        for kind in ("pubsub", "normal"):
            await admin.client_kill_filter(_type=kind, skipme=True)
        await within(told.wait())  # all are woken when the subscription is made again, as some may have been missed
        told.clear()

        here.notify("inbox")

        await within(told.wait())


async def test_subscribers_here_are_told_while_the_server_is_away(private_redis: RedisServer) -> None:
    private_redis.stop()
    async with RedisWake(private_redis.url) as wake:
        told = wake.subscribe("inbox")

        wake.notify("inbox")

        assert told.is_set()


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[RedisWake]:
    async with RedisWake(url) as wake:
        await within(wake.listening())
        yield wake


async def published(redis: Redis) -> int:
    statistics = await redis.info("commandstats")
    return int(statistics.get("cmdstat_publish", {"calls": 0})["calls"])


async def within(awaitable: Awaitable[object]) -> None:
    await asyncio.wait_for(awaitable, WITHIN_SECONDS)
