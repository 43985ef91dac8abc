"""A crowd: people who write, colleagues who read the panel, browsers that listen. What each waited is kept."""

import asyncio
import contextlib
import itertools
import random
import time
from collections import Counter
from collections.abc import Awaitable

from websockets.asyncio.client import connect

from app.core.http_client import HttpError, HttpResponse
from tests.builders import whatsapp as wire
from tests.builders.journeys import Customer, Journey

READ_PATHS = (
    "/api/conversations?limit=30",
    "/api/outbound?limit=30",
    "/api/whatsapp/channels",
    "/api/system/health",
    "/api/whatsapp/events?limit=20",
)


class Crowd:
    """`writers` send webhooks one after the other, each about once in `think_seconds`; readers and listeners beside."""

    def __init__(self, journey: Journey, people: list[Customer], chance: random.Random) -> None:
        self._journey = journey
        self._people = people
        self._chance = chance
        self._numbers = itertools.count(1)
        self.webhook_seconds: list[float] = []
        self.read_seconds: list[float] = []
        self.answers: Counter[str] = Counter()
        self.heard = 0
        self.written: list[str] = []

    async def act(self, *, writers: int, readers: int, listeners: int, seconds: float, think_seconds: float) -> None:
        """Let all of them do what they do for so long."""
        await self._journey.token()  # once, for all
        over = time.monotonic() + seconds
        async with asyncio.TaskGroup() as tasks:
            for _ in range(writers):
                tasks.create_task(self._write(over, think_seconds))
            for _ in range(readers):
                tasks.create_task(self._read(over, think_seconds))
            for _ in range(listeners):
                tasks.create_task(self._listen(over))

    async def _write(self, over: float, think_seconds: float) -> None:
        await asyncio.sleep(self._chance.uniform(0, think_seconds))
        while time.monotonic() < over:
            person = self._chance.choice(self._people)
            wamid = f"wamid.crowd.{next(self._numbers)}"
            text = f"m{person.key}x{wamid.rpartition('.')[2]}"
            body = wire.webhook(wire.messages(wire.text(text, wamid=wamid, **{"from": person.key})))
            started = time.monotonic()
            status = await self._answer("webhook", self._journey.webhook(body))
            self.webhook_seconds.append(time.monotonic() - started)
            if status == "200":
                self.written.append(wamid)
            await asyncio.sleep(self._chance.uniform(0, 2 * think_seconds))

    async def _read(self, over: float, think_seconds: float) -> None:
        await asyncio.sleep(self._chance.uniform(0, think_seconds))
        while time.monotonic() < over:
            started = time.monotonic()
            await self._answer("read", self._journey.api("GET", self._chance.choice(READ_PATHS)))
            self.read_seconds.append(time.monotonic() - started)
            await asyncio.sleep(self._chance.uniform(0, 2 * think_seconds))

    async def _answer(self, what: str, asking: Awaitable[HttpResponse]) -> str:
        try:
            status = str((await asking).status)
        except HttpError as error:
            status = error.reason
        self.answers[f"{what} {status}"] += 1
        return status

    async def _listen(self, over: float) -> None:
        token = await self._journey.token()
        address = self._journey.house.url.replace("http", "ws", 1) + "/api/live"
        async with connect(address) as socket:
            await socket.send(f'{{"type":"auth","token":"{token}"}}')
            await socket.send('{"type":"subscribe","topics":["conversations","outbound"]}')
            while (left := over - time.monotonic()) > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(socket.recv(), left)
                    self.heard += 1


def percentile_ms(seconds: list[float], share: float) -> float:
    return round(sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))] * 1000, 1) if seconds else 0.0
