"""Files on Meta's side: uploaded by the business or sent by customers, with their download addresses."""

import base64
import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from app.simulator.graph_errors import GraphError

__all__ = ["SAMPLES", "MediaFile", "MediaStore"]

ADDRESS_LASTS = timedelta(minutes=5)
UPLOAD_LASTS = timedelta(days=30)
FROM_CUSTOMER_LASTS = timedelta(days=7)
TOTAL_BYTES = 512 * 1024 * 1024
_MIB = 1024 * 1024

# Meta's table of kinds, formats and sizes (`reference/whatsapp.md` A2).
_LARGEST_BYTES = {
    **dict.fromkeys(("image/jpeg", "image/png"), 5 * _MIB),
    **dict.fromkeys(("video/mp4", "video/3gpp"), 16 * _MIB),
    **dict.fromkeys(("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"), 16 * _MIB),
    "image/webp": 500 * 1024,
    **dict.fromkeys(
        (
            "text/plain",
            "application/pdf",
            "application/msword",
            "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        100 * _MIB,
    ),
}

# The smallest files that are what they say: a pixel, a page, a moment of silence.
SAMPLES: dict[str, tuple[str, bytes]] = {
    "image": (
        "image/png",
        base64.b64decode(
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8BQDwAEgAF/pooBPQAAAABJRU5ErkJggg=="
        ),
    ),
    "sticker": ("image/webp", base64.b64decode("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")),
    "video": ("video/mp4", b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom\x00\x00\x00\x08mdat"),
    "audio": (
        "audio/ogg; codecs=opus",
        b"OggS\x00\x02" + bytes(20) + b"\x01\x13OpusHead\x01\x01\x00\x00\x80>\x00\x00\x00\x00\x00",
    ),
    "document": ("application/pdf", b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"),
}


class MediaFile(msgspec.Struct, frozen=True):
    id: str
    mime_type: str
    content: bytes
    expires_at: datetime

    @property
    def sha256(self) -> str:
        """Hexadecimal, as the Graph answer has it."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def sha256_base64(self) -> str:
        """As webhooks have it."""
        return base64.b64encode(hashlib.sha256(self.content).digest()).decode()


class MediaStore:
    """Files in memory, up to 512 MiB in all: the oldest make room."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._files: dict[str, MediaFile] = {}
        self._addresses: dict[str, tuple[str, datetime]] = {}
        self._total_bytes = 0

    def upload(self, mime_type: str, content: bytes) -> MediaFile:
        """Keep a file of the business for 30 days.

        Raises:
            GraphError: 100 for a format that WhatsApp does not take, 131053 for a file that is empty or too large.

        """
        largest = _LARGEST_BYTES.get(mime_type.partition(";")[0].strip().lower())
        if largest is None:
            known = ", ".join(_LARGEST_BYTES)
            raise GraphError(100, f"Param file must be a file with one of the following types: {known}.")
        if not content or len(content) > largest:
            raise GraphError(131053, f"A file of type {mime_type} must have 1 to {largest} bytes.")
        return self._keep(mime_type, content, UPLOAD_LASTS)

    def from_customer(self, mime_type: str, content: bytes) -> MediaFile:
        """Keep a file of a customer for 7 days."""
        return self._keep(mime_type, content, FROM_CUSTOMER_LASTS)

    def find(self, media_id: str) -> MediaFile | None:
        file = self._files.get(media_id)
        return file if file is not None and self._now() < file.expires_at else None

    def delete(self, media_id: str) -> bool:
        file = self._files.pop(media_id, None)
        if file is not None:
            self._total_bytes -= len(file.content)
        return file is not None

    def address(self, media_id: str) -> str:
        """Return the secret part of a new download address, good for 5 minutes."""
        now = self._now()
        self._addresses = {key: known for key, known in self._addresses.items() if known[1] > now}
        key = secrets.token_urlsafe(24)
        self._addresses[key] = (media_id, now + ADDRESS_LASTS)
        return key

    def at_address(self, key: str) -> MediaFile | None:
        media_id, expires_at = self._addresses.get(key, ("", self._now()))
        return self.find(media_id) if self._now() < expires_at else None

    def clear(self) -> None:
        self._files.clear()
        self._addresses.clear()
        self._total_bytes = 0

    def _keep(self, mime_type: str, content: bytes, lasts: timedelta) -> MediaFile:
        media_id = str(10**15 + secrets.randbelow(9 * 10**15))
        file = MediaFile(media_id, mime_type, content, self._now() + lasts)
        self._files[media_id] = file
        self._total_bytes += len(content)
        while self._total_bytes > TOTAL_BYTES and len(self._files) > 1:
            self.delete(next(iter(self._files)))
        return file
