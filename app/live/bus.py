"""The live bus: who publishes need not know who listens, and never waits for them."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, Self

from app.live.schemas import Happened, LiveEvent, Present, Resync, conversation_topic

News = Happened | Present

_MOST_QUEUED = 256


class Subscription:
    """One listener: the topics it wants and what it has not read yet, at most 256 events.

    When that is too little, what was kept is dropped and the listener gets one `Resync` instead.
    """

    def __init__(self) -> None:
        self.topics: set[str] = set()
        self._queued: asyncio.Queue[News | Resync] = asyncio.Queue(_MOST_QUEUED)

    def offer(self, news: News) -> None:
        """Queue what is told if the listener wants its topic."""
        if _topic_of(news) not in self.topics:
            return
        try:
            self._queued.put_nowait(news)
        except asyncio.QueueFull:
            self.resync()

    def resync(self) -> None:
        """Replace all that is queued by one `Resync`."""
        while not self._queued.empty():
            self._queued.get_nowait()
        self._queued.put_nowait(Resync())

    async def next(self) -> News | Resync:
        """Wait for what comes next."""
        return await self._queued.get()

    async def __aiter__(self) -> AsyncIterator[News | Resync]:
        while True:
            yield await self.next()


class LiveBus(Protocol):
    """Carries events to whoever listens now, best effort. An async context manager, because it may own tasks."""

    def publish(self, topic: str, event: LiveEvent) -> None:
        """Hand an event over. Call it in the event loop, after the commit it speaks of; it never waits or fails."""

    def tell(self, present: Present) -> None:
        """Hand over that somebody is there, to those who listen to the conversation; it never waits or fails."""

    def subscribe(self) -> AbstractContextManager[Subscription]:
        """Give a subscription, without topics yet, for the time of a `with` block."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...


class InProcessBus:
    """The bus inside one process."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def publish(self, topic: str, event: LiveEvent) -> None:
        self.deliver([Happened(topic=topic, event=event)])

    def tell(self, present: Present) -> None:
        self.deliver([present])

    def deliver(self, news: Iterable[News]) -> None:
        """Offer what is told to every subscription of this process."""
        for one in news:
            for subscription in self._subscriptions:
                subscription.offer(one)

    def resync(self) -> None:
        """Tell every listener of this process that events may have been lost."""
        for subscription in self._subscriptions:
            subscription.resync()

    @contextmanager
    def subscribe(self) -> Iterator[Subscription]:
        subscription = Subscription()
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)


def _topic_of(news: News) -> str:
    return news.topic if isinstance(news, Happened) else conversation_topic(news.conversation_id)
