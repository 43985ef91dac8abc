"""The stored results of checks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert  # SQLite understands the same ON CONFLICT
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.db import UtcDateTime
from app.proof.invariants import INVARIANTS
from app.proof.models import invariant_checks
from app.proof.schemas import Invariant

EXAMPLES = 5
_c = invariant_checks.c


async def stored(connection: AsyncConnection) -> list[Invariant]:
    """Return every invariant with its last check."""
    rows = {row.name: row for row in await connection.execute(sa.select(*_c))}
    return [_invariant(one.name, one.about, rows.get(one.name)) for one in INVARIANTS]


async def write(connection: AsyncConnection, found: Mapping[str, list[str]], now: datetime) -> None:
    """Store what a check found, by the invariant's name. How long it has been so is kept."""
    for name in sorted(found):
        violations = len(found[name])
        values = {
            "violations": violations,
            "examples": msgspec.json.encode(found[name][:EXAMPLES]).decode(),
            "checked_at": now,
        }
        since = sa.func.coalesce(_c.violated_since, sa.literal(now, UtcDateTime())) if violations else sa.null()
        await connection.execute(
            upsert(invariant_checks)
            .values(name=name, violated_since=now if violations else None, **values)
            .on_conflict_do_update(index_elements=[_c.name], set_={**values, "violated_since": since})
        )


def _invariant(name: str, about: str, row: Any) -> Invariant:
    if row is None:
        return Invariant(name=name, about=about, violations=0, examples=[], checked_at=None, violated_since=None)
    return Invariant(
        name=name,
        about=about,
        violations=row.violations,
        examples=msgspec.json.decode(row.examples, type=list[str]),
        checked_at=row.checked_at,
        violated_since=row.violated_since,
    )
