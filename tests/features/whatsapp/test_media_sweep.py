import os
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.core.db import Database
from app.core.ids import new_id
from app.whatsapp.media_sweep import sweep_files
from app.whatsapp.models import uploads
from tests.builders.api import BOTH, either_database
from tests.builders.pipeline import Pipeline
from tests.builders.rows import rows

TWO_DAYS = 48 * 3600


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with either_database(request, tmp_path) as database:
        yield database


def put(media_dir: Path, name: str, *, age_seconds: float = TWO_DAYS) -> None:
    media_dir.mkdir(exist_ok=True)
    path = media_dir / name
    path.write_bytes(b"x")
    os.utime(path, (time.time() - age_seconds,) * 2)


def names(media_dir: Path) -> set[str]:
    return {path.name for path in media_dir.iterdir()}


async def upload(database: Database, stored_name: str, *, age: timedelta) -> None:
    async with database.write() as connection:
        await connection.execute(
            uploads.insert().values(
                id=new_id(),
                user_id=new_id(),
                kind="image",
                mime_type="image/png",
                size_bytes=1,
                sha256="0" * 64,
                stored_name=stored_name,
                created_at=datetime.now(UTC) - age,
            )
        )


async def test_only_old_files_that_nobody_names_are_removed(database: Database, tmp_path: Path) -> None:
    media_dir = tmp_path / "media"
    pipeline = Pipeline(database)
    message = await pipeline.message(await pipeline.conversation())
    await pipeline.file(message, state="stored", stored_name="received.png")
    await upload(database, "waiting.png", age=timedelta(hours=1))
    await upload(database, "forgotten.png", age=timedelta(hours=25))
    for name in ("received.png", "waiting.png", "forgotten.png", "orphan.png", "torn.part"):
        put(media_dir, name)
    put(media_dir, "about-to-get-its-row.png", age_seconds=60)

    removed = await sweep_files(database, media_dir)

    assert removed == 3
    assert names(media_dir) == {"received.png", "waiting.png", "about-to-get-its-row.png"}
    assert [row.stored_name for row in await rows(database, uploads)] == ["waiting.png"]


async def test_without_a_folder_there_is_nothing_to_sweep(database: Database, tmp_path: Path) -> None:
    assert await sweep_files(database, tmp_path / "media") == 0
