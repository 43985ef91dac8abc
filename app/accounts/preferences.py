"""Read and replace what a person likes on their screen."""

from typing import Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert  # SQLite understands the same ON CONFLICT
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.models import user_preferences
from app.accounts.schemas import Preferences, PreferencesReplacement
from app.core.db import db_now

_c = user_preferences.c

_DEFAULTS: Final = {
    "language": None,
    "theme": "system",
    "density": "comfortable",
    "shortcuts_enabled": True,
    "sound": True,
}


async def preferences_of(connection: AsyncConnection, user_id: UUID) -> Preferences:
    """Return what a person chose, and the defaults for what nobody asked them yet."""
    stored = await connection.scalar(sa.select(_c.preferences).where(_c.user_id == user_id))
    return msgspec.convert({**_DEFAULTS, **(stored or {})}, Preferences)


async def replace_preferences(connection: AsyncConnection, user_id: UUID, wanted: PreferencesReplacement) -> None:
    """Store all preferences of a person in place of the earlier ones."""
    values = {"preferences": msgspec.to_builtins(wanted), "updated_at": db_now()}
    await connection.execute(
        upsert(user_preferences)
        .values(user_id=user_id, **values)
        .on_conflict_do_update(index_elements=[_c.user_id], set_=values)
    )
