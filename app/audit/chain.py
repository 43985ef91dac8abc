"""The chain itself: what is hashed, and with what."""

import hmac
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec

from app.audit.keys import SigningKey

_HASH_BYTES: Final = 32


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One entry as it is stored: every column but the hash, which covers all of them."""

    sequence: int
    id: UUID
    at: datetime
    action: str
    target_kind: str
    target_id: str
    outcome: str
    actor_id: UUID | None
    actor_name: str | None
    actor_role: str | None
    api_key_id: UUID | None
    address: str | None
    before: str | None
    after: str | None


class Mark(msgspec.Struct, frozen=True):
    """A place in the chain: an entry's sequence and its hash."""

    sequence: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.sequence}:{self.hash.hex()}"


GENESIS: Final = Mark(0, bytes(_HASH_BYTES))


class Sealer:
    """Computes the hashes of a chain: `h = HMAC-SHA256(key, previous hash || canonical row)`."""

    def __init__(self, key: SigningKey) -> None:
        self._entries = key.derive("audit entries")
        self._marks = key.derive("audit marks")

    def seal(self, previous: bytes, link: Link) -> bytes:
        """Return the hash of `link` after an entry with the hash `previous`."""
        return hmac.digest(self._entries, previous + _canonical(link), "sha256")

    def seal_mark(self, name: str, mark: Mark) -> bytes:
        """Return the signature of a mark, which says that the chain begins or ends there."""
        return hmac.digest(self._marks, f"{name}:{mark}".encode(), "sha256")


def _canonical(link: Link) -> bytes:
    """Return the row as a JSON array in the order of its columns; the time in UTC with microseconds."""
    at = link.at.astimezone(UTC).isoformat(timespec="microseconds")
    values = {**msgspec.structs.asdict(link), "at": at}
    return msgspec.json.encode(list(values.values()))
