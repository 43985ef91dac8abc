"""The files that go with messages, either way."""

import asyncio
import hashlib
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa
import structlog

from app.core.db import Database
from app.core.http_client import HttpClient, HttpError
from app.whatsapp.content import Audio, Document, Image, Video
from app.whatsapp.errors import MediaRefused, MediaUnavailable
from app.whatsapp.media_rules import extension_of
from app.whatsapp.media_store import (
    MOST_CLAIMS,
    DueMedia,
    NotNow,
    Outcome,
    Refused,
    Stored,
    claim_due,
    conclude,
    keep,
    new_partial,
)
from app.whatsapp.models import media
from workers.whatsapp_web.page import FileToSend, NotSendable, PageRefused, WebPage

__all__ = ["Files"]

log = structlog.get_logger()

_AT_ONCE = 4
_MOST_BYTES = 64 * 1024 * 1024
_LINK_SECONDS = 30.0
_FILE = Image | Video | Audio | Document


class Files:
    """Reads what shall be sent, and fetches what people have sent. `outside` reaches addresses that users can set."""

    def __init__(self, database: Database, outside: HttpClient, media_dir: Path) -> None:
        self._database = database
        self._outside = outside
        self._media_dir = media_dir

    async def read(self, content: _FILE) -> FileToSend:
        """Return the bytes of what `content` names. Raises `NotSendable`."""
        try:
            if content.link is not None:
                return await self._linked(content, content.link)
            return await self._stored(content, content.media_id or "")
        except (HttpError, OSError, ValueError) as error:
            log.warning("whatsapp_web.file_unavailable", error=type(error).__name__)
            raise NotSendable("file_unavailable") from error

    async def fetch(self, page: WebPage, channel_id: UUID) -> int:
        """Fetch the files that people have sent and that are due; return how many were looked at."""
        async with self._database.write() as connection:
            due = await claim_due(connection, _AT_ONCE, channel_id=channel_id)
        for file in due:
            outcome = await self._attempt(page, file)
            async with self._database.write() as connection:
                ours = await conclude(connection, file, outcome)
            if not ours and isinstance(outcome, Stored):
                await asyncio.to_thread((self._media_dir / outcome.name).unlink, missing_ok=True)
            log.info(
                "media.concluded", media_id=str(file.id), outcome=type(outcome).__name__, ours=ours, claim=file.claims
            )
        return len(due)

    async def _attempt(self, page: WebPage, file: DueMedia) -> Outcome:
        if file.claims > MOST_CLAIMS:
            return NotNow(f"given up after {MOST_CLAIMS} attempts that ended without an outcome")
        try:
            content = await page.download(file.provider_id, most_bytes=file.most_bytes)
            return await self._keep(file, content)
        except PageRefused as error:
            return Refused("the file is too large") if error.reason == "too_large" else NotNow(error.reason)
        except (MediaRefused, MediaUnavailable) as error:
            return Refused(str(error))
        except OSError as error:
            return NotNow(f"the file cannot be written to DATA_DIR/media: {error.strerror}")

    async def _keep(self, file: DueMedia, content: bytes) -> Stored:
        sink = await asyncio.to_thread(new_partial, self._media_dir)
        try:
            await asyncio.to_thread(sink.write_bytes, content)
            digest = hashlib.sha256(content).hexdigest()
            return await asyncio.to_thread(keep, file, sink, sha256=digest, mime_type=file.mime_type)
        finally:
            await asyncio.to_thread(sink.unlink, missing_ok=True)

    async def _linked(self, content: _FILE, link: str) -> FileToSend:
        sink = await asyncio.to_thread(new_partial, self._media_dir)
        try:
            fetched = await self._outside.download(
                link, sink=sink, max_bytes=_MOST_BYTES, timeout_seconds=_LINK_SECONDS
            )
            if fetched.refusal or not fetched.size_bytes:
                raise NotSendable("file_unavailable")
            mime_type = fetched.headers.get("content-type", "application/octet-stream").partition(";")[0]
            return FileToSend(
                content=await asyncio.to_thread(sink.read_bytes),
                mime_type=mime_type,
                filename=_name(content, Path(urlsplit(link).path).name, mime_type),
            )
        finally:
            await asyncio.to_thread(sink.unlink, missing_ok=True)

    async def _stored(self, content: _FILE, stored_name: str) -> FileToSend:
        c = media.c
        async with self._database.read() as connection:
            row = (
                await connection.execute(
                    sa.select(c.stored_name, c.mime_type, c.filename)
                    .where(c.stored_name == stored_name, c.state == "stored")
                    .limit(1)
                )
            ).one_or_none()
        if row is None:
            raise NotSendable("file_unavailable")
        mime_type = row.mime_type or "application/octet-stream"
        return FileToSend(
            content=await asyncio.to_thread((self._media_dir / row.stored_name).read_bytes),
            mime_type=mime_type,
            filename=_name(content, row.filename or "", mime_type),
        )


def _name(content: _FILE, given: str, mime_type: str) -> str:
    named = content.filename if isinstance(content, Document) else None
    return named or given or f"file.{extension_of(mime_type)}"
