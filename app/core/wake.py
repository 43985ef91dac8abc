"""Wake-ups: how one part tells another that there is something to look for in the database.

A wake-up carries nothing and may be lost, doubled or late; whoever waits for one also looks every second. So telling
never fails and never waits, and many tellings become one.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol, Self, runtime_checkable
from weakref import WeakSet

from app.core.ids import new_id
from app.core.redis_channel import for_ever, listener, messages, scoped, sender

__all__ = ["InProcessWake", "RedisWake", "Wake", "open_wake"]

_GATHER_SECONDS = 0.005  # as a dispatcher does between two looks: it would not look sooner


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

    Subscribers in this process are told directly, whatever state Redis is in. What other processes must hear is sent at
    once; what comes within 5 ms after that, or while it travels, is gathered and sent as one. Lost connections are made
    again for ever, with one log line when the server is lost and one when it is back. Entering waits for no connection.
    """

    def __init__(self, url: str) -> None:
        self._redis = sender(url)
        self._listener = listener(url)
        self._channel = scoped("mostrador:wake", self._redis)
        self._name = str(new_id())
        self._local = InProcessWake()
        self._unsent: set[str] = set()
        self._has_unsent = asyncio.Event()
        self._listening = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(for_ever("wake.send", self._send), name="wake.send"),
            asyncio.create_task(for_ever("wake.listen", self._listen), name="wake.listen"),
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
        loop = asyncio.get_running_loop()
        gather_until = 0.0
        while True:
            await self._has_unsent.wait()
            await asyncio.sleep(gather_until - loop.time())
            gather_until = loop.time() + _GATHER_SECONDS
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
                async for said in messages(subscription):
                    connected()
                    if said is None:
                        self._listening.set()
                        self._local.notify_all()  # whatever was said while this process could not hear
                    else:
                        self._heard(*said.decode(errors="replace").split("\n"))
        finally:
            self._listening.clear()

    def _heard(self, sender: str, *topics: str) -> None:
        if sender != self._name:  # its own were told directly
            for topic in topics:
                self._local.notify(topic)
