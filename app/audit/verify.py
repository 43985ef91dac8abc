"""Walk the chain and say where it is broken."""

import hmac
from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.audit.chain import GENESIS, Link, Mark, Sealer
from app.audit.keys import find_key
from app.audit.models import audit_entries, audit_marks
from app.audit.service import KEY_PURPOSE
from app.core.db import Database
from app.core.security.cipher import Undecryptable

_ROWS_AT_ONCE: Final = 1_000
_COLUMNS: Final = tuple(audit_entries.c[name] for name in (*Link.__struct_fields__, "hash"))


class Verdict(msgspec.Struct, frozen=True):
    """What was found. `broken_at` is the sequence of the first entry that is not as it was written."""

    entries: int
    head: str
    broken_at: int | None = None
    reason: str | None = None

    @property
    def is_whole(self) -> bool:
        return self.reason is None


async def verify(database: Database, *, anchor: str | None = None) -> Verdict:
    """Check every entry and both ends of the chain.

    `anchor` is `<sequence>:<hash>` as an earlier verification, or the daily line `audit.anchored` of the log, named
    it: it also shows a database that was put back to an older state as a whole.
    """
    async with database.read() as connection:
        await _freeze(connection)
        try:
            key = await find_key(connection, KEY_PURPOSE)
        except Undecryptable:
            return Verdict(0, str(GENESIS), None, "the key of the audit trail cannot be decrypted: see FERNET_KEY")
        marks = await _marks(connection)
        if key is None:
            return await _without_key(connection, marks, anchor)
        sealer = Sealer(key)
        for name, (mark, mac) in marks.items():
            if not hmac.compare_digest(mac, sealer.seal_mark(name, mark)):
                return Verdict(0, str(GENESIS), None, _forged(name))
        start, end = (marks[name][0] if name in marks else GENESIS for name in ("start", "head"))
        return await _walk(connection, sealer, start, end, anchor)


async def _walk(connection: AsyncConnection, sealer: Sealer, start: Mark, end: Mark, anchor: str | None) -> Verdict:
    at, walked, is_anchored = start, 0, anchor is None or anchor == str(start)
    async for link, stored in _links(connection):
        if link.sequence != at.sequence + 1:
            return Verdict(walked, str(at), *_gap(at, link))
        if link.sequence > end.sequence:
            return Verdict(walked, str(at), link.sequence, f"entry {link.sequence} was added behind the end")
        if sealer.seal(at.hash, link) != stored:
            return Verdict(walked, str(at), link.sequence, f"entry {link.sequence} is not as it was written")
        at, walked = Mark(link.sequence, stored), walked + 1
        is_anchored = is_anchored or anchor == str(at)
    if at != end:
        return Verdict(walked, str(at), at.sequence + 1, f"entries {at.sequence + 1} to {end.sequence} are missing")
    if not is_anchored:
        return Verdict(walked, str(at), None, "the anchor is not in the trail: it is older than that, or another one")
    return Verdict(walked, str(at))


def _gap(at: Mark, link: Link) -> tuple[int, str]:
    if link.sequence <= at.sequence:
        return link.sequence, f"entry {link.sequence} was put before the beginning"
    return at.sequence + 1, f"entry {at.sequence + 1} is missing"


async def _links(connection: AsyncConnection) -> AsyncIterator[tuple[Link, bytes]]:
    """Yield every entry and its hash, in order, a thousand at a time."""
    c = audit_entries.c
    page = sa.select(*_COLUMNS).order_by(c.sequence).limit(_ROWS_AT_ONCE)
    rows = (await connection.execute(page)).all()
    while rows:
        for row in rows:
            yield _link(row), row.hash
        rows = (await connection.execute(page.where(c.sequence > rows[-1].sequence))).all()


async def _freeze(connection: AsyncConnection) -> None:
    """Read one moment, however long it takes: entries written meanwhile are neither missing nor too many."""
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))


async def _marks(connection: AsyncConnection) -> dict[str, tuple[Mark, bytes]]:
    rows = await connection.execute(sa.select(audit_marks))
    return {row.name: (Mark(row.sequence, row.hash), row.mac) for row in rows}


async def _without_key(
    connection: AsyncConnection, marks: dict[str, tuple[Mark, bytes]], anchor: str | None
) -> Verdict:
    some = (await connection.execute(sa.select(audit_entries.c.sequence).limit(1))).first()
    if some is None and not marks and anchor is None:
        return Verdict(0, str(GENESIS))
    return Verdict(0, str(GENESIS), None, "the key of the audit trail is missing")


def _link(row: Any) -> Link:
    return Link(**{name: getattr(row, name) for name in Link.__struct_fields__})


def _forged(name: str) -> str:
    return f"the mark that says where the trail {'begins' if name == 'start' else 'ends'} is not ours"
