"""The file of a message that leaves: handed to its transport before the message that names it."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog

from app.core.db import Database
from app.outbound.leaving import Leaving
from app.whatsapp.content import Content
from app.whatsapp.content_files import uploaded_file, with_media_id
from app.whatsapp.error_codes import ErrorAction, ErrorClass, ErrorRule
from app.whatsapp.errors import CallRefused, CallUnavailable, SendNotAttempted, SendRejected
from app.whatsapp.models import media
from app.whatsapp.transport import ChannelAccess, Transport

log = structlog.get_logger()

_UPLOAD_SECONDS = 300.0
_PATIENCE_SECONDS = 1.5  # of one attempt, whose lease has to last for the send as well
_LOOK_AGAIN_SECONDS = 1.0
_GONE = ErrorRule(ErrorClass.CONTENT, ErrorAction.FAIL)


class Files:
    """Uploads the files of messages, each once; a large one goes on while its message waits for the next attempt.

    `aclose` ends what is still under way.
    """

    def __init__(self, database: Database, media_dir: Path) -> None:
        self._database = database
        self._media_dir = media_dir
        self._uploading: dict[UUID, asyncio.Task[str]] = {}

    async def aclose(self) -> None:
        for task in self._uploading.values():
            task.cancel()
        await asyncio.gather(*self._uploading.values(), return_exceptions=True)

    async def resolve(self, leaving: Leaving, access: ChannelAccess, transport: Transport) -> Content:
        """Return the content as the transport can send it, its file handed over.

        Raises `SendNotAttempted` while that takes longer or fails for now, and `SendRejected` when it never works.
        """
        if uploaded_file(leaving.content) is None:
            return leaving.content
        file = await self._file(leaving.id)
        media_id = file.provider_id or await self._upload(file, access, transport)
        return with_media_id(leaving.content, media_id, file.filename)

    async def _file(self, message_id: UUID) -> Any:
        c = media.c
        async with self._database.read() as connection:
            found = await connection.execute(
                sa.select(c.id, c.provider_id, c.stored_name, c.mime_type, c.filename).where(c.message_id == message_id)
            )
            row = found.first()
        if row is None:
            raise SendRejected(code=None, title="The file is gone", rule=_GONE)
        return row

    async def _upload(self, file: Any, access: ChannelAccess, transport: Transport) -> str:
        task = self._uploading.get(file.id)
        if task is None:
            task = asyncio.create_task(self._hand_over(file, access, transport), name=f"upload {file.id}")
            self._uploading[file.id] = task
        done, _ = await asyncio.wait([task], timeout=_PATIENCE_SECONDS)
        if not done:
            raise SendNotAttempted("its file is being uploaded", _LOOK_AGAIN_SECONDS)
        self._uploading.pop(file.id, None)
        try:
            return task.result()
        except FileNotFoundError as error:
            raise SendRejected(code=None, title="The file is gone from the disk", rule=_GONE) from error
        except CallRefused as error:
            raise SendRejected(
                code=error.graph_code, title=f"The file was refused: {error}", rule=error.rule
            ) from error
        except CallUnavailable as error:
            raise SendNotAttempted(f"its file could not be uploaded: {error}", error.retry_after_seconds) from error
        except asyncio.CancelledError as error:
            raise SendNotAttempted("this process stops") from error

    async def _hand_over(self, file: Any, access: ChannelAccess, transport: Transport) -> str:
        path = self._media_dir / file.stored_name
        if not await asyncio.to_thread(path.is_file):
            raise FileNotFoundError(file.stored_name)
        media_id = await transport.upload(
            access, path, file.mime_type, filename=file.stored_name, timeout_seconds=_UPLOAD_SECONDS
        )
        # Where this is not stored the file is uploaded a second time, and nothing else.
        async with self._database.write() as connection:
            await connection.execute(sa.update(media).where(media.c.id == file.id).values(provider_id=media_id))
        log.info("media.uploaded", media_id=str(file.id))
        return media_id
