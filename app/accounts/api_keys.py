"""API keys: for programs, with scopes and an end, shown once."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.errors import ApiKeyNotFound
from app.accounts.models import api_keys, users
from app.accounts.schemas import ApiKey, CreatedApiKey, NewApiKey
from app.accounts.sessions import Sessions
from app.accounts.tokens import hash_of, new_token
from app.accounts.trail import Caller, note
from app.core.db import Database, db_now, db_now_plus
from app.core.errors import InvalidInput
from app.core.ids import new_id
from app.core.keyset import Cursor, Page, beyond, paginate
from app.core.security.actor import Actor
from app.core.security.permissions import PEOPLE_ONLY, Permission

KEY_PREFIX: Final = "mk_"
USE_SECONDS: Final = 60
"""How exactly `last_used_at` is kept: a write for each request would be too many."""

_SHOWN: Final = len(KEY_PREFIX) + 8

log = structlog.get_logger()


class KeyStanding(msgspec.Struct, frozen=True):
    """A key that may be used, and as whom."""

    actor: Actor
    expires_at: datetime
    use_is_old: bool

    async def note_use(self, connection: AsyncConnection) -> None:
        """Store that the key is being used now."""
        await connection.execute(
            sa.update(api_keys).where(api_keys.c.id == self.actor.api_key_id).values(last_used_at=db_now())
        )


class ApiKeys:
    """Makes, lists and revokes keys."""

    def __init__(self, database: Database, sessions: Sessions) -> None:
        self._database = database
        self._sessions = sessions

    async def create(self, data: NewApiKey, *, actor: Actor, caller: Caller) -> CreatedApiKey:
        """Make a key of the person who asks; it may never do more than they may themselves.

        Raises `InvalidInput` (field `scopes`).
        """
        _check_scopes(data.scopes, actor)
        key = KEY_PREFIX + new_token()
        async with self._database.write() as connection:
            now = await self._database.now(connection)
            row = (
                (
                    await connection.execute(
                        sa.insert(api_keys)
                        .values(
                            id=new_id(),
                            user_id=actor.user_id,
                            name=data.name,
                            prefix=key[:_SHOWN],
                            key_hash=hash_of(key),
                            scopes=sorted(set(data.scopes)),
                            created_at=now,
                            expires_at=now + timedelta(days=data.expires_in_days),
                        )
                        .returning(*_SHOWN_COLUMNS)
                    )
                )
                .mappings()
                .one()
            )
            details = ApiKey(**row)
            await note(
                connection,
                "api_key_created",
                target_kind="api_key",
                target_id=details.id,
                actor=actor,
                caller=caller,
                after={"name": details.name, "scopes": details.scopes, "expires_at": details.expires_at.isoformat()},
            )
        log.info("accounts.api_key_created", api_key_id=str(details.id), user_id=str(actor.user_id))
        return CreatedApiKey(key=key, details=details)

    async def find(self, *, limit: int, cursor: Cursor | None) -> Page[ApiKey]:
        """Return a page of everybody's keys, the one made last first, revoked and expired ones included."""
        c = api_keys.c
        statement = sa.select(*_SHOWN_COLUMNS).order_by(c.created_at.desc(), c.id.desc()).limit(limit + 1)
        if cursor is not None:
            statement = statement.where(beyond(cursor, c.created_at, c.id))
        async with self._database.read() as connection:
            rows = [ApiKey(**row) for row in (await connection.execute(statement)).mappings()]
        return paginate(rows, limit=limit, item=lambda key: key, cursor=lambda key: Cursor(key.created_at, key.id))

    async def revoke(self, key_id: UUID, *, actor: Actor, caller: Caller) -> None:
        """End a key for good; ending it twice changes nothing.

        Raises `ApiKeyNotFound`.
        """
        c = api_keys.c
        async with self._database.write() as connection:
            if await connection.scalar(sa.select(c.id).where(c.id == key_id)) is None:
                raise ApiKeyNotFound("there is no such API key")
            await connection.execute(
                sa.update(api_keys).where(c.id == key_id, c.revoked_at.is_(None)).values(revoked_at=db_now())
            )
            await note(
                connection, "api_key_revoked", target_kind="api_key", target_id=key_id, actor=actor, caller=caller
            )
        self._sessions.changed()


def _check_scopes(scopes: list[Permission], actor: Actor) -> None:
    for scope in scopes:
        if scope in PEOPLE_ONLY:
            raise InvalidInput(f"no key may have the permission {scope}", field="scopes")
        if not actor.may(scope):
            raise InvalidInput(f"you do not have the permission {scope} yourself", field="scopes")


async def standing_by_hash(connection: AsyncConnection, key_hash: bytes) -> KeyStanding | None:
    """Return whom the key speaks for, while neither it nor its owner has ended."""
    return await _standing(connection, api_keys.c.key_hash == key_hash)


async def standing_by_id(connection: AsyncConnection, key_id: UUID) -> KeyStanding | None:
    return await _standing(connection, api_keys.c.id == key_id)


async def _standing(connection: AsyncConnection, which: sa.ColumnElement[bool]) -> KeyStanding | None:
    c = api_keys.c
    unused = c.last_used_at.is_(None) | (c.last_used_at < db_now_plus(-USE_SECONDS))
    row = (
        await connection.execute(
            sa.select(c.id, c.user_id, c.scopes, c.expires_at, users.c.username, users.c.role, unused.label("unused"))
            .join_from(api_keys, users)
            .where(which, c.revoked_at.is_(None), c.expires_at > db_now(), users.c.disabled_at.is_(None))
        )
    ).one_or_none()
    if row is None:
        return None
    actor = Actor(
        user_id=row.user_id,
        username=row.username,
        role=row.role,
        session_id=None,
        api_key_id=row.id,
        scopes=frozenset(row.scopes),
    )
    return KeyStanding(actor, row.expires_at, use_is_old=bool(row.unused))


_SHOWN_COLUMNS: Final = tuple(column for column in api_keys.c if column.name != "key_hash")
