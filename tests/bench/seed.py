"""Fill an empty, migrated database with conversations as a shop has them after years: for measuring, and for looking.

`python -m tests.bench.seed sqlite:///data/mostrador.db --conversations 100000 --messages 1000000`
"""

import argparse
import asyncio
import random
import sqlite3
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import msgspec
import sqlalchemy as sa

from app.conversations import search_index
from app.core.db import Database
from app.core.db.migrate import migrate
from app.core.folding import fold
from app.core.ids import new_id
from app.whatsapp.models import channels

Rows = Iterable[Sequence[Any]]

_CHUNK = 20_000
_YEARS = timedelta(days=2 * 365)


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST_NAMES = _split("Ana José María João Lucía Nicolás Inês Andrés Sofía Iván Beatriz Ángel")
_LAST_NAMES = _split("García Gómez Pérez Silva Conceição Núñez Ibáñez Souza Martín López Araújo")
_COMMON = _split(
    "hola gracias quiero precio pedido mañana para el la de un una por favor envío cuánto cuesta tienen abierto hoy "
    "obrigado não está bom dia tarde pan café domicilio dirección pago tarjeta transferencia sí no ok listo quando "
    "entrega disponible talla color azul rojo negro grande pequeño reserva mesa personas sábado domingo factura cambio"
)
_SYLLABLES = _split(
    "ba be bi bo bu ca co cu da de di do fa fe ga go la le li lo ma me mi mo na ne ni no pa pe ra re se"
)


class Size(msgspec.Struct, frozen=True):
    conversations: int
    messages: int


class Sink(Protocol):
    """Takes the rows of one table at a time, as fast as the database can."""

    async def put(self, table: str, columns: Sequence[str], rows: Rows) -> None: ...

    async def finish(self) -> None: ...


async def seed(url: str, size: Size) -> UUID:
    """Fill the database and return the user to whom a part of the conversations is assigned.

    A third is closed, a third unread, one of fifty wants a look; a few customers write far more than the others.
    """
    async with Database(url) as database:
        await migrate(database)
        async with database.write() as connection:
            await connection.run_sync(search_index.drop)
            channel_ids = await _channels(connection)
    sink: Sink = _Sqlite(url) if url.startswith("sqlite:") else await _Postgresql.open(url)
    shop = _Shop(size, channel_ids)
    await sink.put("contacts", _CONTACT, shop.contacts())
    await sink.put("conversations", _CONVERSATION, shop.conversations())
    await sink.put("messages", _MESSAGE, shop.messages())
    await sink.put("outbound_messages", _OUTBOUND, shop.outbound())
    await sink.finish()
    async with Database(url) as database, database.write() as connection:
        if database.dialect == "postgresql":
            await connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
        await connection.run_sync(search_index.create)
    await _analyze(url)
    return shop.agents[0]


async def _channels(connection: Any) -> list[UUID]:
    ids = [new_id() for _ in range(3)]
    await connection.execute(
        channels.insert(),
        [
            {
                "id": one,
                "kind": "cloud",
                "name": f"Shop {number}",
                "source": "panel",
                "phone_number_id": f"90000{number}",
            }
            for number, one in enumerate(ids)
        ],
    )
    return ids


