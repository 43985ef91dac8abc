"""Reading and writing people."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.models import recovery_codes, users
from app.accounts.schemas import Person, TeamMember, User
from app.core.db import db_now
from app.core.ids import new_id
from app.core.keyset import Cursor, Page, beyond, paginate
from app.core.security.permissions import Role, allows


async def user_by_name(connection: AsyncConnection, username: str) -> User | None:
    """Return the person of that lower-case name."""
    return await _one(connection, users.c.username == username)


async def user_by_id(connection: AsyncConnection, user_id: UUID, *, lock: bool = False) -> User | None:
    """Return a person; with `lock` nobody else changes them until the unit of work ends."""
    return await _one(connection, users.c.id == user_id, lock=lock)


async def anybody_there(connection: AsyncConnection) -> bool:
    """Tell whether there is any person at all."""
    return bool(await connection.scalar(sa.select(sa.exists().select_from(users))))


async def another_admin_there(connection: AsyncConnection, user_id: UUID) -> bool:
    """Tell whether an admin other than this person can come in."""
    c = users.c
    others = (c.role == "admin") & c.disabled_at.is_(None) & ~c.awaits_password & (c.id != user_id)
    return bool(await connection.scalar(sa.select(sa.exists().where(others))))


async def people(connection: AsyncConnection, *, limit: int, cursor: Cursor | None) -> Page[Person]:
    """Return a page of people, the one made last first."""
    statement = sa.select(*users.c).order_by(users.c.created_at.desc(), users.c.id.desc()).limit(limit + 1)
    if cursor is not None:
        statement = statement.where(beyond(cursor, users.c.created_at, users.c.id))
    rows = [User(**row) for row in (await connection.execute(statement)).mappings()]
    return paginate(rows, limit=limit, item=person, cursor=lambda user: Cursor(user.created_at, user.id))


async def team(connection: AsyncConnection) -> list[TeamMember]:
    """Return everybody who may come in now, by name; of a very large company the first thousand."""
    c = users.c
    rows = await connection.execute(
        sa.select(c.id, c.username, c.role)
        .where(c.disabled_at.is_(None), ~c.awaits_password)
        .order_by(c.username)
        .limit(1000)
    )
    return [TeamMember(id=row.id, name=row.username, role=row.role) for row in rows]


async def may_answer(connection: AsyncConnection, user_id: UUID) -> bool:
    """Tell whether there is such a person, who may come in and answer customers."""
    user = await user_by_id(connection, user_id)
    return user is not None and user.disabled_at is None and allows(user.role, "conversations:answer")


async def insert_user(
    connection: AsyncConnection,
    *,
    username: str,
    password_hash: str,
    role: Role,
    only_as_first: bool = False,
    awaits_password: bool = False,
) -> User | None:
    """Store a person and return them; None when the name is taken, or with `only_as_first` when anybody is there."""
    values: dict[str, sa.ColumnElement[Any]] = {
        "id": sa.literal(new_id(), sa.Uuid()),
        "username": sa.literal(username),
        "password_hash": sa.literal(password_hash),
        "role": sa.literal(role),
        "created_at": db_now(),
        "awaits_password": sa.literal(awaits_password, sa.Boolean()),
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


async def change_user(connection: AsyncConnection, user_id: UUID, changes: Mapping[str, object]) -> User:
    """Change columns of a person who is there, and return them as they are now."""
    statement = sa.update(users).where(users.c.id == user_id).values(**changes).returning(*users.c)
    return User(**(await connection.execute(statement)).mappings().one())


async def replace_password_hash(connection: AsyncConnection, user_id: UUID, *, old: str, new: str) -> None:
    """Replace a hash unless it was changed meanwhile."""
    await connection.execute(
        sa.update(users).where(users.c.id == user_id, users.c.password_hash == old).values(password_hash=new)
    )


async def use_step(connection: AsyncConnection, user_id: UUID, step: int) -> bool:
    """Note that the code of a time step was used; False when it, or a later one, was used before."""
    c = users.c
    unused = c.totp_last_step.is_(None) | (c.totp_last_step < step)
    statement = sa.update(users).where(c.id == user_id, unused).values(totp_last_step=step).returning(c.id)
    return (await connection.execute(statement)).one_or_none() is not None


async def use_recovery_code(connection: AsyncConnection, user_id: UUID, code_hash: bytes) -> bool:
    """Note that a recovery code was used; False when there is none such, or it was used before."""
    c = recovery_codes.c
    statement = (
        sa.update(recovery_codes)
        .where(c.user_id == user_id, c.code_hash == code_hash, c.used_at.is_(None))
        .values(used_at=db_now())
        .returning(c.user_id)
    )
    return (await connection.execute(statement)).one_or_none() is not None


async def replace_recovery_codes(connection: AsyncConnection, user_id: UUID, code_hashes: list[bytes]) -> None:
    """Store these codes of a person instead of all others."""
    await connection.execute(sa.delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
    if code_hashes:
        rows = [{"user_id": user_id, "code_hash": code_hash} for code_hash in code_hashes]
        await connection.execute(sa.insert(recovery_codes), rows)


def person(user: User) -> Person:
    """Return what of a person may be shown."""
    return Person(
        id=user.id,
        username=user.username,
        role=user.role,
        created_at=user.created_at,
        disabled_at=user.disabled_at,
        invited=user.awaits_password,
        second_factor=has_second_factor(user),
    )


def has_second_factor(user: User) -> bool:
    """Tell whether a password alone does not let this person in."""
    return user.totp_confirmed_at is not None


def is_recent(moment: datetime, now: datetime, seconds: float) -> bool:
    """Tell whether `moment` is at most so many seconds before `now`."""
    return (now - moment).total_seconds() <= seconds


async def _one(connection: AsyncConnection, condition: sa.ColumnElement[bool], *, lock: bool = False) -> User | None:
    statement = sa.select(*users.c).where(condition)
    row = (await connection.execute(statement.with_for_update() if lock else statement)).mappings().one_or_none()
    return None if row is None else User(**row)
