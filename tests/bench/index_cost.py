"""What the index of words costs the message path: CPU microseconds for each stored message, with it and without.

`python -m tests.bench.index_cost` for both stores, or with the name of one.
"""

import asyncio
import random
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from app.contacts.models import contacts
from app.conversations import search_index
from app.conversations.models import conversations, messages
from app.core.db import Database, db_now
from app.core.db.migrate import migrate
from app.core.ids import new_id
from app.whatsapp.models import channels
from tests.bench.stores import Store, open_store

_MESSAGES = 2_000
_ROUNDS = 3
_WORDS = ("hola", "quiero", "saber", "precio", "pan", "mañana", "por", "favor", "gracias", "domicilio", "cuánto")


def main() -> None:
    for name in sys.argv[1:] or ("sqlite", "postgresql"):
        with tempfile.TemporaryDirectory() as directory, open_store(name, Path(directory)) as store:
            for batch in (1, 5, 20):
                cost = {with_index: _cost(store, batch, with_index=with_index) for with_index in (False, True)}
                sys.stdout.write(
                    f"{name}, {batch} messages a commit: {cost[False]:.0f} us without, {cost[True]:.0f} us with, "
                    f"{cost[True] - cost[False]:+.0f}\n"
                )


def _cost(store: Store, batch: int, *, with_index: bool) -> float:
    """Return the best of some rounds, of our process and the database server together."""
    with store.database(f"index_{batch}_{with_index}".lower()) as url:
        return min(asyncio.run(_round(store, url, batch, with_index=with_index, first=n == 0)) for n in range(_ROUNDS))


async def _round(store: Store, url: str, batch: int, *, with_index: bool, first: bool) -> float:
    async with Database(url) as database:
        if first:
            await migrate(database)
            async with database.write() as connection:
                if not with_index:
                    await connection.run_sync(search_index.drop)
        conversation_id, channel_id = await _conversation(database)
        served, used = await _served(store, url), time.process_time()
        for start in range(0, _MESSAGES, batch):
            rows = [_message(conversation_id, channel_id, place) for place in range(start, start + batch)]
            async with database.write() as connection:
                await connection.execute(messages.insert(), rows)
        used = time.process_time() - used
        return (used + await _served(store, url) - served) / _MESSAGES * 1_000_000


async def _served(store: Store, url: str) -> float:
    return await asyncio.to_thread(store.server_cpu_seconds, url) or 0.0


async def _conversation(database: Database) -> tuple[UUID, UUID]:
    channel_id, contact_id, conversation_id = new_id(), new_id(), new_id()
    async with database.write() as connection:
        await connection.execute(
            channels.insert().values(
                id=channel_id, kind="cloud", name="Shop", source="panel", phone_number_id=str(channel_id)
            )
        )
        await connection.execute(contacts.insert().values(id=contact_id))
        await connection.execute(
            conversations.insert().values(
                id=conversation_id, channel_id=channel_id, contact_id=contact_id, last_message_at=db_now()
            )
        )
    return conversation_id, channel_id


def _message(conversation_id: UUID, channel_id: UUID, place: int) -> dict[str, object]:
    made_up = random.Random(place)  # noqa: S311 - the same words with the index and without
    return {
        "id": new_id(),
        "conversation_id": conversation_id,
        "channel_id": channel_id,
        "author": "customer",
        "kind": "text",
        "text": " ".join(made_up.choices(_WORDS, k=made_up.randint(3, 18))) + f" {made_up.randint(0, 5000)}",
        "payload": "{}",
        "sent_at": datetime.now(UTC),
    }


if __name__ == "__main__":
    main()
