"""Files in a request: `multipart/form-data` bodies (RFC 7578), streamed, with their length announced."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec

__all__ = ["FilePart", "multipart_body"]

_CHUNK_BYTES = 256 * 1024


class FilePart(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the form. A `Path` is read in pieces while it is sent, so the file must not change meanwhile."""

    name: str
    content: bytes | Path
    filename: str | None = None
    content_type: str | None = None


async def multipart_body(parts: Sequence[FilePart]) -> tuple[AsyncIterator[bytes], dict[str, str]]:
    """Return the body as a stream, and the headers that go with it.

    The length is always announced, because Meta refuses chunked uploads.
    """
    boundary = secrets.token_hex(16)
    heads = [_head(part, boundary) for part in parts]
    tail = f"--{boundary}--\r\n".encode()
    length_bytes = len(tail)
    for head, part in zip(heads, parts, strict=True):
        length_bytes += len(head) + await _size_bytes(part.content) + len(b"\r\n")
    headers = {"content-type": f"multipart/form-data; boundary={boundary}", "content-length": str(length_bytes)}
    return _stream(heads, parts, tail), headers


async def _stream(heads: Sequence[bytes], parts: Sequence[FilePart], tail: bytes) -> AsyncIterator[bytes]:
    for head, part in zip(heads, parts, strict=True):
        yield head
        if isinstance(part.content, bytes):
            yield part.content
        else:
            async for chunk in _read(part.content):
                yield chunk
        yield b"\r\n"
    yield tail


async def _read(path: Path) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
            yield chunk
    finally:
        file.close()


async def _size_bytes(content: bytes | Path) -> int:
    if isinstance(content, bytes):
        return len(content)
    return (await asyncio.to_thread(content.stat)).st_size


def _head(part: FilePart, boundary: str) -> bytes:
    disposition = f'form-data; name="{_quoted(part.name)}"'
    if part.filename is not None:
        disposition += f'; filename="{_quoted(part.filename)}"'
    lines = [f"--{boundary}", f"Content-Disposition: {disposition}"]
    if part.content_type is not None:
        lines.append(f"Content-Type: {part.content_type}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _quoted(text: str) -> str:
    """Escape as browsers do (HTML standard, multipart/form-data encoding algorithm)."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
