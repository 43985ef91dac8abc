"""Identifiers: UUIDv7 (RFC 9562), so that they sort by the time they were made."""

from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

__all__ = ["first_id", "new_id"]


def new_id() -> UUID:
    """Return a new UUIDv7."""
    return uuid7()


def first_id(moment: datetime) -> UUID:
    """Return the lowest UUIDv7 of a millisecond: its first 48 bits are the time (RFC 9562 5.7).

    Rows made before a moment are a range of the primary key, whatever else is in the table.
    """
    return UUID(int=int(moment.timestamp() * 1000) << 80)
