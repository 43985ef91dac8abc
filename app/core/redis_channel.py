"""Redis publish and subscribe that outlives the server: what wake-ups and live events have in common."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

__all__ = ["for_ever", "listener", "messages", "scoped", "sender"]

log = structlog.get_logger()

_LONGEST_PAUSE_SECONDS = 5.0
_ANSWER_SECONDS = 5.0
_SILENCE_SECONDS = 15.0  # a listener that heard nothing for so long asks whether the server is still there


def sender(url: str) -> Redis:
    """Return a client for publishing, which gives up on a silent server."""
    return Redis.from_url(url, socket_timeout=_ANSWER_SECONDS, socket_connect_timeout=_ANSWER_SECONDS)


def listener(url: str) -> Redis:
    """Return a client for subscribing, which may hear nothing for long."""
    return Redis.from_url(url, socket_timeout=None, socket_connect_timeout=_ANSWER_SECONDS)


def scoped(channel: str, redis: Redis) -> str:
    """Return the channel's name with the database's number: publish and subscribe know no databases."""
    return f"{channel}:{redis.connection_pool.connection_kwargs.get('db') or 0}"


async def messages(subscription: PubSub) -> AsyncIterator[bytes | None]:
    """Yield each message, and None when the subscription has just been made or made again.

    A connection that died without a word is found by a ping, whose answer comes the same way as messages do.
    """
    asked = False
    while True:
        message = await subscription.get_message(timeout=_ANSWER_SECONDS if asked else _SILENCE_SECONDS)
        if message is None:
            if asked:
                raise TimeoutError("the server did not answer a ping")
            await subscription.ping()
            asked = True
            continue
        asked = False
        if message["type"] == "subscribe":
            yield None
        elif message["type"] == "message":
            yield message["data"]


async def for_ever(name: str, work: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
    """Do `work` again whenever it fails, with growing pauses; it calls its argument each time it got through."""
    failures = 0

    def connected() -> None:
        nonlocal failures
        if failures:
            failures = 0
            log.info("redis.restored", task=name)

    while True:
        try:
            await work(connected)
        except Exception as error:  # noqa: BLE001 - outermost loop of its task: nothing may end it but the stop
            failures += 1
            if failures == 1:
                log.warning("redis.lost", task=name, error=type(error).__name__)
        longest = min(_LONGEST_PAUSE_SECONDS, 0.05 * 2 ** min(failures, 10))
        await asyncio.sleep(longest * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, protects nothing
