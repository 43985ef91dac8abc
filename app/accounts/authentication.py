"""Whether a token or a key still speaks for somebody: asked of the database, at most twice a second each."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, Generic, TypeVar
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.api_keys import KEY_PREFIX, KeyStanding, standing_by_hash, standing_by_id
from app.accounts.models import sessions, users
from app.accounts.sessions import IDLE_SECONDS, SESSIONS
from app.accounts.tokens import hash_of
from app.core.db import Database, db_now, db_now_plus
from app.core.security.actor import Actor
from app.core.security.tokens import Access, AccessTokens, InvalidToken
from app.core.wake import Wake

Key = TypeVar("Key")
Value = TypeVar("Value")

# Every process must know within a second that a session has ended; wake-ups make it sooner, and may be lost.
FRESH_SECONDS: Final = 0.5
_MOST_REMEMBERED: Final = 10_000


class _Standing(msgspec.Struct, frozen=True):
    """A session that stands: who acts in it as they are now, and when it ends at the latest."""

    actor: Actor
    ends_at: datetime


class Authentication:
    """The product's `Authenticator`: access tokens of sessions that stand, and API keys."""

    def __init__(
        self, database: Database, tokens: AccessTokens, wake: Wake, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._changed = wake.subscribe(SESSIONS)
        self._sessions: _Remembered[UUID, _Standing] = _Remembered(self._find_session, clock)
        self._keys: _Remembered[bytes, KeyStanding] = _Remembered(self._find_key, clock)

    async def authenticate(self, credential: str) -> Access:
        """Return who acts, as they are now: a role that was changed counts at once.

        Raises `InvalidToken` and `Unavailable`.
        """
        self._forget_if_changed()
        if credential.startswith(KEY_PREFIX):
            key = await self._keys.get(hash_of(credential))
            if key is None:
                raise InvalidToken("the API key is not valid or no longer valid")
            return Access(actor=key.actor, expires_at=key.expires_at)
        access = self._tokens.verify(credential)
        session_id = access.actor.session_id
        standing = await self._sessions.get(session_id) if session_id is not None else None
        if standing is None or standing.actor.user_id != access.actor.user_id:
            raise InvalidToken("the session has ended: sign in again")
        return Access(actor=standing.actor, expires_at=access.expires_at, session_ends_at=standing.ends_at)

    async def is_valid(self, access: Access) -> bool:
        self._forget_if_changed()
        if access.actor.session_id is not None:
            return await self._sessions.get(access.actor.session_id) is not None
        if access.actor.api_key_id is None:
            return False
        async with self._database.read() as connection:
            return await standing_by_id(connection, access.actor.api_key_id) is not None

    def _forget_if_changed(self) -> None:
        if self._changed.is_set():
            self._changed.clear()
            self._sessions.clear()
            self._keys.clear()

    async def _find_session(self, session_id: UUID) -> _Standing | None:
        async with self._database.read() as connection:
            return await _standing(connection, session_id)

    async def _find_key(self, key_hash: bytes) -> KeyStanding | None:
        async with self._database.read() as connection:
            found = await standing_by_hash(connection, key_hash)
        if found is not None and found.use_is_old:
            async with self._database.write() as connection:
                await found.note_use(connection)
        return found


class _Entry(Generic[Value]):
    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.asked_at: float | None = None
        self.value: Value | None = None


class _Remembered(Generic[Key, Value]):
    """What was found half a second ago or less is not asked again; those who ask at once share one question."""

    def __init__(self, find: Callable[[Key], Awaitable[Value | None]], clock: Callable[[], float]) -> None:
        self._find = find
        self._clock = clock
        self._entries: OrderedDict[Key, _Entry[Value]] = OrderedDict()

    async def get(self, key: Key) -> Value | None:
        entry = self._entries.setdefault(key, _Entry())
        self._entries.move_to_end(key)
        if len(self._entries) > _MOST_REMEMBERED:
            self._entries.popitem(last=False)
        async with entry.lock:
            if entry.asked_at is None or self._clock() - entry.asked_at > FRESH_SECONDS:
                asked_at = self._clock()  # what changes while it is being asked is seen after half a second from here
                entry.value = await self._find(key)
                entry.asked_at = asked_at
            return entry.value

    def clear(self) -> None:
        self._entries.clear()


async def _standing(connection: AsyncConnection, session_id: UUID) -> _Standing | None:
    c = sessions.c
    row = (
        await connection.execute(
            sa.select(users.c.id, users.c.username, users.c.role, c.ends_at)
            .join_from(sessions, users)
            .where(c.id == session_id, c.ended_at.is_(None), c.ends_at > db_now())
            .where(c.last_used_at > db_now_plus(-IDLE_SECONDS), users.c.disabled_at.is_(None))
        )
    ).one_or_none()
    if row is None:
        return None
    actor = Actor(user_id=row.id, username=row.username, role=row.role, session_id=session_id)
    return _Standing(actor, row.ends_at)
