import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from app.core.db import Database, DatabaseUnavailable
from app.core.ids import new_id
from app.core.security.cipher import Cipher
from app.whatsapp.channels import ChannelExists, ChannelNotFound, Channels, ChannelSecrets, NewChannel
from app.whatsapp.models import channels
from tests.builders.pipeline import Pipeline
from tests.builders.rows import BOTH, build, migrated, rows
from tests.databases import PostgresDatabases

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = Fernet.generate_key().decode()
SECRETS = ChannelSecrets("EAA-token", ("app-secret",), "verify")


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with migrated(request, tmp_path) as database:
        yield database


def new(number: str = "100", **members: Any) -> NewChannel:
    given: dict[str, Any] = {"name": "Shop", "graph_url": "https://graph.example", "api_version": "v26.0"}
    return NewChannel(phone_number_id=number, secrets=SECRETS, **(given | members))


async def known(database: Database, *configured: NewChannel, key: str = KEY) -> Channels:
    channels = Channels(database, Cipher([key]), configured)
    await channels.open()
    return channels


async def test_a_channel_of_the_settings_is_known_by_its_number_and_its_secrets_are_not_stored(
    database: Database,
) -> None:
    everything = await known(database, new(source="environment"))
    channel = await everything.by_number("100")
    assert channel is not None
    assert channel.access is not None
    assert channel.access.token == "EAA-token"
    (row,) = await rows(database, channels)
    assert row.secrets is None
    assert await everything.by_number("200") is None
    assert [one.id for one in await everything.all()] == [channel.id]


async def test_a_restart_keeps_the_channel_and_clears_what_had_stopped_it(database: Database) -> None:
    first = (await (await known(database, new(source="environment"))).all())[0]
    await Pipeline(database).change(channels, first.id, stopped_reason="190", stopped_at=NOW)
    assert (await (await known(database)).get(first.id)).stopped
    again = (await (await known(database, new(source="environment", name="Renamed"))).all())[0]
    assert (again.id, again.name, again.stopped) == (first.id, "Renamed", False)


async def test_a_channel_that_left_the_settings_is_stopped_and_says_why(database: Database) -> None:
    await known(database, new(source="environment"))
    (left,) = await (await known(database)).all()
    assert left.access is None
    assert "settings" in str(left.stopped_reason)


async def test_a_channel_of_the_panel_is_stored_with_its_secrets_encrypted(database: Database) -> None:
    channel = await (await known(database)).add(new())
    (row,) = await rows(database, channels)
    assert b"EAA-token" not in row.secrets
    found = await (await known(database)).get(channel.id)
    assert found.secrets == SECRETS
    assert not found.stopped


async def test_the_same_number_twice_is_refused(database: Database) -> None:
    everything = await known(database)
    await everything.add(new())
    with pytest.raises(ChannelExists):
        await everything.add(new())


async def test_secrets_that_cannot_be_read_stop_their_channel_only(database: Database) -> None:
    everything = await known(database)
    lost = await everything.add(new("100"))
    other = await known(database, key=Fernet.generate_key().decode())
    whole = await other.add(new("200"))
    assert (await other.get(lost.id)).access is None
    assert "FERNET_KEY" in str((await other.get(lost.id)).stopped_reason)
    assert not (await other.get(whole.id)).stopped


async def test_a_mended_channel_is_resumed(database: Database) -> None:
    everything = await known(database)
    channel = await everything.add(new())
    await Pipeline(database).change(channels, channel.id, stopped_reason="190", stopped_at=NOW)
    await everything.refresh()
    assert (await everything.get(channel.id)).stopped
    assert not (await everything.resume(channel.id)).stopped


async def test_what_is_not_there_is_not_found(database: Database) -> None:
    everything = await known(database)
    with pytest.raises(ChannelNotFound):
        await everything.get(new_id())
    with pytest.raises(ChannelNotFound):
        await everything.resume(new_id())


def test_secrets_are_never_shown() -> None:
    assert "EAA-token" not in f"{SECRETS!r} {SECRETS} {new()!r}"


async def test_processes_that_start_together_introduce_a_channel_once(postgres_template: PostgresDatabases) -> None:
    with postgres_template.fresh(postgres_template.template("migrated", build)) as url:
        async with Database(url) as one, Database(url) as other:
            await asyncio.gather(*(known(database, new(source="environment")) for database in (one, other, one, other)))
            assert len(await rows(one, channels)) == 1


class Old(Channels):
    """Channels whose memory is always too old, and whose database may be away."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.away = False
        self.reads = 0

    def _is_fresh(self) -> bool:
        return False

    async def refresh(self) -> None:
        self.reads += 1
        if self.away:
            raise DatabaseUnavailable("away")
        await super().refresh()


async def test_while_the_database_is_away_what_was_known_still_is(database: Database) -> None:
    everything = Old(database, Cipher([KEY]), [new(source="environment")])
    await everything.open()
    everything.away = True
    assert await everything.by_number("100") is not None


async def test_before_anything_was_read_a_database_that_is_away_is_an_error(database: Database) -> None:
    everything = Old(database, Cipher([KEY]), ())
    everything.away = True
    with pytest.raises(DatabaseUnavailable):
        await everything.all()


async def test_many_who_ask_at_once_read_once(database: Database) -> None:
    class Counted(Channels):
        reads = 0

        async def refresh(self) -> None:
            self.reads += 1
            await super().refresh()

    everything = Counted(database, Cipher([KEY]), ())
    found: Sequence[object] = await asyncio.gather(*(everything.by_number(str(n)) for n in range(50)))
    assert found == [None] * 50
    assert everything.reads == 1
