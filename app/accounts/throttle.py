"""Guessing passwords is slow: five failures an account, then ever longer pauses between one try and the next.

The counts are in the database, so that every process knows them and a restart forgets nothing. The pauses begin short,
because anybody who knows a name can bring them about (ASVS 6.1.1): 1, 2, 4 and 8 minutes, then 15 each time. A session
that is open goes on, and a reset link ends the pause.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.models import sign_in_failures
from app.core.db import Database
from app.core.errors import TooManyRequests

MOST_FAILURES: Final = 5
WINDOW_SECONDS: Final = 15 * 60
FIRST_PAUSE_SECONDS: Final = 60

_c = sign_in_failures.c


class Try(msgspec.Struct, frozen=True):
    """One try to sign in. `closes` tells that the account is closed for a while if it fails."""

    name_hash: bytes
    failures: int
    closes: bool


class SignInThrottle:
    """Counts failed sign-ins by account name.

    A try counts as failed from its beginning until it succeeds, so that many tries at once gain nothing. Names that
    belong to nobody are counted alike, so that the answer does not tell which names exist.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, username: str) -> Try:
        """Count a try, in a unit of work of its own.

        Raises `TooManyRequests` while the account is closed.
        """
        name_hash = _hash(username)
        async with self._database.write() as connection:
            now = await self._database.now(connection)
            failures, closed_until = await _locked(connection, name_hash, now)
            closed_seconds = (closed_until - now).total_seconds() if closed_until is not None else 0.0
            if closed_seconds <= 0:
                failures += 1
                await _store(connection, name_hash, failures, now)
        if closed_seconds > 0:
            raise TooManyRequests(
                "too many failed sign-ins for this account: wait before the next try",
                retry_after_seconds=closed_seconds,
            )
        return Try(name_hash, failures, closes=failures >= MOST_FAILURES)

    async def withdraw(self, connection: AsyncConnection, given: Try) -> None:
        """Take a try back: it was neither right nor wrong."""
        await connection.execute(
            sa.update(sign_in_failures)
            .where(_c.name_hash == given.name_hash, _c.failures > 0)
            .values(failures=_c.failures - 1, closed_until=None)
        )

    async def forget(self, connection: AsyncConnection, username: str) -> None:
        """Forget an account's failures: its owner came in, or was given a new password."""
        await connection.execute(sa.delete(sign_in_failures).where(_c.name_hash == _hash(username)))


def pause_seconds(failures: int) -> int:
    """Return for how long an account is closed after so many failures in a row."""
    if failures < MOST_FAILURES:
        return 0
    return int(min(FIRST_PAUSE_SECONDS * 2 ** min(failures - MOST_FAILURES, 10), WINDOW_SECONDS))


async def _locked(connection: AsyncConnection, name_hash: bytes, now: datetime) -> tuple[int, datetime | None]:
    """Return the failures that still count and the end of the pause; nobody else counts for this name meanwhile."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    await connection.execute(
        insert(sign_in_failures).values(name_hash=name_hash, failures=0, last_failed_at=now).on_conflict_do_nothing()
    )
    found = (await connection.execute(sa.select(*_c).where(_c.name_hash == name_hash).with_for_update())).one()
    quiet_seconds = (now - found.last_failed_at).total_seconds()
    if quiet_seconds >= WINDOW_SECONDS + pause_seconds(found.failures):
        return 0, None
    return found.failures, found.closed_until


async def _store(connection: AsyncConnection, name_hash: bytes, failures: int, now: datetime) -> None:
    pause = pause_seconds(failures)
    await connection.execute(
        sa.update(sign_in_failures)
        .where(_c.name_hash == name_hash)
        .values(
            failures=failures,
            last_failed_at=now,
            closed_until=now + timedelta(seconds=pause) if pause else None,
        )
    )


def _hash(username: str) -> bytes:
    return sha256(username.encode(errors="replace")).digest()
