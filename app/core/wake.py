"""Wake-ups: how one part tells another that there is something to look for in the database.

A wake-up carries nothing and may be lost, doubled or late; whoever waits for one also looks every second. So telling
never fails and never waits, and many tellings become one.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol, Self, runtime_checkable
from weakref import WeakSet

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from app.core.ids import new_id

__all__ = ["InProcessWake", "RedisWake", "Wake", "open_wake"]

_log = structlog.get_logger()

_LONGEST_PAUSE_SECONDS = 5.0
_ANSWER_SECONDS = 5.0
_SILENCE_SECONDS = 15.0  # a listener that heard nothing for so long asks whether the server is still there


@runtime_checkable  # Litestar checks what it hands to controllers
class Wake(Protocol):
    """Tells subscribers of a topic to look again. An async context manager, because it may own tasks."""

    def notify(self, topic: str) -> None:
        """Set every event of the topic. Call it in the event loop after the commit it speaks of; it never fails."""

    def subscribe(self, topic: str) -> asyncio.Event:
        """Return an event that is set at each wake-up of the topic, for as long as the caller keeps it.

        The caller clears it before it looks for work, never after.
        """

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...


def open_wake(redis_url: str | None) -> Wake:
    """Return wake-ups between processes, or inside this one where there is no Redis."""
    return InProcessWake() if redis_url is None else RedisWake(redis_url)


class InProcessWake:
    """Wake-ups inside one process: subscribers are told at once."""

    def __init__(self) -> None:
        self._events: dict[str, WeakSet[asyncio.Event]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def notify(self, topic: str) -> None:
        for event in self._events.get(topic, ()):
            event.set()

    def notify_all(self) -> None:
        """Wake every subscriber of every topic."""
        for topic in self._events:
            self.notify(topic)

    def subscribe(self, topic: str) -> asyncio.Event:
        event = asyncio.Event()
        self._events.setdefault(topic, WeakSet()).add(event)
        return event


class RedisWake:
    """Wake-ups between processes, by Redis publish and subscribe on one channel.

    Subscribers in this process are told directly, whatever state Redis is in. What other processes must hear is
    gathered while the previous message travels, and sent as one. Lost connections are made again for ever, with one
    log line when the server is lost and one when it is back. Entering waits for no connection.
    """

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, socket_timeout=_ANSWER_SECONDS, socket_connect_timeout=_ANSWER_SECONDS)
        self._listener = Redis.from_url(url, socket_timeout=None, socket_connect_timeout=_ANSWER_SECONDS)
        # Publish and subscribe know no databases, so the channel's name carries the number.
        self._channel = f"mostrador:wake:{self._redis.connection_pool.connection_kwargs.get('db') or 0}"
        self._name = str(new_id())
        self._local = InProcessWake()
        self._unsent: set[str] = set()
        self._has_unsent = asyncio.Event()
        self._listening = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(_for_ever("wake.send", self._send), name="wake.send"),
            asyncio.create_task(_for_ever("wake.listen", self._listen), name="wake.listen"),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._redis.aclose()
        await self._listener.aclose()

    def notify(self, topic: str) -> None:
        self._local.notify(topic)
        self._unsent.add(topic)
        self._has_unsent.set()

    def subscribe(self, topic: str) -> asyncio.Event:
        return self._local.subscribe(topic)

    async def listening(self) -> None:
        """Wait until this process hears the others; before that they reach it only by its own looking."""
        await self._listening.wait()

    async def _send(self, connected: Callable[[], None]) -> None:
        while True:
            await self._has_unsent.wait()
            self._has_unsent.clear()
            topics, self._unsent = self._unsent, set()
            try:
                await self._redis.publish(self._channel, "\n".join([self._name, *topics]))
            except BaseException:
                self._unsent |= topics
                self._has_unsent.set()
                raise
            connected()

    async def _listen(self, connected: Callable[[], None]) -> None:
        try:
            async with self._listener.pubsub() as subscription:
                await subscription.subscribe(self._channel)
                async for said in _messages(subscription):
                    connected()
                    if said is None:
                        self._listening.set()
                        self._local.notify_all()  # whatever was said while this process could not hear
                    else:
                        self._heard(*said.split("\n"))
        finally:
            self._listening.clear()

    def _heard(self, sender: str, *topics: str) -> None:
        if sender != self._name:  # its own were told directly
            for topic in topics:
                self._local.notify(topic)


async def _messages(subscription: PubSub) -> AsyncIterator[str | None]:
    """Yield the text of each message, and None when the subscription has just been made or made again.

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
            yield message["data"].decode(errors="replace")


async def _for_ever(name: str, work: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
    """Do `work` again whenever it fails, with growing pauses; it calls its argument each time it got through."""
    failures = 0

    def connected() -> None:
        nonlocal failures
        if failures:
            failures = 0
            _log.info("redis.restored", task=name)

    while True:
        try:
            await work(connected)
        except Exception as error:  # noqa: BLE001 - outermost loop of its task: nothing may end it but the stop
            failures += 1
            if failures == 1:
                _log.warning("redis.lost", task=name, error=repr(error))
        longest = min(_LONGEST_PAUSE_SECONDS, 0.05 * 2 ** min(failures, 10))
        await asyncio.sleep(longest * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, protects nothing
