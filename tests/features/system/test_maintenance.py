"""What nobody needs any more is deleted; everything else stays."""

import os
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from cryptography.fernet import Fernet
from structlog.testing import capture_logs

import app.tables  # noqa: F401 - the tables refer to each other, so all of them must be known
from app.core.db import Database
from app.core.ids import new_id
from app.core.jobs import register
from app.core.security.cipher import Cipher
from app.outbound.models import delivery_statuses
from app.system.encrypted import ENCRYPTED
from app.system.jobs import SCHEDULES, jobs, prune
from app.system.key_rotation import KeyRotation
from app.system.models import process_heartbeats
from app.whatsapp.models import inbound_events
from tests.builders.pipeline import Pipeline

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def webhook(age: timedelta, state: str = "done") -> dict[str, Any]:
    made_at = NOW - age
    # A UUIDv7 made at that time: 48 bits of milliseconds in front.
    made_id = UUID(int=(int(made_at.timestamp() * 1000) << 80) | (new_id().int & ((1 << 80) - 1)))
    return {
        "id": made_id,
        "digest": os.urandom(32),
        "body": b"{}",
        "received_at": made_at,
        "due_at": made_at,
        "state": state,
    }


def status(age: timedelta, outbound_id: UUID | None = None) -> dict[str, Any]:
    return {
        "channel_id": new_id(),
        "wamid": "wamid.1",
        "status": "delivered",
        "participant": "",
        "at": NOW - age,
        "received_at": NOW - age,
        "outbound_id": outbound_id,
    }


def beat(age: timedelta) -> dict[str, Any]:
    process = {"id": new_id(), "kind": "web", "host": "h", "pid": 1, "version": "1"}
    return {**process, "started_at": NOW - age, "beat_at": NOW - age}


async def store(database: Database, table: sa.Table, rows: Iterable[dict[str, Any]]) -> None:
    async with database.write() as connection:
        await connection.execute(table.insert(), list(rows))


async def left(database: Database, table: sa.Table) -> int:
    async with database.read() as connection:
        return (await connection.execute(sa.select(sa.func.count()).select_from(table))).scalar_one()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_webhooks_that_were_handled_a_month_ago_go_and_dead_ones_stay(database: Database, tmp_path: Path) -> None:
    old, recent = webhook(31 * DAY), webhook(29 * DAY)
    dead, waiting = webhook(400 * DAY, "dead"), webhook(31 * DAY, "pending")
    await store(database, inbound_events, [old, recent, dead, waiting])

    await prune(database, tmp_path)

    async with database.read() as connection:
        ids = set((await connection.execute(sa.select(inbound_events.c.id))).scalars())
    assert ids == {recent["id"], dead["id"], waiting["id"]}


async def test_everything_old_goes_however_many_pieces_it_takes(database: Database, tmp_path: Path) -> None:
    await store(database, inbound_events, [webhook(40 * DAY) for _ in range(2_050)])

    with capture_logs() as logs:
        await prune(database, tmp_path)

    assert await left(database, inbound_events) == 0
    assert [line["inbound_events"] for line in logs if line["event"] == "maintenance.pruned"] == [2_050]


async def test_statuses_that_never_found_their_message_go_after_a_month(database: Database, tmp_path: Path) -> None:
    await store(database, delivery_statuses, [status(31 * DAY), status(29 * DAY), status(400 * DAY, new_id())])

    await prune(database, tmp_path)

    assert await left(database, delivery_statuses) == 2


async def test_processes_that_vanished_are_forgotten_after_a_day(database: Database, tmp_path: Path) -> None:
    await store(database, process_heartbeats, [beat(25 * timedelta(hours=1)), beat(timedelta(hours=23))])

    await prune(database, tmp_path)

    assert await left(database, process_heartbeats) == 1


async def test_what_a_killed_download_left_behind_goes_and_stored_files_stay(
    database: Database, tmp_path: Path
) -> None:
    day_old = time.time() - 25 * 3600
    pipeline = Pipeline(database)
    message = await pipeline.message(await pipeline.conversation())
    await pipeline.file(message, state="stored", stored_name="old.png")
    media_dir = tmp_path / "media"
    media_dir.mkdir()
    for name in ("old.part", "old.png", "young.part"):
        (media_dir / name).write_bytes(b"x")
        if name.startswith("old"):
            os.utime(media_dir / name, (day_old, day_old))

    await prune(database, media_dir)

    assert names(media_dir) == {"old.png", "young.part"}


async def test_a_house_with_nothing_to_delete_and_no_folder_is_left_as_it_is(
    database: Database, tmp_path: Path
) -> None:
    await prune(database, tmp_path / "media")

    assert not (tmp_path / "media").exists()


async def test_the_job_has_its_limits_and_a_schedule(database: Database, tmp_path: Path) -> None:
    keys = KeyRotation(database, Cipher([Fernet.generate_key().decode()]), ENCRYPTED, key_file=None)

    assert {schedule.name for schedule in SCHEDULES} == set(register(jobs(database, tmp_path, keys)))
