"""The live bus between processes, over Redis publish and subscribe on one channel."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Self
from uuid import UUID

import msgspec
import structlog

from app.core.ids import new_id
from app.core.redis_channel import for_ever, listener, messages, scoped, sender
from app.live.bus import InProcessBus, News, Subscription
from app.live.schemas import Happened, LiveEvent, Present

_MOST_UNSENT = 4096
_MOST_IN_ONE = 256
_GATHER_SECONDS = 0.02  # nobody sees so short a wait, and a message that is answered makes half a dozen events

log = structlog.get_logger()


class _Bundle(msgspec.Struct, frozen=True):
    """What travels through Redis. `lost` says that the sender had to drop events before these."""

    sender: UUID
    lost: bool
    news: list[News]


class RedisBus:
    """Events between processes.

    Listeners of this process get its own events directly, whatever state Redis is in. For the others, events are
    gathered for 20 ms, and while the previous bundle travels, and sent as one; at most 4,096 wait. A lost connection is
    made again for ever; after each gap every listener is told to resync, since Redis keeps nothing for absent
    subscribers. Entering waits for no connection.
    """

    def __init__(self, url: str) -> None:
        self._sender = sender(url)
        self._listener = listener(url)
        self._channel = scoped("mostrador:live", self._sender)
        self._name = new_id()
        self._local = InProcessBus()
        self._unsent: deque[News] = deque()
        self._lost = False
        self._has_unsent = asyncio.Event()
        self._listening = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(for_ever("live.send", self._send), name="live.send"),
            asyncio.create_task(for_ever("live.listen", self._listen), name="live.listen"),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._sender.aclose()
        await self._listener.aclose()

    def publish(self, topic: str, event: LiveEvent) -> None:
        self._hand_over(Happened(topic=topic, event=event))

    def tell(self, present: Present) -> None:
        self._hand_over(present)

    def _hand_over(self, news: News) -> None:
        self._local.deliver([news])
        if len(self._unsent) >= _MOST_UNSENT:
            self._unsent.clear()
            self._lost = True
        self._unsent.append(news)
        self._has_unsent.set()

    def subscribe(self) -> AbstractContextManager[Subscription]:
        return self._local.subscribe()

    async def listening(self) -> None:
        """Wait until this process hears the others."""
        await self._listening.wait()

    async def _send(self, connected: Callable[[], None]) -> None:
        while True:
            await self._has_unsent.wait()
            if len(self._unsent) < _MOST_IN_ONE:
                await asyncio.sleep(_GATHER_SECONDS)
            sending = [self._unsent[place] for place in range(min(len(self._unsent), _MOST_IN_ONE))]
            lost, self._lost = self._lost, False
            try:
                bundle = _Bundle(sender=self._name, lost=lost, news=sending)
                await self._sender.publish(self._channel, msgspec.json.encode(bundle))
            except BaseException:
                self._lost = self._lost or lost
                raise
            self._sent(sending)
            connected()

    def _sent(self, sending: Sequence[News]) -> None:
        for news in sending:
            if self._unsent and self._unsent[0] is news:  # it may have been dropped while the bundle travelled
                self._unsent.popleft()
        if not self._unsent:
            self._has_unsent.clear()

    async def _listen(self, connected: Callable[[], None]) -> None:
        try:
            async with self._listener.pubsub() as subscription:
                await subscription.subscribe(self._channel)
                async for said in messages(subscription):
                    connected()
                    if said is None:
                        self._listening.set()
                        self._local.resync()  # whatever was said while this process could not hear
                    else:
                        self._heard(said)
        finally:
            self._listening.clear()

    def _heard(self, said: bytes) -> None:
        try:
            bundle = msgspec.json.decode(said, type=_Bundle)
        except msgspec.MsgspecError:
            log.warning("live.unreadable")  # another version of this program, for the time of an update
            self._local.resync()
            return
        if bundle.sender == self._name:  # its own were delivered directly
            return
        if bundle.lost:
            self._local.resync()
        self._local.deliver(bundle.news)
