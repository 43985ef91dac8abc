"""Read and replace the business profile."""

from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert  # SQLite understands the same ON CONFLICT DO NOTHING
from sqlalchemy.ext.asyncio import AsyncConnection

from app.business.errors import ProfileChanged
from app.business.events import BusinessProfileChanged
from app.business.example_profile import example_profile
from app.business.models import ONLY_ROW, business_profiles
from app.business.schemas import BusinessProfile, StoredProfile
from app.core.db import db_now, events

_c = business_profiles.c


async def get(connection: AsyncConnection) -> StoredProfile:
    """Return the newest profile, or the example profile as version 0 while none was stored."""
    row = (await connection.execute(sa.select(*_c))).one_or_none()
    if row is None:
        return StoredProfile(profile=example_profile(), version=0, updated_at=None, updated_by=None)
    return StoredProfile(
        profile=msgspec.convert(row.profile, BusinessProfile),
        version=row.version,
        updated_at=row.updated_at,
        updated_by=row.updated_by,
    )


async def replace(
    connection: AsyncConnection, profile: BusinessProfile, *, expected_version: int, updated_by: UUID | None
) -> StoredProfile:
    """Store `profile` in place of version `expected_version` and return it with its new version.

    Raises `ProfileChanged` when another version is stored by now.
    """
    values = {
        "profile": msgspec.to_builtins(profile),
        "version": expected_version + 1,
        "updated_at": db_now(),
        "updated_by": updated_by,
    }
    statement = _first(values) if expected_version == 0 else _next(values, expected_version)
    if (await connection.execute(statement)).one_or_none() is None:
        raise ProfileChanged("somebody else has changed the business profile: load it again and repeat your change")
    await events.record(connection, [BusinessProfileChanged(version=expected_version + 1)])
    return await get(connection)


def _first(values: dict[str, object]) -> sa.Executable:
    return upsert(business_profiles).values(id=ONLY_ROW, **values).on_conflict_do_nothing().returning(_c.version)


def _next(values: dict[str, object], expected_version: int) -> sa.Executable:
    return sa.update(business_profiles).where(_c.version == expected_version).values(**values).returning(_c.version)
