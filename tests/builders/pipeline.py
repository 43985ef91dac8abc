"""Rows of the message path, as its stages leave them. Everything has a default; a test says what matters."""

import contextlib
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.accounts.models import users
from app.ai.llm.models import model_calls
from app.contacts.models import contact_identifiers, contacts
from app.conversations.models import conversations, messages, turns
from app.core.db import Database, metadata
from app.core.folding import fold
from app.core.ids import new_id
from app.core.security.permissions import Role
from app.outbound.models import outbound_messages
from app.outbound.reading import kind_of, readable_text
from app.tables import metadata as all_tables
from app.whatsapp.content import Content, Text, encode_content
from app.whatsapp.models import channels, inbound_events, media
from tests.builders.rows import audited

assert all_tables is metadata  # every table is known by now, whatever a test imports


@contextlib.asynccontextmanager
async def database_of(url: str) -> AsyncIterator[Database]:
    """An open database with every table."""
    async with audited(url) as database:
        async with database.write() as connection:
            await connection.run_sync(metadata.create_all)
        yield database


async def create_tables(url: str) -> None:
    """Make every table, and leave no connection behind: the shape of a template's build."""
    async with database_of(url):
        pass


class Pipeline:
    """Inserts rows, each in a unit of work of its own, and returns their ids."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._numbers = iter(range(1, 1_000_000))

    async def channel(self, **values: Any) -> UUID:
        number = next(self._numbers)
        return await self._insert(
            channels,
            {"kind": "cloud", "name": f"Shop {number}", "source": "panel", "phone_number_id": f"1065403{number:05}"},
            values,
        )

    async def contact(self, **values: Any) -> UUID:
        number = next(self._numbers)
        values = {**values, "folded_name": fold(values.get("name", "Ana") or "")}
        contact_id = await self._insert(contacts, {"name": "Ana", "phone": f"57300{number:07}"}, values)
        phone = values.get("phone", f"57300{number:07}")
        if phone is not None:
            async with self.database.write() as connection:
                await connection.execute(
                    contact_identifiers.insert().values(kind="phone", value=phone, contact_id=contact_id)
                )
        return contact_id

    async def conversation(self, **values: Any) -> UUID:
        """A conversation whose customer wrote a minute ago; its channel and contact are made unless given."""
        minute_ago = datetime.now(UTC) - timedelta(minutes=1)
        return await self._insert(
            conversations,
            {"last_message_at": minute_ago, "last_inbound_at": minute_ago},
            {
                **values,
                "channel_id": values.get("channel_id") or await self.channel(),
                "contact_id": values.get("contact_id") or await self.contact(),
            },
        )

    async def message(self, conversation_id: UUID, text: str = "hello", **values: Any) -> UUID:
        """An inbound text message, unless `values` say otherwise."""
        number = next(self._numbers)
        return await self._insert(
            messages,
            {
                "conversation_id": conversation_id,
                "channel_id": await self._of(conversation_id, "channel_id"),
                "author": "customer",
                "kind": "text",
                "text": text,
                "payload": '{"type":"text"}',
                "wamid": f"wamid.in.{number}",
                "sent_at": datetime.now(UTC),
            },
            values,
        )

    async def file(self, message_id: UUID, **values: Any) -> UUID:
        return await self._insert(
            media,
            {
                "message_id": message_id,
                "channel_id": new_id(),
                "provider_id": "media.1",
                "kind": "image",
                "mime_type": "image/jpeg",
                "state": "pending",
            },
            values,
        )

    async def turn(self, conversation_id: UUID, **values: Any) -> UUID:
        now = datetime.now(UTC)
        return await self._insert(
            turns,
            {
                "conversation_id": conversation_id,
                "state": "collecting",
                "opened_at": now,
                "latest_at": now,
                "due_at": now,
            },
            values,
        )

    async def outbound(self, conversation_id: UUID, content: Content | None = None, **values: Any) -> UUID:
        """An answer of the bot that waits, with its message in the thread, unless `values` say otherwise."""
        now = datetime.now(UTC)
        content = content or Text("At nine.")
        stored = encode_content(content).decode()
        origin = values.get("origin", "reply")
        outbound_id = await self._insert(
            outbound_messages,
            {
                "conversation_id": conversation_id,
                "channel_id": await self._of(conversation_id, "channel_id"),
                "contact_id": await self._of(conversation_id, "contact_id"),
                "origin": "reply",
                "content": stored,
                "state": "pending",
                "scheduled_at": now,
                "due_at": now,
                "created_at": now,
            },
            values,
        )
        await self._insert(
            messages,
            {},
            {
                "id": outbound_id,
                "conversation_id": conversation_id,
                "channel_id": await self._of(conversation_id, "channel_id"),
                "author": "person" if origin == "person" else "bot",
                "kind": kind_of(content),
                "text": readable_text(content),
                "payload": stored,
                "sent_at": now,
                "turn_id": values.get("turn_id"),
            },
        )
        return outbound_id

    async def user(self, name: str = "", *, role: Role = "agent", **values: Any) -> UUID:
        number = next(self._numbers)
        return await self._insert(
            users,
            {
                "username": name or f"user{number}",
                "password_hash": "nobody's",
                "role": role,
                "created_at": datetime.now(UTC),
            },
            values,
        )

    async def model_call(self, turn_id: UUID, **values: Any) -> UUID:
        return await self._insert(
            model_calls,
            {
                "turn_id": turn_id,
                "position": 0,
                "token": 1,
                "provider": "gemini",
                "model": "gemini-flash",
                "outcome": "answered",
                "milliseconds": 420,
            },
            values,
        )

    async def event(self, body: bytes = b'{"entry":[]}', **values: Any) -> UUID:
        """A stored webhook that waits."""
        now = datetime.now(UTC)
        digest = hashlib.sha256(body + str(next(self._numbers)).encode()).digest()
        return await self._insert(
            inbound_events,
            {"digest": digest, "body": body, "received_at": now, "state": "pending", "due_at": now},
            values,
        )

    async def row(self, table: sa.Table, row_id: UUID) -> Any:
        async with self.database.read() as connection:
            return (await connection.execute(sa.select(*table.c).where(table.c.id == row_id))).one()

    async def change(self, table: sa.Table, row_id: UUID, **values: Any) -> None:
        async with self.database.write() as connection:
            await connection.execute(sa.update(table).where(table.c.id == row_id).values(**values))

    async def _of(self, conversation_id: UUID, column: str) -> UUID:
        row = await self.row(conversations, conversation_id)
        return UUID(str(getattr(row, column)))

    async def _insert(self, table: sa.Table, defaults: dict[str, Any], values: dict[str, Any]) -> UUID:
        row = {"id": new_id(), **defaults, **values}
        async with self.database.write() as connection:
            await connection.execute(table.insert().values(**row))
        return UUID(str(row["id"]))
