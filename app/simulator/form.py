"""Uploads: `multipart/form-data` (RFC 7578) as far as Graph's media endpoint needs it."""

import re
from email.message import Message

import msgspec

from app.simulator.graph_errors import GraphError

__all__ = ["FormPart", "parse_form"]

MAX_PARTS = 16


class FormPart(msgspec.Struct, frozen=True):
    content: bytes
    content_type: str | None
    filename: str | None


_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,70})"|([^;,\s]{1,70}))', re.IGNORECASE)


def parse_form(content_type: str, body: bytes) -> dict[str, FormPart]:
    """Return the parts by name.

    Raises:
        GraphError: 100 when the body is not such a form.

    """
    boundary = _BOUNDARY.search(content_type)
    if boundary is None or not content_type.lower().startswith("multipart/form-data"):
        raise GraphError(100, "The upload must be multipart/form-data.")
    delimiter = b"\r\n--" + (boundary[1] or boundary[2]).encode("latin-1")
    # A line break before the first delimiter is optional in the body, and makes all delimiters alike.
    pieces = (b"\r\n" + body).split(delimiter)
    if len(pieces) > MAX_PARTS + 2 or not pieces[-1].startswith(b"--"):
        raise GraphError(100, "The upload is cut off or has too many parts.")
    return dict(_part(piece) for piece in pieces[1:-1])


def _part(piece: bytes) -> tuple[str, FormPart]:
    head, separator, content = piece.partition(b"\r\n\r\n")
    if not separator:
        raise GraphError(100, "A part of the upload has no header.")
    header = Message()
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        header[name.strip()] = value.strip()
    field = header.get_param("name", header="content-disposition")
    return str(field), FormPart(content, header.get("content-type"), header.get_filename())