async def _analyze(url: str) -> None:
    if url.startswith("sqlite:"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.execute("ANALYZE")
        return
    server = await asyncpg.connect(url)
    await server.execute("VACUUM ANALYZE")
    await server.close()


_CONTACT = ("id", "name", "folded_name", "phone", "approved", "created_at")
_CONVERSATION = (
    "id", "channel_id", "contact_id", "control", "control_version", "held_by", "assignee_id", "closed_at",
    "attention", "unread", "last_message_at", "last_inbound_at", "created_at",
)  # fmt: skip
_MESSAGE = (
    "id",
    "conversation_id",
    "channel_id",
    "author",
    "kind",
    "text",
    "payload",
    "wamid",
    "sent_at",
    "awaits_turn",
)
_OUTBOUND = (
    "id", "conversation_id", "channel_id", "contact_id", "origin", "part", "priority", "content", "state",
    "scheduled_at", "due_at", "attempt", "wamid", "created_at", "accepted_at", "delivered_at", "read_at",
)  # fmt: skip


class _Shop:
    """Everything that is in the database, made up in the order of time and always the same for the same size."""

    def __init__(self, size: Size, channel_ids: Sequence[UUID]) -> None:
        self._size = size
        self._channel_ids = channel_ids
        self._random = random.Random(20)  # noqa: S311 - made-up customers
        self._start = datetime.now(UTC) - _YEARS
        self._step = _YEARS / size.messages
        self.agents = [new_id() for _ in range(10)]
        self._contact_ids = [self._id(self._start) for _ in range(size.conversations)]
        self._conversation_ids = [self._id(self._start) for _ in range(size.conversations)]
        self._owners = self._whose()
        self._ids = [self._id(self._time(place)) for place in range(size.messages)]
        self._last: dict[int, int] = {owner: place for place, owner in enumerate(self._owners)}
        rare = ["".join(self._random.choices(_SYLLABLES, k=self._random.randint(2, 5))) for _ in range(20_000)]
        self._vocabulary = [*_COMMON, *rare]
        self._weights = list(accumulate(1 / (place + 1) ** 0.95 for place in range(len(self._vocabulary))))

    def contacts(self) -> Rows:
        for place, contact_id in enumerate(self._contact_ids):
            name = f"{self._random.choice(_FIRST_NAMES)} {self._random.choice(_LAST_NAMES)} {place}"
            yield contact_id, name, fold(name), f"57{3_000_000_000 + place}", False, self._start

    def conversations(self) -> Rows:
        for place, conversation_id in enumerate(self._conversation_ids):
            last_at = self._time(self._last[place])
            draw = self._random.random
            yield (
                conversation_id, self._channel(place), self._contact_ids[place], "bot", 1, None,
                self._random.choice(self.agents) if draw() < 0.3 else None, last_at if draw() < 0.35 else None,
                "send_failed" if draw() < 0.02 else None, self._random.randint(1, 9) if draw() < 0.33 else 0,
                last_at, last_at, self._start,
            )  # fmt: skip

    def messages(self) -> Rows:
        for place, owner in enumerate(self._owners):
            yield (
                self._ids[place], self._conversation_ids[owner], self._channel(owner),
                "bot" if place % 2 else "customer", "text", self._text(), "{}",
                None if place % 2 else f"wamid.{place}", self._time(place), 0,
            )  # fmt: skip

    def outbound(self) -> Rows:
        for place in range(1, self._size.messages, 2):
            owner, at = self._owners[place], self._time(place)
            yield (
                self._ids[place], self._conversation_ids[owner], self._channel(owner), self._contact_ids[owner],
                "reply", 0, 0, '{"type":"text","body":"x"}', "sent", at, at, 1, f"wamid.{place}", at, at, at, at,
            )  # fmt: skip

    def _whose(self) -> list[int]:
        """Return whose each message is: everybody has one, the others go to few more often than to many."""
        total, everybody = self._size.messages, self._size.conversations
        further = (int(everybody * self._random.random() ** 2) for _ in range(total - everybody))
        owners = [*range(everybody), *further]
        self._random.shuffle(owners)
        return owners

    def _text(self) -> str:
        words = self._random.choices(self._vocabulary, cum_weights=self._weights, k=self._random.randint(2, 20))
        if words[0] == "pedido":
            words.append(str(self._random.randint(10_000, 99_999)))
        return " ".join(words)

    def _channel(self, owner: int) -> UUID:
        return self._channel_ids[owner % len(self._channel_ids)]

    def _time(self, place: int) -> datetime:
        return self._start + place * self._step

    def _id(self, at: datetime) -> UUID:
        """Return a UUIDv7 of that time (RFC 9562 5.7)."""
        bits = self._random.getrandbits(74)
        return UUID(int=int(at.timestamp() * 1000) << 80 | 7 << 76 | bits >> 62 << 64 | 2 << 62 | bits & (1 << 62) - 1)


def _chunks(rows: Rows) -> Iterator[list[Sequence[Any]]]:
    waiting = iter(rows)
    while chunk := list(islice(waiting, _CHUNK)):
        yield chunk


class _Sqlite:
    def __init__(self, url: str) -> None:
        self._connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        for pragma in ("synchronous=OFF", "cache_size=-200000", "foreign_keys=OFF"):
            self._connection.execute(f"PRAGMA {pragma}")

    async def put(self, table: str, columns: Sequence[str], rows: Rows) -> None:
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - names of ours
        for chunk in _chunks(rows):
            self._connection.executemany(statement, [[_stored(value) for value in row] for row in chunk])
        self._connection.commit()

    async def finish(self) -> None:
        self._connection.close()


def _stored(value: Any) -> Any:
    """Return a value as our columns keep it on SQLite."""
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
    return value


class _Postgresql:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, url: str) -> "_Postgresql":
        return cls(await asyncpg.connect(url))

    async def put(self, table: str, columns: Sequence[str], rows: Rows) -> None:
        for chunk in _chunks(rows):
            await self._connection.copy_records_to_table(table, records=chunk, columns=columns)

    async def finish(self) -> None:
        await self._connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.seed", description=__doc__)
    parser.add_argument("url", help="sqlite:///path or postgresql://..., without any conversation in it")
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--messages", type=int, default=1_000_000)
    options = parser.parse_args()
    if options.messages < options.conversations:
        parser.error("everybody has written at least once: --messages is less than --conversations")
    started = time.monotonic()
    asyncio.run(seed(options.url, Size(options.conversations, options.messages)))
    sys.stdout.write(f"{options.messages} messages in {time.monotonic() - started:.0f} s\n")


if __name__ == "__main__":
    main()
