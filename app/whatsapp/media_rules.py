"""Which files WhatsApp carries, how we tell what a file really is, and how we name it.

Limits: Meta's table of supported media (copied at vtex, whatsapp.md A2). Signatures: the WHATWG MIME Sniffing standard
for images, audio and video; ISO/IEC 14496-12 for the `ftyp` box; RFC 3533 (Ogg); RFC 4867 (AMR); the formats' own first
bytes for documents.
"""

import secrets
from typing import Literal

import msgspec

from app.whatsapp.errors import MediaRefused

__all__ = ["HEAD_BYTES", "MediaKind", "check_file", "extension_of", "kind_of", "sniff", "stored_name"]

MediaKind = Literal["image", "video", "audio", "document", "sticker"]

HEAD_BYTES = 4096
"""How many first bytes of a file `sniff` needs to see."""

_MEBIBYTE = 1024 * 1024
_STATIC_STICKER_BYTES, _ANIMATED_STICKER_BYTES = 100 * 1024, 500 * 1024


class _Rule(msgspec.Struct, frozen=True):
    mime_types: frozenset[str]
    most_bytes: int


_OFFICE = "application/vnd.openxmlformats-officedocument."
_ZIPPED = {
    "application/zip",
    f"{_OFFICE}wordprocessingml.document",
    f"{_OFFICE}spreadsheetml.sheet",
    f"{_OFFICE}presentationml.presentation",
}
_OLD_OFFICE = {
    "application/x-ole-storage",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
}
_RULES: dict[MediaKind, _Rule] = {
    "image": _Rule(frozenset({"image/jpeg", "image/png"}), 5 * _MEBIBYTE),
    "video": _Rule(frozenset({"video/mp4", "video/3gpp"}), 16 * _MEBIBYTE),
    "audio": _Rule(frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"}), 16 * _MEBIBYTE),
    "sticker": _Rule(frozenset({"image/webp"}), _ANIMATED_STICKER_BYTES),
    "document": _Rule(frozenset(), 100 * _MEBIBYTE),
}

_EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "video/mp4": "mp4",
    "video/3gpp": "3gp",
    "audio/aac": "aac",
    "audio/amr": "amr",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/ogg": "ogg",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "text/plain": "txt",
    f"{_OFFICE}wordprocessingml.document": "docx",
    f"{_OFFICE}spreadsheetml.sheet": "xlsx",
    f"{_OFFICE}presentationml.presentation": "pptx",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
}

_FIRST_BYTES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"OggS\x00", "audio/ogg"),
    (b"#!AMR\n", "audio/amr"),
    (b"#!AMR-WB\n", "audio/amr"),
    (b"ID3", "audio/mpeg"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
)
_MP4_AUDIO_BRANDS = frozenset({b"M4A ", b"M4B ", b"F4A "})
_TEXT_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\x0c\x1b")) + b"\x7f"


def sniff(head: bytes) -> str | None:
    """Return the MIME type that the first `HEAD_BYTES` bytes of a file show, or `None` if they show none we know.

    Office files show as the containers they are: `application/zip`, `application/x-ole-storage`.
    """
    for first, mime_type in _FIRST_BYTES:
        if head.startswith(first):
            return mime_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    if head[:2] in (b"\xff\xf1", b"\xff\xf9"):
        return "audio/aac"
    if head[:2] in (b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2"):
        return "audio/mpeg"
    return "text/plain" if _is_text(head) else None


def check_file(kind: MediaKind, mime_type: str, size_bytes: int, head: bytes) -> str:
    """Check a file before it is uploaded or shown; return its MIME type without parameters.

    Raises:
        MediaRefused: `empty`, `type` (WhatsApp does not carry it as this kind), `size`, or `mismatch` (the content is
            not what `mime_type` says).

    """
    declared = mime_type.partition(";")[0].strip().lower()
    rule = _RULES[kind]
    if size_bytes <= 0:
        raise MediaRefused("empty", "the file is empty")
    if rule.mime_types and declared not in rule.mime_types:
        raise MediaRefused("type", f"WhatsApp takes {', '.join(sorted(rule.mime_types))} here")
    if size_bytes > _most_bytes(kind, head):
        raise MediaRefused("size", f"the file is larger than {_most_bytes(kind, head)} bytes")
    if not _is_what_it_says(declared, sniff(head)):
        raise MediaRefused("mismatch", f"the content of the file is not {declared}")
    return declared


def kind_of(mime_type: str) -> MediaKind:
    """Return as what a file of this type is sent; what is nothing else is a document."""
    declared = mime_type.partition(";")[0].strip().lower()
    for kind in ("image", "video", "audio"):
        if declared in _RULES[kind].mime_types:
            return kind
    return "document"


def extension_of(mime_type: str) -> str:
    """Return the usual ending of a file of this type, `bin` for one that we do not know."""
    return _EXTENSIONS.get(mime_type.partition(";")[0].strip().lower(), "bin")


def stored_name(mime_type: str) -> str:
    """Return a new random file name; the name that a person gave never reaches the disk."""
    return f"{secrets.token_hex(16)}.{extension_of(mime_type)}"


def _most_bytes(kind: MediaKind, head: bytes) -> int:
    if kind == "sticker" and not _is_animated_webp(head):
        return _STATIC_STICKER_BYTES
    return _RULES[kind].most_bytes


def _is_what_it_says(declared: str, seen: str | None) -> bool:
    if seen == declared:
        return True
    if seen == "application/zip":
        return declared in _ZIPPED
    if seen == "application/x-ole-storage":
        return declared in _OLD_OFFICE
    if seen == "text/plain":
        return declared.startswith("text/") and declared not in ("text/html", "text/xml")
    # Audio and video share a container; its brand does not always tell which it is.
    if seen in ("audio/mp4", "video/mp4"):
        return declared in ("audio/mp4", "video/mp4")
    return seen is None and declared not in _EXTENSIONS and not declared.startswith(("text/", "image/"))


def _iso_media(head: bytes) -> str:
    brand = head[8:12]
    if brand in _MP4_AUDIO_BRANDS:
        return "audio/mp4"
    return "video/3gpp" if brand.startswith((b"3gp", b"3g2")) else "video/mp4"


def _is_animated_webp(head: bytes) -> bool:
    """Read the animation flag of the extended header (WebP container specification, VP8X)."""
    animation_flag = 0x02
    return head[12:16] == b"VP8X" and len(head) > 20 and bool(head[20] & animation_flag)  # noqa: PLR2004 - its offset


def _is_text(head: bytes) -> bool:
    if not head or head.translate(None, _TEXT_CONTROLS) != head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        # A letter may be cut in two by the end of the head.
        return error.start >= len(head) - 3
    return True
