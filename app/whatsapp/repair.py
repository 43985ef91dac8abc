"""Reads JSON that is not quite what it should be: one unusable member never costs its neighbours.

All of this is the slow way, taken only when the strict decoder has refused, apart from `clean`, which every body
passes and which costs two searches when there is nothing to clean.
"""

import re
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

__all__ = ["clean", "lenient", "objects_in", "prune"]

_T = TypeVar("_T", bound=msgspec.Struct)

_DEEPEST = 100
"""Meta's deepest payload has about 12 levels; everything that reads JSON here or in a database copes with 100."""

_HIGH, _LOW = rb"u[dD][89abAB][0-9a-fA-F]{2}", rb"u[dD][c-fC-F][0-9a-fA-F]{2}"
_SUSPECT = re.compile(
    rb"\\u(?:0000|[dD](?:[89abAB][0-9a-fA-F]{2}(?!\\" + _LOW + rb")"
    rb"|[c-fC-F][0-9a-fA-F]{2}(?<!\\" + _HIGH + rb"\\u[dD][c-fC-F][0-9a-fA-F]{2})))"
)
_ESCAPE = re.compile(rb"\\(?:" + _HIGH + rb"\\" + _LOW + rb"|u([0-9a-fA-F]{4})|.)", re.DOTALL)
_STRUCTURE = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError)


def clean(body: bytes) -> bytes:
    r"""Return the JSON text without what PostgreSQL cannot store and decoders refuse.

    The escape `\u0000` is removed, since no PostgreSQL text or jsonb value can hold NUL; a lone half of a surrogate
    pair becomes U+FFFD, and so does every byte sequence that is not UTF-8. Everything else stays byte for byte.
    """
    if b"\\u" in body and _SUSPECT.search(body):
        body = _ESCAPE.sub(_clean_escape, body)
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError:
            body = body.decode(errors="replace").encode()
    return body


def _clean_escape(match: re.Match[bytes]) -> bytes:
    digits = match[1]
    if digits is None:
        return match[0]
    if digits == b"0000":
        return b""
    return rb"\ufffd" if 0xD800 <= int(digits, 16) <= 0xDFFF else match[0]  # noqa: PLR2004 - the surrogates


def prune(body: bytes) -> bytes:
    """Return the JSON text with every array and object deeper than 100 levels replaced by `null`, without recursion."""
    pieces = []
    depth = kept_until = 0
    for match in _STRUCTURE.finditer(body):
        mark = match[0]
        if mark in (b"{", b"["):
            depth += 1
            if depth == _DEEPEST + 1:
                pieces.append(body[kept_until : match.start()])
        elif mark in (b"}", b"]"):
            if depth == _DEEPEST + 1:
                pieces.append(b"null")
                kept_until = match.end()
            depth -= 1
    if depth > _DEEPEST:
        return b""
    pieces.append(body[kept_until:])
    return b"".join(pieces)


def lenient(raw: bytes | msgspec.Raw, shape: type[_T]) -> _T | None:
    """Read a struct member by member, leaving out those that do not fit; `None` if it is not a JSON object at all.

    A number stands in for a text (Meta has sent both). Lists keep the items that can be read.
    """
    members = _members(raw)
    return None if members is None else _build(members, shape)


def objects_in(raw: bytes | msgspec.Raw) -> list[msgspec.Raw]:
    """Return the items of a JSON array, still encoded; nothing if it is not an array."""
    try:
        return msgspec.json.decode(raw, type=list[msgspec.Raw])
    except _UNREADABLE:
        return []


def _members(raw: bytes | msgspec.Raw) -> dict[str, msgspec.Raw] | None:
    try:
        return msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except _UNREADABLE:
        return None


def _build(members: dict[str, msgspec.Raw], shape: type[_T]) -> _T:
    readable: dict[str, Any] = {}
    hints = _hints(shape)
    for field in msgspec.structs.fields(shape):
        raw = members.get(field.encode_name)
        if raw is not None:
            value = _read(raw, hints[field.name])
            if value is not None:
                readable[field.name] = value
    return shape(**readable)


def _read(raw: msgspec.Raw, hint: Any) -> Any:
    try:
        return msgspec.json.decode(raw, type=hint)
    except _UNREADABLE:
        return _read_roughly(raw, [part for part in _alternatives(hint) if part is not NoneType])


def _read_roughly(raw: msgspec.Raw, alternatives: list[Any]) -> Any:
    for part in alternatives:
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            return lenient(raw, part)
        if get_origin(part) is list:
            (item,) = get_args(part)
            return [value for one in objects_in(raw) if (value := _read(one, item)) is not None]
        if part is str:
            return _as_text(raw)
    return None


def _as_text(raw: msgspec.Raw) -> str | None:
    try:
        number = msgspec.json.decode(raw, type=int)
    except _UNREADABLE:
        return None
    return str(number)


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


@cache
def _hints(shape: type[msgspec.Struct]) -> dict[str, Any]:
    return get_type_hints(shape)
