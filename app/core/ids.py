"""Identifiers: UUIDv7 (RFC 9562), so that they sort by the time they were made."""

import secrets
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

__all__ = ["first_id", "ids_at", "new_id"]


_VERSION_AND_VARIANT = 7 << 76 | 2 << 62


def new_id() -> UUID:
    """Return a new UUIDv7."""
    return uuid7()


def first_id(moment: datetime) -> UUID:
    """Return the lowest UUIDv7 of a millisecond: its first 48 bits are the time (RFC 9562 5.7).

    Rows made before a moment are a range of the primary key, whatever else is in the table.
    """
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def ids_at(moment: datetime, count: int) -> list[UUID]:
    """Return `count` new UUIDv7 of this moment, which is the database's, in order.

    For what must keep its order whichever process wrote it: the clocks of two machines never agree.
    """
    first = first_id(moment).int | _VERSION_AND_VARIANT | secrets.randbits(12) << 64 | secrets.randbits(61)
    return [UUID(int=first + number) for number in range(count)]
