"""Sessions: a sign-in that lasts, kept going by refresh tokens of which each works once.

A refresh token is 256 random bits, or what a keyed hash makes of the one before it, so that the same token brought
twice within the grace period gets the same successor and a family never branches. Only hashes are stored. One that was
replaced and comes again later is in two hands: the whole session ends (RFC 9700 4.14.2).
"""

import hmac
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Literal
from uuid import UUID

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.errors import InvalidRefreshToken, SessionNotFound
from app.accounts.models import refresh_tokens, sessions
from app.accounts.queries import is_recent, user_by_id
from app.accounts.schemas import Session, SessionKind, User
from app.accounts.tokens import as_token, hash_of, new_token
from app.accounts.trail import Caller, note
from app.core.db import Database
from app.core.ids import new_id
from app.core.metrics import Metrics
from app.core.security.actor import Actor
from app.core.security.tokens import AccessTokens, IssuedToken
from app.core.wake import Wake

SESSIONS: Final = "sessions"
"""The wake-up topic: some session, account or key may not come in any more, or as somebody else."""

IDLE_SECONDS: Final = 24 * 3600
LONGEST_SECONDS: Final = 14 * 24 * 3600
GRACE_SECONDS: Final = 30

EndReason = Literal["signed_out", "revoked", "expired", "refresh_reused", "password_changed", "account_disabled"]

_SHOWN_AGENT = 200
_LONGEST_ADDRESS = 45

log = structlog.get_logger()


class Issued(msgspec.Struct, frozen=True):
    """What a session is continued with. `refresh_seconds` is how long the refresh token can be used."""

    user: User
    session_id: UUID
    kind: SessionKind
    access: IssuedToken
    refresh_token: str
    refresh_seconds: int


