"""Reading and writing people."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.models import users
from app.accounts.schemas import User
from app.core.db import db_now
from app.core.ids import new_id
from app.core.security.actor import Role


async def user_by_name(connection: AsyncConnection, username: str) -> User | None:
    """Return the person of that lower-case name."""
    return await _one(connection, users.c.username == username)


async def user_by_id(connection: AsyncConnection, user_id: UUID) -> User | None:
    return await _one(connection, users.c.id == user_id)


async def anybody_there(connection: AsyncConnection) -> bool:
    """Tell whether there is any person at all."""
    return bool(await connection.scalar(sa.select(sa.exists().select_from(users))))


async def insert_user(
    connection: AsyncConnection, *, username: str, password_hash: str, role: Role, only_as_first: bool = False
) -> User | None:
    """Store a person and return them; None when the name is taken, or with `only_as_first` when anybody is there."""
    values: dict[str, sa.ColumnElement[Any]] = {
        "id": sa.literal(new_id(), sa.Uuid()),
        "username": sa.literal(username),
        "password_hash": sa.literal(password_hash),
        "role": sa.literal(role),
        "created_at": db_now(),
    }
    # The condition is written even where it is always true: SQLite needs a WHERE before ON CONFLICT.
    condition = ~sa.exists().select_from(users) if only_as_first else sa.literal(1) == 1
    insert = postgresql.insert(users) if connection.dialect.name == "postgresql" else sqlite.insert(users)
    statement = (
        insert.from_select(list(values), sa.select(*values.values()).where(condition))
        .on_conflict_do_nothing()
        .returning(*users.c)
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else User(**row)


async def replace_password_hash(connection: AsyncConnection, user_id: UUID, *, old: str, new: str) -> None:
    """Replace a hash unless it was changed meanwhile."""
    await connection.execute(
        sa.update(users).where(users.c.id == user_id, users.c.password_hash == old).values(password_hash=new)
    )


async def _one(connection: AsyncConnection, condition: sa.ColumnElement[bool]) -> User | None:
    row = (await connection.execute(sa.select(*users.c).where(condition))).mappings().one_or_none()
    return None if row is None else User(**row)
