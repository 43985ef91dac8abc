"""Keyset pagination: a list is continued after the last row seen, whatever was added or removed meanwhile."""

import base64
import re
import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, Self, TypeVar
from uuid import UUID

import msgspec
import sqlalchemy as sa

from app.core.db import UtcDateTime
from app.core.errors import InvalidInput

T = TypeVar("T")
Row = TypeVar("Row")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LAYOUT = struct.Struct(">q16s")  # microseconds since 1970, id
_TEXT = re.compile(r"[A-Za-z0-9_-]{32}")


class Cursor(msgspec.Struct, frozen=True):
    """The place in a list after which the next page starts: the time and the id of the last row shown."""

    at: datetime
    id: UUID

    def encode(self) -> str:
        """Return the cursor as 32 characters that are safe in a URL.

        It is opaque but not signed: it can only name a place in a list that its reader may see anyway.
        """
        raw = _LAYOUT.pack((self.at - _EPOCH) // _MICROSECOND, self.id.bytes)
        return base64.urlsafe_b64encode(raw).decode()

    @classmethod
    def decode(cls, text: str) -> Self:
        """Read what `encode` wrote.

        Raises `InvalidInput` (field `cursor`) for anything else.
        """
        if not _TEXT.fullmatch(text):
            raise _not_ours()
        microseconds, row_id = _LAYOUT.unpack(base64.urlsafe_b64decode(text))
        try:
            return cls(at=_EPOCH + microseconds * _MICROSECOND, id=UUID(bytes=row_id))
        except OverflowError as error:
            raise _not_ours() from error


def _not_ours() -> InvalidInput:
    return InvalidInput("this cursor was not made by this server: start again without one", field="cursor")


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list. `next_cursor` is given back as `cursor` to continue; it is null on the last page."""

    items: list[T]
    next_cursor: str | None = None


def beyond(
    cursor: Cursor, time: sa.ColumnElement[Any], row_id: sa.ColumnElement[Any], *, newest_first: bool = True
) -> sa.ColumnElement[bool]:
    """Return the condition for rows after `cursor` in a list ordered by (`time`, `row_id`)."""
    place = sa.tuple_(sa.literal(cursor.at, UtcDateTime()), sa.literal(cursor.id, sa.Uuid()))
    row = sa.tuple_(time, row_id)
    return row < place if newest_first else row > place


def paginate(rows: Sequence[Row], *, limit: int, item: Callable[[Row], T], cursor: Callable[[Row], Cursor]) -> Page[T]:
    """Make a page of `rows`, which were fetched with `limit + 1` so that it is known whether more follow."""
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(items=[item(row) for row in shown], next_cursor=cursor(shown[-1]).encode() if more else None)
