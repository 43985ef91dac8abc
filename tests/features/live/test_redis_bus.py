import asyncio
from contextlib import AsyncExitStack

import pytest
import redis.asyncio

from app.core.ids import new_id
from app.live.bus import Subscription
from app.live.redis_bus import RedisBus
from app.live.schemas import Happened, LiveEvent, Present, Resync, conversation_topic
from tests.servers import RedisServer

pytestmark = pytest.mark.redis


async def settled(subscription: Subscription) -> None:
    """Wait for the resync that every (new) connection begins with."""
    assert await within(subscription) == Resync()


async def within(subscription: Subscription) -> Happened | Present | Resync:
    async with asyncio.timeout(20):
        return await subscription.next()


async def heard(subscription: Subscription, kind: str) -> Happened:
    """Wait for an event of this type."""
    while True:
        happened = await within(subscription)
        if isinstance(happened, Happened) and happened.event.type == kind:
            return happened


async def test_an_event_reaches_the_other_processes_once(redis_url: str) -> None:
    async with RedisBus(redis_url) as here, RedisBus(redis_url) as there:
        with here.subscribe() as own, there.subscribe() as other:
            own.topics = other.topics = {"system"}
            await settled(own)
            await settled(other)
            for number in range(3):
                here.publish("system", LiveEvent(type=f"event.{number}"))
            here.publish("outbound", LiveEvent(type="not.wanted"))
            there.publish("system", LiveEvent(type="answer"))
            assert [(await heard(other, kind)).event.type for kind in ("event.0", "event.1", "event.2")]
            seen = []
            while "answer" not in seen:
                happened = await within(own)
                assert isinstance(happened, Happened)
                seen.append(happened.event.type)
            assert seen == ["event.0", "event.1", "event.2", "answer"]


async def test_listeners_of_the_same_process_do_not_need_redis() -> None:
    async with RedisBus("redis://127.0.0.1:1") as bus:
        with bus.subscribe() as subscription:
            subscription.topics = {"system"}
            bus.publish("system", LiveEvent(type="provider.changed"))
            happened = await within(subscription)
    assert isinstance(happened, Happened)


async def test_after_redis_came_back_events_flow_again_and_listeners_are_told_of_the_gap(
    private_redis: RedisServer,
) -> None:
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(RedisBus(private_redis.url))
        there = await stack.enter_async_context(RedisBus(private_redis.url))
        other = stack.enter_context(there.subscribe())
        other.topics = {"system"}
        await settled(other)
        for outage in (1, 2):
            await asyncio.to_thread(private_redis.stop)
            here.publish("system", LiveEvent(type=f"in.outage.{outage}"))
            await asyncio.to_thread(private_redis.start)
            await settled(other)
            here.publish("system", LiveEvent(type=f"after.outage.{outage}"))
            await heard(other, f"after.outage.{outage}")


async def test_events_that_had_to_be_dropped_become_a_resync_elsewhere(redis_url: str) -> None:
    async with RedisBus(redis_url) as here, RedisBus(redis_url) as there:
        with there.subscribe() as other:
            other.topics = {"system"}
            await settled(other)
            for _ in range(4096 + 1):
                here.publish("system", LiveEvent(type="flood"))
            here.publish("system", LiveEvent(type="last"))
            assert await within(other) == Resync()
            await heard(other, "last")


async def test_a_message_of_another_version_is_a_resync(redis_url: str) -> None:
    async with RedisBus(redis_url) as bus, redis.asyncio.Redis.from_url(redis_url) as stranger:
        with bus.subscribe() as subscription:
            await settled(subscription)
            await stranger.publish(bus._channel, b"what is this?")
            assert await within(subscription) == Resync()


async def test_who_is_there_is_seen_in_the_other_processes(redis_url: str) -> None:
    there_now = Present(conversation_id=new_id(), user_id=new_id(), name="marta", state="typing")
    async with RedisBus(redis_url) as here, RedisBus(redis_url) as there:
        with there.subscribe() as other:
            other.topics = {conversation_topic(there_now.conversation_id)}
            await settled(other)
            here.tell(there_now)
            assert await within(other) == there_now