class Sessions:
    """Opens, continues, lists and ends sessions. `secret` is the one access tokens are signed with."""

    def __init__(self, database: Database, tokens: AccessTokens, wake: Wake, metrics: Metrics, *, secret: str) -> None:
        self._database = database
        self._tokens = tokens
        self._wake = wake
        self._metrics = metrics
        self._key = hmac.digest(secret.encode(), b"mostrador refresh tokens", sha256)

    async def open(self, connection: AsyncConnection, user: User, kind: SessionKind, caller: Caller) -> Issued:
        """Begin a session of somebody who has just proved who they are."""
        now = await self._database.now(connection)
        session_id, token = new_id(), new_token()
        ends_at = now + timedelta(seconds=LONGEST_SECONDS)
        await connection.execute(
            sa.insert(sessions).values(
                id=session_id,
                user_id=user.id,
                kind=kind,
                created_at=now,
                last_used_at=now,
                ends_at=ends_at,
                address=_shortened(caller.address, _LONGEST_ADDRESS),
                user_agent=_shortened(caller.user_agent, _SHOWN_AGENT),
            )
        )
        await _insert_token(connection, session_id, token, now)
        return self._issued(user, session_id, kind, token, now=now, ends_at=ends_at)

    async def refresh(self, token: str, nonce: str | None, kind: SessionKind, caller: Caller) -> Issued:
        """Exchange a refresh token for the next pair.

        Raises `InvalidRefreshToken`. A token that was replaced before ends its session, unless that was within 30
        seconds and for the same nonce.
        """
        async with self._database.write() as connection:
            answer = await self._exchange(connection, token, nonce, kind, caller)
        if isinstance(answer, Issued):
            return answer
        self._metrics.auth_failures.labels("refresh").inc()
        log.warning("accounts.refresh_refused", reason=answer)
        if answer == "reused":
            self.changed()
        raise InvalidRefreshToken

    async def _exchange(
        self, connection: AsyncConnection, token: str, nonce: str | None, kind: SessionKind, caller: Caller
    ) -> Issued | str:
        token_hash = hash_of(token)
        family = sa.select(refresh_tokens.c.session_id).where(refresh_tokens.c.token_hash == token_hash)
        session = (
            await connection.execute(sa.select(*sessions.c).where(sessions.c.id.in_(family)).with_for_update())
        ).one_or_none()
        if session is None or session.kind != kind:
            return "unknown"
        user = await user_by_id(connection, session.user_id)
        if session.ended_at is not None or user is None or user.disabled_at is not None:
            return "ended"
        now = await self._database.now(connection)
        if now >= session.ends_at or not is_recent(session.last_used_at, now, IDLE_SECONDS):
            await end_sessions(connection, sessions.c.id == session.id, "expired", now=now)
            return "expired"
        if not await self._may_follow(connection, token_hash, nonce, now):
            await end_sessions(connection, sessions.c.id == session.id, "refresh_reused", now=now)
            await note(
                connection,
                "refresh_reused",
                target_kind="session",
                target_id=session.id,
                caller=caller,
                after={"user_id": str(user.id)},
                outcome="refused",
            )
            return "reused"
        successor = self._successor(token)
        await self._replace(connection, session.id, token_hash, successor, nonce, now)
        return self._issued(user, session.id, kind, successor, now=now, ends_at=session.ends_at)

    async def _may_follow(
        self, connection: AsyncConnection, token_hash: bytes, nonce: str | None, now: datetime
    ) -> bool:
        """Tell whether this token may have a successor. Read after the session was locked, so it is what it will be."""
        c = refresh_tokens.c
        found = (
            await connection.execute(sa.select(c.replaced_at, c.nonce_hash).where(c.token_hash == token_hash))
        ).one()
        if found.replaced_at is None:
            return True
        if nonce is None or found.nonce_hash is None or not is_recent(found.replaced_at, now, GRACE_SECONDS):
            return False
        return hmac.compare_digest(bytes(found.nonce_hash), hash_of(nonce))

    async def _replace(
        self,
        connection: AsyncConnection,
        session_id: UUID,
        token_hash: bytes,
        successor: str,
        nonce: str | None,
        now: datetime,
    ) -> None:
        """Note that the token was used, the first time it is."""
        c = refresh_tokens.c
        used = await connection.execute(
            sa.update(refresh_tokens)
            .where(c.token_hash == token_hash, c.replaced_at.is_(None))
            .values(replaced_at=now, nonce_hash=hash_of(nonce) if nonce is not None else None)
            .returning(c.session_id)
        )
        if used.one_or_none() is not None:
            await _insert_token(connection, session_id, successor, now)
            await connection.execute(sa.update(sessions).where(sessions.c.id == session_id).values(last_used_at=now))

    def _successor(self, token: str) -> str:
        return as_token(hmac.digest(self._key, token.encode(errors="replace"), sha256))

    def _issued(
        self, user: User, session_id: UUID, kind: SessionKind, token: str, *, now: datetime, ends_at: datetime
    ) -> Issued:
        actor = Actor(user_id=user.id, username=user.username, role=user.role, session_id=session_id)
        left_seconds = int((ends_at - now).total_seconds())
        return Issued(
            user=user,
            session_id=session_id,
            kind=kind,
            access=self._tokens.issue(actor, not_after=ends_at),
            refresh_token=token,
            refresh_seconds=min(IDLE_SECONDS, left_seconds),
        )

    def changed(self) -> None:
        """Tell every process to look again who may come in. Call it after the commit."""
        self._wake.notify(SESSIONS)

    async def find(self, user_id: UUID, *, current: UUID | None) -> list[Session]:
        """Return a person's sessions that can still be used, the one used last first."""
        c = sessions.c
        async with self._database.read() as connection:
            now = await self._database.now(connection)
            rows = await connection.execute(
                sa.select(*(column for column in c if column.name not in {"ended_at", "end_reason"}))
                .where(c.user_id == user_id, c.ended_at.is_(None), c.ends_at > now)
                .where(c.last_used_at > now - timedelta(seconds=IDLE_SECONDS))
                .order_by(c.last_used_at.desc(), c.id.desc())
            )
            return [Session(**row, current=row["id"] == current) for row in rows.mappings()]

    async def end(self, user_id: UUID, session_id: UUID, reason: EndReason, *, actor: Actor, caller: Caller) -> None:
        """End one session of a person.

        Raises `SessionNotFound`.
        """
        c = sessions.c
        async with self._database.write() as connection:
            now = await self._database.now(connection)
            ended = await end_sessions(connection, (c.user_id == user_id) & (c.id == session_id), reason, now=now)
            if not ended:
                raise SessionNotFound("this person has no such session")
            action = "signed_out" if reason == "signed_out" else "session_revoked"
            await note(connection, action, target_kind="session", target_id=session_id, actor=actor, caller=caller)
        self.changed()

    async def end_all(self, user_id: UUID, reason: EndReason, *, actor: Actor, caller: Caller) -> int:
        """End every session of a person, and return how many there were."""
        async with self._database.write() as connection:
            now = await self._database.now(connection)
            ended = await end_sessions(connection, sessions.c.user_id == user_id, reason, now=now)
            await note(
                connection,
                "sessions_revoked",
                target_id=user_id,
                actor=actor,
                caller=caller,
                after={"sessions": len(ended)},
            )
        self.changed()
        return len(ended)


async def end_sessions(
    connection: AsyncConnection, which: sa.ColumnElement[bool], reason: EndReason, *, now: datetime
) -> list[UUID]:
    """End those sessions that have not ended, and return their ids. Afterwards call `Sessions.changed`."""
    statement = (
        sa.update(sessions)
        .where(which, sessions.c.ended_at.is_(None))
        .values(ended_at=now, end_reason=reason)
        .returning(sessions.c.id)
    )
    return list((await connection.execute(statement)).scalars())


async def _insert_token(connection: AsyncConnection, session_id: UUID, token: str, now: datetime) -> None:
    await connection.execute(
        sa.insert(refresh_tokens).values(token_hash=hash_of(token), session_id=session_id, created_at=now)
    )


def _shortened(text: str | None, most: int) -> str | None:
    """Return what fits; PostgreSQL stores no NUL, which some servers let through in headers."""
    return (text or "").replace("\x00", "")[:most] or None
