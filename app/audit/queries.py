"""Read the audit trail."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.audit.models import audit_entries
from app.audit.schemas import AuditPage, AuditRecord
from app.core.db import Database

_ROWS_AT_ONCE = 500


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries: every member that is given must fit. `action` ending in a dot takes all that begin so."""

    actor_id: UUID | None = None
    action: str | None = None
    target_kind: str | None = None
    target_id: str | None = None
    outcome: Literal["ok", "refused"] | None = None
    since: datetime | None = None
    until: datetime | None = None


async def page(connection: AsyncConnection, wanted: Wanted, *, limit: int, before: int | None) -> AuditPage:
    """Return entries older than the sequence `before`, newest first."""
    c = audit_entries.c
    found = sa.select(*c).where(*_conditions(wanted)).order_by(c.sequence.desc()).limit(limit + 1)
    if before is not None:
        found = found.where(c.sequence < before)
    rows = (await connection.execute(found)).all()
    shown = rows[:limit]
    return AuditPage(
        items=[record_of(row) for row in shown], next_before=shown[-1].sequence if len(rows) > limit else None
    )


async def after(connection: AsyncConnection, wanted: Wanted, sequence: int, *, limit: int) -> list[AuditRecord]:
    """Return entries newer than `sequence`, oldest first."""
    c = audit_entries.c
    found = sa.select(*c).where(*_conditions(wanted), c.sequence > sequence).order_by(c.sequence).limit(limit)
    return [record_of(row) for row in await connection.execute(found)]


async def export(database: Database, wanted: Wanted) -> AsyncIterator[bytes]:
    """Yield entries as lines of JSON, oldest first, each page of them read in a short transaction of its own."""
    sequence = 0
    while True:
        async with database.read() as connection:
            records = await after(connection, wanted, sequence, limit=_ROWS_AT_ONCE)
        if records:
            yield b"".join(msgspec.json.encode(one) + b"\n" for one in records)
            sequence = records[-1].sequence
        if len(records) < _ROWS_AT_ONCE:
            return


def record_of(row: Any) -> AuditRecord:
    """Return a row as the API shows it."""
    values = {name: getattr(row, name) for name in AuditRecord.__struct_fields__}
    values |= {"before": _read(row.before), "after": _read(row.after), "hash": row.hash.hex()}
    return AuditRecord(**values)


def _read(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    c = audit_entries.c
    found: list[sa.ColumnElement[bool]] = []
    if wanted.action is not None and wanted.action.endswith("."):
        found.append(c.action.startswith(wanted.action, autoescape=True))
    elif wanted.action is not None:
        found.append(c.action == wanted.action)
    for column, value in (
        (c.actor_id, wanted.actor_id),
        (c.target_kind, wanted.target_kind),
        (c.target_id, wanted.target_id),
        (c.outcome, wanted.outcome),
    ):
        if value is not None:
            found.append(column == value)
    if wanted.since is not None:
        found.append(c.at >= wanted.since)
    if wanted.until is not None:
        found.append(c.at < wanted.until)
    return found
