"""Blue ticks and "typing…" are for those who wait."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from app.ai.llm.attempts import Answered, Attempt
from app.ai.llm.chat import ChatReply
from app.ai.replies.service import Replies
from app.conversations.turns import Pace
from app.core.db import Database
from app.core.metrics import Metrics
from tests.builders.pipeline import Pipeline
from tests.builders.rows import BOTH, migrated

PAST = datetime(2026, 1, 1, tzinfo=UTC)
ATTEMPT = Attempt(route_id="r", provider="p", model="m", outcome="answered")


class Model:
    """The router; it answers once `go` is set."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def answer(self, request: Any, *, conversation_key: str | None, trace: object) -> Answered:
        del request, conversation_key
        await self.go.wait()
        return Answered(ChatReply(text="At nine.", finish="stop"), (ATTEMPT,))


class OneChannel:
    async def get(self, channel_id: UUID) -> Any:
        del channel_id
        return SimpleNamespace(kind="cloud", access=object(), stopped=False)


class Phone:
    """The transport: keeps what was marked as read."""

    def __init__(self) -> None:
        self.read: list[tuple[str, bool]] = []
        self.shown = asyncio.Event()

    async def mark_read(self, channel: Any, message_id: str, *, typing: bool) -> None:
        del channel
        self.read.append((message_id, typing))
        self.shown.set()


class World:
    def __init__(self, database: Database, media_dir: Path) -> None:
        self.pipeline = Pipeline(database)
        self.model = Model()
        self.phone = Phone()
        self.replies = Replies(
            database,
            self.model,  # type: ignore[arg-type]
            OneChannel(),  # type: ignore[arg-type]
            {"cloud": self.phone},  # type: ignore[dict-item]
            Metrics(),
            pace=Pace(0, 0),
            media_dir=media_dir,
        )

    async def is_asked(self, wamid: str) -> None:
        conversation_id = await self.pipeline.conversation()
        turn_id = await self.pipeline.turn(conversation_id, due_at=PAST)
        await self.pipeline.message(conversation_id, "When?", turn_id=turn_id, kind="text", wamid=wamid)

    async def answers(self) -> None:
        (turn,) = await self.replies.claim(10)
        await self.replies.handle(turn)


@pytest.fixture(params=BOTH)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with migrated(request, tmp_path) as database:
        world = World(database, tmp_path)
        async with world.replies:
            yield world


async def test_who_waits_for_an_answer_sees_that_it_is_coming(world: World) -> None:
    await world.is_asked("wamid.SLOW")
    answering = asyncio.create_task(world.answers())
    async with asyncio.timeout(10):
        await world.phone.shown.wait()
    assert not answering.done()
    world.model.go.set()
    await answering
    assert world.phone.read == [("wamid.SLOW", True)]


async def test_an_answer_that_comes_at_once_leaves_nothing_to_show(world: World) -> None:
    world.model.go.set()
    await world.is_asked("wamid.QUICK")
    await world.answers()

    world.model.go.clear()
    await world.is_asked("wamid.SLOW")
    later = asyncio.create_task(world.answers())
    async with asyncio.timeout(10):
        await world.phone.shown.wait()  # by now the quick one would have been shown too
    world.model.go.set()
    await later
    assert world.phone.read == [("wamid.SLOW", True)]
