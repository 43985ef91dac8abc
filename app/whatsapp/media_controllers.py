"""Files over HTTP: brought to be sent, and handed out to be saved, never to be shown by the browser itself."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIFormat, OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from app.core.db import Database
from app.core.http import UPLOAD_BODY_BYTES
from app.core.security.actor import Actor
from app.core.security.guards import needs
from app.core.security.tokens import Access
from app.whatsapp import uploads
from app.whatsapp.media_store import UNNAMED_TYPE, find_stored, read_chunks
from app.whatsapp.schemas import UploadedMedia

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.() ")


# The bytes have the type of the file; a type of the handler's own would win over it.
_BYTES = ResponseSpec(bytes, media_type=UNNAMED_TYPE, description="The bytes of the file.", generate_examples=False)


@dataclass
class _RawBody(Operation):
    """The operation takes the bytes of a file as they are."""

    def __post_init__(self) -> None:
        whole = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        self.request_body = RequestBody(
            required=True, content={"*/*": OpenAPIMediaType(schema=whole)}, description="The bytes of the file."
        )


class MediaController(Controller):
    path = "/api/media"
    tags = ("Media",)

    @post(
        "/",
        summary="Bring a file to send",
        guards=[needs("conversations:answer")],
        request_max_body_size=UPLOAD_BODY_BYTES,
        operation_class=_RawBody,
    )
    async def bring(
        self,
        request: Request[Actor, Access, Any],
        database: NamedDependency[Database],
        media_dir: NamedDependency[Path],
        name: Annotated[str | None, QueryParameter(min_length=1, max_length=uploads.LONGEST_NAME)] = None,
    ) -> UploadedMedia:
        """Store the body, with its type in `Content-Type`, for a message that takes it along within a day.

        `name` is what the customer sees of a document. Answers 422 for what WhatsApp would not carry, and for bytes
        that are not what the type says.
        """
        upload = await uploads.bring(
            database,
            media_dir,
            request.stream(),
            mime_type=request.headers.get("content-type"),
            filename=name,
            user_id=request.user.user_id,
        )
        return UploadedMedia(
            media_id=upload.id,
            kind=upload.kind,
            mime_type=upload.mime_type,
            size_bytes=upload.size_bytes,
            filename=upload.filename,
        )

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
