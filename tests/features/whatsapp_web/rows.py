"""A linked phone in the database, and orders for it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from app.core.db import Database
from app.core.ids import new_id
from app.whatsapp.content import Text, encode_content
from app.whatsapp.identifiers import Recipient
from app.whatsapp.web import chats, ledger
from app.whatsapp.web.consent import CONSENT_VERSION
from app.whatsapp.web.governor import WebPolicy
from app.whatsapp.web.ledger import Command, Fate, Order
from app.whatsapp.web.models import web_commands, web_sessions
from app.whatsapp.web.states import State
from app.whatsapp.web.wire import WebMessage
from tests.builders.linked_phones import AT_ONCE
from tests.builders.pipeline import Pipeline

ANA = Recipient("5491155550001", "111222333@lid")


async def linked_phone(
    database: Database, *, state: State = State.ONLINE, policy: WebPolicy = AT_ONCE, heard_from_ana: bool = True
) -> UUID:
    channel_id = await Pipeline(database).channel(kind="web", phone_number_id=f"web-{new_id()}")
    async with database.write() as connection:
        await connection.execute(
            web_sessions.insert().values(
                channel_id=channel_id,
                wanted="running",
                state=state,
                policy=msgspec.json.encode(policy).decode(),
                consent_version=CONSENT_VERSION,
                consent_by=new_id(),
                lease_owner=new_id(),
                lease_token=1,
            )
        )
        if heard_from_ana:
            now = await database.now(connection)
            await chats.note(connection, channel_id, [from_ana()], now=now)
    return channel_id


def from_ana(minutes_ago: int = 1) -> WebMessage:
    at = int((datetime.now(UTC) - timedelta(minutes=minutes_ago)).timestamp())
    return WebMessage(
        id="IN1",
        key="false_111222333@lid_IN1",
        chat="111222333@lid",
        from_me=False,
        kind="chat",
        at=at,
        phone=ANA.phone,
        lid="111222333",
    )


def order(channel_id: UUID, key: UUID | None = None, text: str = "Hola", **given: Any) -> Order:
    usual = {
        "key": key or new_id(),
        "channel_id": channel_id,
        "recipient": ANA,
        "content": encode_content(Text(text)).decode(),
        "characters": len(text),
        "tracker": "ob:1",
        "reply_to": None,
        "seconds": 15.0,
    }
    return Order(**{**usual, **given})


async def place(database: Database, wanted: Order) -> Any:
    async with database.write() as connection:
        return await ledger.ask_to_send(connection, wanted, now=await database.now(connection), chance=0)


async def claim(database: Database, channel_id: UUID, token: int = 1) -> Command | None:
    async with database.write() as connection:
        return await ledger.claim(connection, channel_id, token, now=await database.now(connection))


async def begin(database: Database, command: Command, message_id: str = "OUT1") -> bool:
    async with database.write() as connection:
        return await ledger.begin(
            connection, command.id, chat="111222333@lid", message_key=f"true_x_{message_id}", message_id=message_id
        )


async def settle(database: Database, command_id: UUID, state: ledger.CommandState, reason: str | None = None) -> None:
    async with database.write() as connection:
        await ledger.settle(connection, command_id, state, now=await database.now(connection), reason=reason)


async def fate(database: Database, key: UUID) -> Fate | None:
    async with database.read() as connection:
        return await ledger.fate_of(connection, key)


async def command_rows(database: Database) -> list[Any]:
    async with database.read() as connection:
        return list((await connection.execute(sa.select(*web_commands.c).order_by(web_commands.c.id))).all())
