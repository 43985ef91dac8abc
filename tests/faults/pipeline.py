"""The pipeline's verbs on a real SQLite file, without processes and without a network: what the state machine drives."""

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.ai.replies.conclude import Conclusion, Decision, conclude
from app.contacts.models import contacts
from app.conversations import answering
from app.conversations.answering import ClaimedTurn
from app.conversations.control import give_to
from app.conversations.models import conversations, messages, turns
from app.conversations.receive import Arrival, Threads, receive
from app.conversations.turns import Control, Pace
from app.core.db import Database, db_now
from app.core.ids import new_id
from app.outbound.leaving import Leaving, start, sweep
from app.outbound.models import outbound_messages
from app.outbound.outcomes import Outcome, save
from app.outbound.statuses import Told, record_statuses
from app.whatsapp.inbound import DeliveryStatus, InboundMessage, Sender
from app.whatsapp.models import channels
from app.whatsapp.pacing import LocalPacer

PACE = Pace(quiet_seconds=0, max_wait_seconds=0, max_restarts=2)
CHANNEL = UUID(int=1)


def inbound(customer: int, number: int) -> Arrival:
    """A text message: the same customer and number make the same message."""
    return Arrival(
        CHANNEL,
        new_id(),
        InboundMessage(
            phone_number_id="100",
            business_account_id="1",
            message_id=f"wamid.in.{customer}.{number}",
            sender=Sender(phone=f"5730000000{customer}", profile_name="Ana"),
            sent_at=datetime.now(UTC) - timedelta(seconds=1),
            kind="text",
            text=f"message {number}",
            turn=True,
            key=f"{customer}.{number}",
            payload=b"{}",
        ),
    )


def status(wamid: str, word: str, tracker: str | None) -> Told:
    return Told(
        CHANNEL,
        new_id(),
        DeliveryStatus(
            phone_number_id="100",
            business_account_id="1",
            message_id=wamid,
            status=word,
            at=datetime.now(UTC),
            key=f"{wamid}.{word}",
            payload=b"{}",
            tracker=tracker,
        ),
    )


class Pipeline:
    """Each verb is one unit of work, as in production. `forget` and `expire_leases` are a process's death."""

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
                    id=CHANNEL, kind="cloud", name="one", source="panel", phone_number_id="100", created_at=db_now()
                )
            )

    async def close(self) -> None:
        await self.database.__aexit__()

    async def receive(self, arrivals: Sequence[Arrival]) -> int:
        async with self.database.write() as connection:
            return await receive(
                connection, arrivals, now=datetime.now(UTC), pace=PACE, threads=self.threads
            )

    async def claim(self, limit: int) -> list[ClaimedTurn]:
        async with self.database.write() as connection:
            return await answering.claim(connection, limit)

    async def conclude(self, turn: ClaimedTurn, decision: Decision) -> bool:
        async with self.database.write() as connection:
            (ours,) = await conclude(connection, [Conclusion(turn, decision)], now=datetime.now(UTC), pace=PACE)
        return ours

    async def give_to(self, conversation_id: UUID, control: Control) -> None:
        async with self.database.write() as connection:
            await give_to(connection, conversation_id, control)

    async def start(self, limit: int) -> list[Leaving]:
        async with self.database.write() as connection:
            now = datetime.now(UTC)
            await sweep(connection)
            return await start(connection, self.pacer, limit, now=now)

    async def save(self, outcome: Outcome) -> bool:
        async with self.database.write() as connection:
            (ours,) = await save(connection, [outcome], now=datetime.now(UTC))
        return ours

    async def told(self, statuses: Sequence[Told]) -> int:
        async with self.database.write() as connection:
            return await record_statuses(connection, statuses, now=datetime.now(UTC))

    async def expire_leases(self) -> None:
        """Let every lease end now, as if its holder had died half a minute ago."""
        past = datetime.now(UTC) - timedelta(seconds=1)
        async with self.database.write() as connection:
            await connection.execute(sa.update(turns).values(due_at=past))
            await connection.execute(sa.update(outbound_messages).values(due_at=past))

    async def rows(self, table: sa.Table, *where: sa.ColumnElement[bool]) -> Sequence[Any]:
        async with self.database.read() as connection:
            return (await connection.execute(sa.select(*table.c).where(*where).order_by(table.c.id))).all()


TABLES = (channels, contacts, conversations, messages, turns, outbound_messages)
