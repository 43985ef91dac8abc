"""The pipeline's verbs on a real SQLite file, without processes and without a network, for the state machine."""

import contextlib
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.ai.replies.conclude import Conclusion, Decision, conclude
from app.conversations import answering
from app.conversations.answering import ClaimedTurn
from app.conversations.control import give_to
from app.conversations.models import conversations, turns
from app.conversations.receive import Arrival, Threads, receive
from app.conversations.turns import Control, Pace
from app.core.db import Database, db_now
from app.outbound.leaving import Leaving, start, sweep
from app.outbound.models import outbound_messages
from app.outbound.outcomes import Outcome, save
from app.outbound.queue import Draft, enqueue
from app.outbound.statuses import Told, record_statuses
from app.whatsapp.content import Text
from app.whatsapp.models import channels
from app.whatsapp.pacing import LocalPacer
from tests.builders.rows import arrival, told

PACE = Pace(quiet_seconds=0, max_wait_seconds=0, max_restarts=2)
CHANNEL = UUID(int=1)


def inbound(customer: int, number: int) -> Arrival:
    """A text message: the same customer and number make the same message."""
    return arrival(
        CHANNEL, f"5730000000{customer}", wamid=f"wamid.in.{customer}.{number}", text=f"message {customer}.{number}"
    )


def status(wamid: str, word: str, tracker: str | None) -> Told:
    return told(CHANNEL, word, wamid=wamid, tracker=tracker)


class _Died(Exception):
    """The process, before its COMMIT."""


class Pipeline:
    """Each verb is one unit of work, as in production. `expire_leases` is the death of whoever held one."""

    def __init__(self, template: Path, directory: Path) -> None:
        path = directory / "pipeline.db"
        shutil.copy(template, path)
        self.database = Database(f"sqlite:///{path}")
        self.threads = Threads()
        self.pacer = LocalPacer()

    async def open(self) -> None:
        await self.database.__aenter__()
        async with self.database.write() as connection:
            await connection.execute(
                channels.insert().values(
                    id=CHANNEL,
                    kind="cloud",
                    name="one",
                    source="panel",
                    phone_number_id="100",
                    messages_per_second=100_000,
                    created_at=db_now(),
                )
            )

    async def close(self) -> None:
        await self.database.__aexit__()

    async def receive(self, arrivals: Sequence[Arrival]) -> int:
        async with self.database.write() as connection:
            now = await self.database.now(connection)
            return await receive(connection, arrivals, now=now, pace=PACE, threads=self.threads)

    async def lose(self, arrivals: Sequence[Arrival]) -> None:
        """Receive in a unit of work that is undone, as when its process dies before the COMMIT."""
        with contextlib.suppress(_Died):
            async with self.database.write() as connection:
                now = await self.database.now(connection)
                await receive(connection, arrivals, now=now, pace=PACE, threads=self.threads)
                raise _Died
        self.threads.forget()

    async def claim(self, limit: int) -> list[ClaimedTurn]:
        async with self.database.write() as connection:
            return await answering.claim(connection, limit)

    async def conclude(self, decided: Sequence[tuple[ClaimedTurn, Decision]]) -> list[bool]:
        async with self.database.write() as connection:
            now = await self.database.now(connection)
            return await conclude(connection, [Conclusion(turn, one) for turn, one in decided], now=now, pace=PACE)

    async def give_to(self, conversation_id: UUID, control: Control) -> None:
        async with self.database.write() as connection:
            await give_to(connection, conversation_id, control)

    async def write(self, conversation_id: UUID, *, later: bool) -> None:
        """A person takes the conversation and writes, now or for later."""
        (row,) = await self.rows(conversations, conversations.c.id == conversation_id)
        async with self.database.write() as connection:
            now = await self.database.now(connection)
            await give_to(connection, conversation_id, "person")
            draft = Draft(
                conversation_id=conversation_id,
                channel_id=row.channel_id,
                contact_id=row.contact_id,
                origin="person",
                content=Text("A person here."),
                scheduled_at=now + timedelta(hours=1) if later else None,
            )
            await enqueue(connection, [draft], now=now)

    async def stop_channel(self, *, stopped: bool) -> None:
        async with self.database.write() as connection:
            await connection.execute(sa.update(channels).values(stopped_at=db_now() if stopped else None))

    async def start(self, limit: int) -> list[Leaving]:
        async with self.database.write() as connection:
            now = await self.database.now(connection)
            await sweep(connection)
            return await start(connection, self.pacer, limit, now=now)

    async def save(self, outcomes: Sequence[Outcome]) -> list[bool]:
        async with self.database.write() as connection:
            return await save(connection, outcomes, now=await self.database.now(connection))

    async def told(self, statuses: Sequence[Told]) -> int:
        async with self.database.write() as connection:
            return await record_statuses(connection, statuses, now=await self.database.now(connection))

    async def expire_leases(self) -> None:
        """Let every lease end and every wish for later come true."""
        past = datetime.now(UTC) - timedelta(seconds=1)
        async with self.database.write() as connection:
            await connection.execute(sa.update(turns).values(due_at=past))
            await connection.execute(sa.update(outbound_messages).values(due_at=past, scheduled_at=past))

    async def rows(self, table: sa.Table, *where: sa.ColumnElement[bool]) -> Sequence[Any]:
        async with self.database.read() as connection:
            return (await connection.execute(sa.select(*table.c).where(*where).order_by(table.c.id))).all()
