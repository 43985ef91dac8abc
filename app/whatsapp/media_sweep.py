"""Files that nobody names any more: uploads that were never sent, and what a stopped process left without a row."""

import asyncio
import time
from pathlib import Path

import sqlalchemy as sa

from app.core.db import Database, db_now_plus
from app.whatsapp.media_store import remove_stale_partials
from app.whatsapp.models import media, uploads
from app.whatsapp.uploads import LASTING_SECONDS

_AT_ONCE = 500


async def sweep_files(database: Database, media_dir: Path) -> int:
    """Remove the files in DATA_DIR/media that have had no row for a day; return how many.

    A file comes before its row, so a young one without a row may be about to get it.
    """
    async with database.write() as connection:
        await connection.execute(sa.delete(uploads).where(uploads.c.created_at <= db_now_plus(-LASTING_SECONDS)))
    removed = await asyncio.to_thread(remove_stale_partials, media_dir)
    old = await asyncio.to_thread(_old_files, media_dir)
    for start in range(0, len(old), _AT_ONCE):
        names = old[start : start + _AT_ONCE]
        unknown = set(names) - await _known(database, names)
        for name in unknown:
            await asyncio.to_thread((media_dir / name).unlink, missing_ok=True)
        removed += len(unknown)
    return removed


async def _known(database: Database, names: list[str]) -> set[str]:
    found: set[str] = set()
    async with database.read() as connection:
        for table in (media, uploads):
            named = table.c.stored_name
            found |= set(await connection.scalars(sa.select(named).where(named.in_(names))))
    return found


def _old_files(media_dir: Path) -> list[str]:
    if not media_dir.is_dir():
        return []
    limit = time.time() - LASTING_SECONDS
    return [path.name for path in media_dir.iterdir() if path.is_file() and path.stat().st_mtime < limit]
