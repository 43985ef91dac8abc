"""A migrated database of either kind, and what the stages of the message path are given: arrivals, statuses, turns."""

import contextlib
import shutil
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from app.audit.keys import sealed_by
from app.conversations import answering
from app.conversations.answering import ClaimedTurn, Said
from app.conversations.receive import Arrival
from app.core.db import Database
from app.core.db.migrate import migrate
from app.core.ids import new_id
from app.core.security.cipher import Cipher
from app.outbound.statuses import Told
from app.whatsapp.inbound import DeliveryStatus, InboundMedia, InboundMessage, Sender
from tests.databases import PostgresDatabases

BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))


def audited(url: str) -> Database:
    """A database whose audit trail is sealed with a key of its own."""
    return Database(url, options=sealed_by(Cipher([Fernet.generate_key().decode()])))


async def build(url: str) -> None:
    """Bring an empty database to the newest schema and leave no connection behind: the shape of a template's build."""
    async with Database(url) as database:
        await migrate(database)


@contextlib.asynccontextmanager
async def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """URL of a copy of a migrated database, of the kind that the fixture's parameter names."""
    if request.param == "postgresql":
        databases: PostgresDatabases = request.getfixturevalue("postgres_template")
        with databases.fresh(databases.template("migrated", build)) as url:
            yield url
    else:
        yield f"sqlite:///{await sqlite_copy(request.getfixturevalue('tmp_path_factory'), tmp_path)}"


@contextlib.asynccontextmanager
async def migrated(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with migrated_url(request, tmp_path) as url, audited(url) as database:
        yield database


async def sqlite_copy(factory: pytest.TempPathFactory, directory: Path) -> Path:
    """Copy this process's migrated SQLite file, made at the first call, into `directory`."""
    template = factory.getbasetemp() / "migrated.db"
    if not template.exists():
        await build(f"sqlite:///{template}")
    return Path(shutil.copy(template, directory / "test.db"))


def message(phone: str | None = "573001112233", *, wamid: str | None = None, **members: Any) -> InboundMessage:
    """A text message that was written a second ago, unless `members` say otherwise."""
    wamid = wamid or f"wamid.{new_id()}"
    sender = Sender(phone=phone, user_id=members.pop("user_id", None), profile_name=members.pop("name", "Ana"))
    given: dict[str, Any] = {
        "phone_number_id": "100",
        "business_account_id": "1",
        "message_id": wamid,
        "sender": sender,
        "sent_at": datetime.now(UTC) - timedelta(seconds=1),
        "kind": "text",
        "text": "hello",
        "turn": True,
        "key": wamid,
        "payload": b"{}",
    }
    return InboundMessage(**(given | members))


def arrival(channel_id: UUID, phone: str | None = "573001112233", **members: Any) -> Arrival:
    return Arrival(channel_id, new_id(), message(phone, **members))


def picture() -> InboundMedia:
    return InboundMedia(media_id="media.1", mime_type="image/jpeg", sha256="abc=")


def told(channel_id: UUID, word: str, *, wamid: str = "wamid.out", tracker: str | None = None, **members: Any) -> Told:
    """A status that WhatsApp sends now."""
    given: dict[str, Any] = {
        "phone_number_id": "100",
        "business_account_id": "1",
        "message_id": wamid,
        "status": word,
        "at": datetime.now(UTC),
        "key": f"{wamid}.{word}",
        "payload": b"{}",
        "tracker": tracker,
    }
    return Told(channel_id, new_id(), DeliveryStatus(**(given | members)))


def claimed(**members: Any) -> ClaimedTurn:
    """A turn in the hands of the assistant, with one question in it."""
    now = datetime.now(UTC)
    given: dict[str, Any] = {
        "id": new_id(),
        "conversation_id": new_id(),
        "token": 1,
        "claims": 1,
        "failures": 0,
        "opened_at": now,
        "event_id": None,
        "channel_id": new_id(),
        "contact_id": new_id(),
        "contact_name": "Ana",
        "contact_approved": False,
        "control": "bot",
        "control_version": 1,
        "fallback_at": None,
        "questions": (Said("customer", "text", "When do you open?", now),),
        "history": (),
    }
    return ClaimedTurn(**(given | members))


async def claim(database: Database, limit: int = 100) -> list[ClaimedTurn]:
    async with database.write() as connection:
        return await answering.claim(connection, limit)


async def rows(database: Database, table: sa.Table, *where: sa.ColumnElement[bool]) -> Sequence[Any]:
    """Return the rows of a table in the order of their primary key."""
    async with database.read() as connection:
        return (await connection.execute(sa.select(*table.c).where(*where).order_by(*table.primary_key))).all()
