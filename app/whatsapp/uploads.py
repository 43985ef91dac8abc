"""The files that people bring to send: kept for a day until a message takes them along."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.db import Database, db_now_plus
from app.core.ids import new_id
from app.whatsapp.errors import MediaRefused
from app.whatsapp.media_rules import HEAD_BYTES, MediaKind, check_file, kind_of, sniff
from app.whatsapp.media_store import UNNAMED_TYPE, new_partial, settle
from app.whatsapp.models import media, uploads

LASTING_SECONDS = 24 * 3600.0
"""How long a file waits for the message that takes it along."""

LONGEST_NAME = 200


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was brought. `mime_type` is what its bytes were seen to agree with."""

    id: UUID
    kind: MediaKind
    mime_type: str
    size_bytes: int
    sha256: str
    stored_name: str
    filename: str | None


async def bring(
    database: Database,
    media_dir: Path,
    chunks: AsyncIterator[bytes],
    *,
    mime_type: str | None,
    filename: str | None,
    user_id: UUID,
) -> Upload:
    """Store a file that `user_id` wants to send. Its bytes decide where nobody says what it is.

    Raises `MediaRefused` for what WhatsApp would not carry, and for what is not what it says.
    """
    partial = await asyncio.to_thread(new_partial, media_dir)
    try:
        sha256 = await _write(partial, chunks)
        checked, size_bytes = await asyncio.to_thread(_check, partial, mime_type)
        path = await asyncio.to_thread(settle, partial, checked)
    finally:
        await asyncio.to_thread(partial.unlink, missing_ok=True)
    upload = Upload(
        id=new_id(),
        kind=kind_of(checked),
        mime_type=checked,
        size_bytes=size_bytes,
        sha256=sha256,
        stored_name=path.name,
        filename=filename,
    )
    try:
        async with database.write() as connection:
            await connection.execute(sa.insert(uploads).values(**msgspec.structs.asdict(upload), user_id=user_id))
    except BaseException:
        await asyncio.shield(asyncio.to_thread(path.unlink, missing_ok=True))
        raise
    return upload


async def find(connection: AsyncConnection, upload_id: UUID, *, user_id: UUID) -> Upload | None:
    """Return a file that this user has brought within the last day."""
    c = uploads.c
    columns = [c[name] for name in Upload.__struct_fields__]
    fresh = c.created_at > db_now_plus(-LASTING_SECONDS)
    found = await connection.execute(sa.select(*columns).where(c.id == upload_id, c.user_id == user_id, fresh))
    row = found.mappings().one_or_none()
    return None if row is None else Upload(**row)


async def take_along(
    connection: AsyncConnection, upload: Upload, *, message_id: UUID, channel_id: UUID, kind: str
) -> None:
    """Make an uploaded file the file of a message. It may be that of several."""
    await connection.execute(
        sa.insert(media).values(
            id=new_id(),
            message_id=message_id,
            channel_id=channel_id,
            provider_id="",  # until a transport has a name for it
            kind=kind,
            mime_type=upload.mime_type,
            sha256=upload.sha256,
            filename=upload.filename,
            state="stored",
            stored_name=upload.stored_name,
            size_bytes=upload.size_bytes,
        )
    )


async def _write(path: Path, chunks: AsyncIterator[bytes]) -> str:
    digest = hashlib.sha256()
    file = await asyncio.to_thread(path.open, "wb")
    try:
        async for chunk in chunks:
            digest.update(chunk)
            await asyncio.to_thread(file.write, chunk)
    finally:
        await asyncio.to_thread(file.close)
    return digest.hexdigest()


def _check(path: Path, mime_type: str | None) -> tuple[str, int]:
    """Return the type and the size of a file that WhatsApp would carry. Blocks."""
    with path.open("rb") as opened:
        size_bytes = os.fstat(opened.fileno()).st_size
        head = opened.read(HEAD_BYTES)
    declared = (mime_type or UNNAMED_TYPE).partition(";")[0].strip().lower()
    if declared == UNNAMED_TYPE:
        declared = sniff(head) or UNNAMED_TYPE
    if len(declared) > 100:  # noqa: PLR2004 - as long as the column
        raise MediaRefused("type", "this is no type of file")
    return check_file(kind_of(declared), declared, size_bytes, head), size_bytes
