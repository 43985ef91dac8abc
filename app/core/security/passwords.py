"""Passwords: argon2id in a few threads, so that many sign-ins at once cannot take the machine's memory."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

import msgspec
from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from app.core.errors import Unavailable

Result = TypeVar("Result")

# OWASP ASVS 5.0 appendix C: argon2id with 46 MiB, one pass, one lane.
_MEMORY_KIB = 47104
_PASSES = 1
_LANES = 1

_THREADS = 2
_MOST_WAITING = 64


class Verification(msgspec.Struct, frozen=True):
    """`matches` tells whether the password was right; `new_hash` is set when the stored hash should be replaced."""

    matches: bool
    new_hash: str | None = None


class Passwords:
    """Hashes and verifies passwords. Use as an async context manager: leaving it ends its threads.

    `hasher` is for tests that need other parameters than those in use.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher(
            time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES, type=Type.ID
        )
        self._threads = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="password")
        self._waiting = 0
        self._nobody: asyncio.Future[str] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._threads.shutdown)

    async def hash(self, password: str) -> str:
        """Return the hash to store.

        Raises `Unavailable` when too many passwords wait already.
        """
        return await self._in_thread(lambda: self._hasher.hash(password))

    async def verify(self, stored: str | None, password: str) -> Verification:
        """Compare `password` with a stored hash; with None (no such person) it takes as long and never matches.

        Raises `Unavailable` when too many passwords wait already.
        """
        if stored is None:
            decoy = await self._decoy()
            await self._in_thread(lambda: self._matches(decoy, password))
            return Verification(matches=False)
        return await self._in_thread(lambda: self._verify(stored, password))

    def _verify(self, stored: str, password: str) -> Verification:
        if not self._matches(stored, password):
            return Verification(matches=False)
        outdated = self._hasher.check_needs_rehash(stored)
        return Verification(matches=True, new_hash=self._hasher.hash(password) if outdated else None)

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except VerifyMismatchError:
            return False
        except (VerificationError, InvalidHashError) as error:
            raise ValueError("a stored password hash cannot be read") from error

    async def _decoy(self) -> str:
        """Return the hash of a password nobody has, made once."""
        if self._nobody is None:
            self._nobody = asyncio.ensure_future(self.hash(secrets.token_urlsafe(32)))
        return await asyncio.shield(self._nobody)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        if self._waiting >= _MOST_WAITING:
            raise Unavailable("too many people are signing in: try again in a moment")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1
