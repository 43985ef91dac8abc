"""Stored files over HTTP: handed out to be saved, never to be shown by the browser itself."""

from pathlib import Path
from urllib.parse import quote
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath
from litestar.response import Stream

from app.core.db import Database
from app.core.security.guards import needs
from app.whatsapp.media_store import UNNAMED_TYPE, find_stored, read_chunks

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.() ")


# The bytes have the type of the file; a type of the handler's own would win over it.
_BYTES = ResponseSpec(bytes, media_type=UNNAMED_TYPE, description="The bytes of the file.", generate_examples=False)


class MediaController(Controller):
    path = "/api/media"
    tags = ("Media",)

    @get("/{media_id:uuid}", summary="A file of a message", responses={200: _BYTES}, guards=[needs("media:read")])
    async def file(
        self, media_id: FromPath[UUID], database: NamedDependency[Database], media_dir: NamedDependency[Path]
    ) -> Stream:
        """Return the bytes as an attachment. Answers 409 while they are not stored; the problem says why."""
        async with database.read() as connection:
            found = await find_stored(connection, media_dir, media_id)
        return Stream(
            read_chunks(found.path),
            media_type=found.content_type,
            headers={
                "content-length": str(found.size_bytes),
                "content-disposition": _attachment(found.download_name),
                "content-security-policy": "default-src 'none'; sandbox",
                "x-content-type-options": "nosniff",
            },
        )


def _attachment(name: str) -> str:
    """Give the name twice: plain for old clients, and in UTF-8 (RFC 6266 section 5, RFC 8187)."""
    plain = "".join(letter if letter in _PLAIN else "_" for letter in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
