"""Probes: small questions, each with a quick answer."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import sqlalchemy as sa
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.core.db import Database
from app.system.heartbeat import Heartbeat
from app.system.key_rotation import KeyRotation
from app.system.queries import is_alive
from app.system.schemas import Finding

_OK: Final = Finding("ok")


class Probe(Protocol):
    """One question about one component. Two seconds are given; no answer counts as unhealthy, as an error does."""

    @property
    def name(self) -> str:
        """Name of the component, as health reports show it."""

    async def check(self) -> Finding:
        """Look now."""


class DatabaseProbe:
    """Asks whether the database can be read."""

    name = "database"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def check(self) -> Finding:
        async with self._database.read() as connection:
            await connection.execute(sa.select(1))
        return _OK


class DatabaseWriteProbe:
    """Asks whether the database commits. Writes this process's heartbeat, which is due anyway."""

    name = "database"

    def __init__(self, heartbeat: Heartbeat) -> None:
        self._heartbeat = heartbeat

    async def check(self) -> Finding:
        await self._heartbeat.beat()
        return _OK


class MigrationsProbe:
    """Asks whether the schema is the one this program was written for.

    `heads` are the newest revisions in migrations/; `version_table` is where the database says which it has.
    """

    name = "migrations"

    def __init__(self, database: Database, heads: frozenset[str], *, version_table: str = "alembic_version") -> None:
        self._database = database
        self._heads = heads
        self._version_table = sa.table(version_table, sa.column("version_num", sa.String()))

    async def check(self) -> Finding:
        async with self._database.read() as connection:
            applied = frozenset((await connection.scalars(sa.select(self._version_table.c.version_num))).all())
        if applied != self._heads:
            return Finding("unhealthy", "The database schema is not the one of this version: run the migrations.")
        return _OK


class DiskProbe:
    """Asks for the room left where the data lies. Unhealthy under 5 %, degraded under 10 %."""

    name = "disk"

    def __init__(self, path: Path, usage: Callable[[Path], tuple[int, int, int]] = shutil.disk_usage) -> None:
        self._path = path
        self._usage = usage

    async def check(self) -> Finding:
        total, _, free = await asyncio.to_thread(self._usage, self._path)
        share = free / total
        if share < 0.05:  # noqa: PLR2004 - the bar of the class docstring
            return Finding("unhealthy", "Less than 5 % of the disk is free: make room now.")
        if share < 0.10:  # noqa: PLR2004 - as above
            return Finding("degraded", "Less than 10 % of the disk is free.")
        return _OK


class RedisProbe:
    """Asks whether Redis answers. Without it everything still works, later by a second: degraded, never unhealthy."""

    name = "queue"

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def check(self) -> Finding:
        try:
            await self._redis.get("mostrador:health")  # any answer will do; `ping` has no type
        except (RedisError, OSError):
            return Finding("degraded", "Redis does not answer: jobs are found by looking once a second.")
        return _OK


class QueueProbe:
    """Asks whether the queue inside this process runs. `is_running` is asked; there is nothing to wait for."""

    name = "queue"

    def __init__(self, is_running: Callable[[], bool]) -> None:
        self._is_running = is_running

    async def check(self) -> Finding:
        return _OK if self._is_running() else Finding("unhealthy", "The jobs of this process have stopped.")


class JobsProbe:
    """Asks whether at least one jobs process lives, wherever it runs. For installations with separate processes."""

    name = "jobs"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def check(self) -> Finding:
        async with self._database.read() as connection:
            alive = await is_alive(connection, "jobs", None)
        return _OK if alive else Finding("degraded", "No jobs process was heard of for 30 seconds.")


class SecretsProbe:
    """Asks whether the last pass over the stored secrets found some that no key opens."""

    name = "secrets"

    def __init__(self, keys: KeyRotation) -> None:
        self._keys = keys

    async def check(self) -> Finding:
        if (await self._keys.status()).undecryptable:
            return Finding("degraded", "Stored secrets cannot be decrypted: put their key back into FERNET_KEY.")
        return _OK


class Draining:
    """Knows whether this process is about to stop. `begin` makes it unready at once, requests are still served."""

    name = "draining"

    def __init__(self) -> None:
        self._begun = False

    def begin(self) -> None:
        """Stop being ready."""
        self._begun = True

    async def check(self) -> Finding:
        return Finding("unhealthy", "This process is stopping.") if self._begun else _OK
