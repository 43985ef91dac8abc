"""The files that people send us: the ledger of what is to be fetched, and the folder where they are kept.

A row of `media` is fetched under a lease; `claims` counts the attempts and is the fencing token of the last one. The
file itself stands under a random name in DATA_DIR/media, readable by us alone. The name and the type that the sender
gave are shown and checked, never trusted.
"""

import asyncio
import contextlib
import os
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.db import db_now, db_now_plus
from app.core.errors import Conflict, NotFound
from app.whatsapp.answers import digest_of
from app.whatsapp.errors import MediaRefused, MediaUnavailable
from app.whatsapp.media_rules import HEAD_BYTES, check_file, extension_of, sniff, stored_name
from app.whatsapp.models import channels, media

LEASE_SECONDS = 150.0
"""Longer than one attempt may take, so that only the file of a dead process is claimed a second time."""

MOST_CLAIMS = 5

UNNAMED_TYPE = "application/octet-stream"

_RETRY_SECONDS = (60.0, 300.0, 1_800.0, 7_200.0)  # Meta keeps a file for 7 days: an outage of hours loses nothing
_LONGEST_RETRY_SECONDS = 24 * 3_600.0
_LONGEST_REASON = 500
_LONGEST_NAME = 120
_CHUNK_BYTES = 256 * 1024
_PARTIAL = ".part"
_STALE_PARTIAL_SECONDS = 24 * 3_600.0
_MEBIBYTE = 1024 * 1024

# Far above what WhatsApp lets people send as that kind today, and well below what would fill a disk. Meta hands over
# no file above 100 MB, whatever its kind.
_MOST_BYTES = {
    "image": 16 * _MEBIBYTE,
    "sticker": 2 * _MEBIBYTE,
    "audio": 32 * _MEBIBYTE,
    "video": 64 * _MEBIBYTE,
    "document": 100 * _MEBIBYTE,
}
_TYPES_OF_KIND = {"image": "image/", "sticker": "image/webp", "audio": "audio/", "video": "video/"}


class MediaNotFound(NotFound):
    code = "media_not_found"


class MediaPending(Conflict):
    """The file has not been fetched yet."""

    code = "media_pending"
    try_again = True


class MediaNotStored(Conflict):
    """The file was refused, or could not be fetched."""

    code = "media_not_stored"


class DueMedia(msgspec.Struct, frozen=True, kw_only=True):
    """A claimed file; `mime_type` and `sha256` are what the webhook announced."""

    id: UUID
    channel_id: UUID
    provider_id: str
    kind: str
    mime_type: str | None
    sha256: str | None
    claims: int

    @property
    def most_bytes(self) -> int:
        return _MOST_BYTES.get(self.kind, _MOST_BYTES["document"])


class Stored(msgspec.Struct, frozen=True, tag=True):
    """The file is in the folder under `name`; `sha256` is hexadecimal."""

    name: str
    mime_type: str
    size_bytes: int
    sha256: str


class Refused(msgspec.Struct, frozen=True, tag=True):
    """The file is not what it should be, and never will be."""

    reason: str


class NotNow(msgspec.Struct, frozen=True, tag=True):
    """No file this time. `after_seconds` is the wait that WhatsApp asked for."""

    reason: str
    after_seconds: float = 0


Outcome = Stored | Refused | NotNow


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file to hand out. `content_type` is a type that its bytes were seen to have, or that of unnamed bytes."""

    path: Path
    size_bytes: int
    content_type: str
    download_name: str


async def claim_due(connection: AsyncConnection, limit: int, *, channel_id: UUID | None = None) -> list[DueMedia]:
    """Lease up to `limit` files that are due; they come back after the lease unless `conclude` says otherwise.

    The files of a linked phone are fetched by its browser, which names its `channel_id`; all others by anybody.
    """
    c = media.c
    by_browser = sa.select(channels.c.id).where(channels.c.kind == "web")
    due = (
        sa.select(c.id)
        .where(c.state == "pending", c.due_at <= db_now())
        .where(c.channel_id.not_in(by_browser) if channel_id is None else c.channel_id == channel_id)
        .order_by(c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = await connection.execute(
        sa.update(media)
        .where(c.id.in_(due))
        .values(claims=c.claims + 1, due_at=db_now_plus(LEASE_SECONDS))
        .returning(c.id, c.channel_id, c.provider_id, c.kind, c.mime_type, c.sha256, c.claims)
    )
    return [DueMedia(**row) for row in rows.mappings()]


async def conclude(connection: AsyncConnection, file: DueMedia, outcome: Outcome) -> bool:
    """Write what became of a claimed file; False if somebody else has claimed it since, and nothing was written."""
    changed: Any = await connection.execute(
        sa.update(media)
        .where(media.c.id == file.id, media.c.claims == file.claims, media.c.state == "pending")
        .values(**_values(file, outcome))
    )
    return bool(changed.rowcount)


async def fetch_again(connection: AsyncConnection, media_id: UUID) -> None:
    """Let a file that was given up be fetched by the next run of the job."""
    await connection.execute(
        sa.update(media)
        .where(media.c.id == media_id, media.c.state == "failed")
        .values(state="pending", claims=0, due_at=db_now(), reason=None)
    )


def _values(file: DueMedia, outcome: Outcome) -> dict[str, Any]:
    match outcome:
        case Stored():
            return {
                "state": "stored",
                "stored_name": outcome.name,
                "mime_type": outcome.mime_type,
                "size_bytes": outcome.size_bytes,
                "sha256": outcome.sha256,
                "reason": None,
            }
        case Refused(reason=reason):
            return {"state": "refused", "reason": reason[:_LONGEST_REASON]}
        case NotNow(reason=reason) if file.claims >= MOST_CLAIMS:
            return {"state": "failed", "reason": reason[:_LONGEST_REASON]}
        case NotNow(reason=reason, after_seconds=asked):
            wait_seconds = min(max(_RETRY_SECONDS[file.claims - 1], asked), _LONGEST_RETRY_SECONDS)
            return {"due_at": db_now_plus(wait_seconds), "reason": reason[:_LONGEST_REASON]}


async def find_stored(connection: AsyncConnection, media_dir: Path, media_id: UUID) -> StoredFile:
    """Return the stored file.

    Raises:
        MediaNotFound: there is no such file, or its bytes are gone from the disk.
        MediaPending: it is yet to be fetched.
        MediaNotStored: it was refused or could not be fetched; the message says why.

    """
    row = (await connection.execute(sa.select(*media.c).where(media.c.id == media_id))).one_or_none()
    if row is None:
        raise MediaNotFound("there is no such file")
    if row.state == "pending":
        raise MediaPending("the file is being fetched from WhatsApp: try again in a moment")
    if row.state != "stored":
        raise MediaNotStored(f"the file was not stored: {row.reason}")
    path = media_dir / row.stored_name
    try:
        size_bytes = (await asyncio.to_thread(path.stat)).st_size
    except FileNotFoundError:
        raise MediaNotFound("the file is in the database, but not in DATA_DIR/media any more") from None
    known = row.mime_type is not None and extension_of(row.mime_type) != "bin"
    return StoredFile(
        path=path,
        size_bytes=size_bytes,
        content_type=row.mime_type if known else UNNAMED_TYPE,
        download_name=_download_name(row.filename, row.kind, row.mime_type or UNNAMED_TYPE, media_id),
    )


async def read_chunks(path: Path) -> AsyncIterator[bytes]:
    """Yield the bytes of a file, read in a thread."""
    file: BinaryIO = await asyncio.to_thread(path.open, "rb")
    try:
        while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
            yield chunk
    finally:
        file.close()


def new_partial(media_dir: Path) -> Path:
    """Create the file that a download is written to, empty and readable by us alone. Blocks."""
    media_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = media_dir / f"{secrets.token_hex(16)}{_PARTIAL}"
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    return path


def keep(file: DueMedia, partial: Path, *, sha256: str, mime_type: str | None) -> Stored:
    """Check a downloaded file against what was announced, and give it its lasting name. Blocks.

    `sha256` (hexadecimal) was measured while it was downloaded; `mime_type` is what Graph said beside it.

    Raises:
        MediaRefused: it is empty or its bytes are of another type than announced.
        MediaUnavailable: `corrupt`.
        OSError: the disk.

    """
    announced = digest_of(file.sha256)
    if announced is not None and announced.hex() != sha256:
        raise MediaUnavailable("corrupt")
    with partial.open("rb") as opened:
        size_bytes = os.fstat(opened.fileno()).st_size
        checked = _checked_type(file.kind, file.mime_type or mime_type, size_bytes, opened.read(HEAD_BYTES))
    return Stored(settle(partial, checked).name, checked, size_bytes, sha256)


def settle(partial: Path, mime_type: str) -> Path:
    """Give a file that was checked its lasting name, so that it survives a power cut. Blocks."""
    with partial.open("rb") as opened:
        os.fsync(opened.fileno())
    path = partial.with_name(stored_name(mime_type))
    partial.rename(path)
    _sync_directory(path.parent)
    return path


def remove_stale_partials(media_dir: Path) -> int:
    """Remove what downloads of killed processes left behind, after a day; return how many. Blocks."""
    limit = time.time() - _STALE_PARTIAL_SECONDS
    removed = 0
    for path in media_dir.glob(f"*{_PARTIAL}"):
        with contextlib.suppress(FileNotFoundError):  # a download that has just ended took its own away
            if path.stat().st_mtime < limit:
                path.unlink()
                removed += 1
    return removed


def _checked_type(kind: str, announced: str | None, size_bytes: int, head: bytes) -> str:
    """Return the file's type without parameters, once its bytes have been seen to agree with it."""
    declared = (announced or UNNAMED_TYPE).partition(";")[0].strip().lower()
    if declared == UNNAMED_TYPE:  # which announces nothing
        declared = sniff(head) or UNNAMED_TYPE
    # What people send may be larger, and of more types, than what WhatsApp takes from us: of the rules for sending,
    # only those that hold for every document are asked.
    checked = check_file("document", declared, size_bytes, head)
    if not checked.startswith(_TYPES_OF_KIND.get(kind, "")):
        raise MediaRefused("mismatch", f"the content of the file is {checked}, which is no {kind}")
    return checked


def _download_name(given: str | None, kind: str, mime_type: str, media_id: UUID) -> str:
    """Return a name to save the file under: the sender's, harmless, with the ending of the type that it really has."""
    last = (given or "").replace("\\", "/").rpartition("/")[2]
    stem = "".join(letter for letter in last if letter.isprintable()).strip(" .")[:_LONGEST_NAME]
    ending = extension_of(mime_type)
    if not stem:
        return f"{kind}-{media_id}.{ending}"
    return stem if stem.lower().endswith(f".{ending}") else f"{stem}.{ending}"


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
