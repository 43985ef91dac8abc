"""New keys for old: re-encrypts what is stored, in small pieces, while everything else goes on.

A pass over all encrypted columns belongs to one ring. Whatever changes the ring starts another: a new key, an old one
dropped, a restart with another FERNET_KEY. Where it has come to is stored with what it did, so that a process that
ends in the middle costs nothing. A day after a pass another one looks again.
"""

import hashlib
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.db import Database, db_now
from app.core.security.cipher import Cipher, Undecryptable
from app.core.security.key_file import KeyFile
from app.system.models import key_rings
from app.system.schemas import KeyRing

log = structlog.get_logger()

_ROWS_AT_ONCE: Final = 100
_RUN_SECONDS: Final = 300.0
_REPEATED_AFTER: Final = timedelta(days=1)
_KEPT_AFTER_USE: Final = timedelta(hours=1)
"""How long old keys stay after a pass found them unused: what a slow unit of work encrypted before it, it commits."""

_c = key_rings.c


class _Step(msgspec.Struct, frozen=True):
    """What one batch did; `place` and `after_id` are where the next one goes on, None when all has been read."""

    place: str | None
    after_id: str
    checked: int = 0
    renewed: int = 0
    undecryptable: int = 0


class KeyRotation:
    """Keeps everything in `columns` encrypted with the newest key, and makes and drops keys of an own `key_file`.

    `every_days` is how old a key of the file becomes before a new one is made; 0 is never. Without a file the keys
    are those of FERNET_KEY, which only the operator changes.
    """

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        columns: Sequence[sa.Column[Any]],
        *,
        key_file: KeyFile | None,
        every_days: int = 0,
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._columns = {f"{column.table.name}.{column.name}": column for column in columns}
        self._key_file = key_file
        self._every_days = every_days

    async def run(self) -> None:
        """Do what is due. What is left after five minutes is done by the next run."""
        ends_at = time.monotonic() + _RUN_SECONDS
        ring = await self._ring()
        if await self._is_due(ring):
            await self._add_key(ring)
            ring = await self._ring()
        while ring.finished_at is None and time.monotonic() < ends_at:
            advanced = await self._advance()
            if advanced is None:
                return  # the ring has changed just now: the next run begins with the new one
            ring = advanced
        if ring.finished_at is not None:
            await self._settle(ring)

    async def status(self) -> KeyRing:
        """Return how far the pass over the ring of this process is; nothing is changed."""
        async with self._database.read() as connection:
            found = await _find(connection, self._ring_id())
        fingerprints = self._cipher.fingerprints
        return found or KeyRing(newest=fingerprints[0], key_count=len(fingerprints))

    def _ring_id(self) -> str:
        return hashlib.sha256(",".join(self._cipher.fingerprints).encode()).hexdigest()

    async def _ring(self) -> KeyRing:
        fingerprints = self._cipher.fingerprints
        async with self._database.write() as connection:
            insert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            await connection.execute(
                insert(key_rings)
                .values(
                    ring=self._ring_id(), newest=fingerprints[0], key_count=len(fingerprints), first_seen_at=db_now()
                )
                .on_conflict_do_nothing()
            )
            found = await _find(connection, self._ring_id())
        return found or KeyRing(newest=fingerprints[0], key_count=len(fingerprints))

    async def _is_due(self, ring: KeyRing) -> bool:
        """Tell whether the newest key is too old. The age of a key is that of the first ring it was the newest of."""
        if self._key_file is None or self._every_days == 0:
            return False
        async with self._database.read() as connection:
            now = await self._database.now(connection)
            since = await connection.scalar(sa.select(sa.func.min(_c.first_seen_at)).where(_c.newest == ring.newest))
        return since is not None and now - since >= timedelta(days=self._every_days)

    async def _add_key(self, ring: KeyRing) -> None:
        file = self._key_file
        if file is not None and file.add(unless=lambda keys: Cipher(keys).fingerprints[0] != ring.newest):
            log.info("keys.added", newest=self._cipher.fingerprints[0], before=ring.newest)

    async def _advance(self) -> KeyRing | None:
        """Read one batch, renew what needs it, and store both with the place, in one unit of work."""
        ring_id = self._ring_id()
        async with self._database.write() as connection:
            place = (
                await connection.execute(sa.select(_c.place, _c.after_id).where(_c.ring == ring_id).with_for_update())
            ).one_or_none()
            if place is None:
                return None
            step = await self._renew_batch(connection, place.place, place.after_id)
            await connection.execute(
                sa.update(key_rings)
                .where(_c.ring == ring_id)
                .values(
                    place=step.place or "",
                    after_id=step.after_id,
                    checked=_c.checked + step.checked,
                    renewed=_c.renewed + step.renewed,
                    undecryptable=_c.undecryptable + step.undecryptable,
                    finished_at=db_now() if step.place is None else None,
                )
            )
            return await _find(connection, ring_id)

    async def _renew_batch(self, connection: AsyncConnection, place: str, after_id: str) -> _Step:
        names = list(self._columns)
        name = place if place in self._columns else names[0]
        column = self._columns[name]
        (key,) = column.table.primary_key.columns
        some = sa.select(key, column).where(column.is_not(None)).order_by(key).limit(_ROWS_AT_ONCE)
        if place and after_id:
            some = some.where(key > _id_of(key, after_id))
        rows = (await connection.execute(some)).all()
        renewed, lost = 0, 0
        for row_id, ciphertext in rows:
            try:
                renewed += await self._renew(connection, column, key == row_id, ciphertext)
            except Undecryptable:
                lost += 1
                log.error("keys.undecryptable", column=name, row_id=str(row_id))  # noqa: TRY400 - it says no more
        if len(rows) == _ROWS_AT_ONCE:
            return _Step(name, str(rows[-1][0]), len(rows), renewed, lost)
        following = names[names.index(name) + 1 :]
        return _Step(following[0] if following else None, "", len(rows), renewed, lost)

    async def _renew(
        self, connection: AsyncConnection, column: sa.Column[Any], this_row: sa.ColumnElement[bool], ciphertext: bytes
    ) -> int:
        """Replace one ciphertext unless somebody else has meanwhile."""
        new = self._cipher.renew(ciphertext)
        if new is None:
            return 0
        changed = await connection.execute(
            sa.update(column.table).where(this_row, column == ciphertext).values({column.name: new})
        )
        return changed.rowcount

    async def _settle(self, ring: KeyRing) -> None:
        """After a pass: look again when it is old, and drop old keys when it found nothing left under them."""
        async with self._database.read() as connection:
            now = await self._database.now(connection)
        age = now - (ring.finished_at or now)
        if ring.key_count > 1 and ring.renewed and age >= _KEPT_AFTER_USE:
            await self._begin_again()  # only a pass that found nothing to do shows that the old keys are unused
        elif self._key_file is not None and ring.key_count > 1 and not ring.renewed and _is_settled(ring, now):
            self._drop_old_keys(self._key_file)
        elif age >= _REPEATED_AFTER:
            await self._begin_again()

    async def _begin_again(self) -> None:
        async with self._database.write() as connection:
            await connection.execute(
                sa.update(key_rings)
                .where(_c.ring == self._ring_id())
                .values(place="", after_id="", checked=0, renewed=0, undecryptable=0, finished_at=None)
            )

    def _drop_old_keys(self, file: KeyFile) -> None:
        keys = file.read()
        known = Cipher(keys).fingerprints
        if known == self._cipher.fingerprints and file.keep_newest(if_ring_is=keys):
            log.info("keys.old_dropped", dropped=len(keys) - 1, newest=known[0])


def _is_settled(ring: KeyRing, now: datetime) -> bool:
    """Tell whether every process has had the time to notice the ring, and to commit what it had begun before."""
    return ring.first_seen_at is not None and now - ring.first_seen_at >= _KEPT_AFTER_USE


async def _find(connection: AsyncConnection, ring_id: str) -> KeyRing | None:
    columns = [_c[name] for name in KeyRing.__struct_fields__]
    row = (await connection.execute(sa.select(*columns).where(_c.ring == ring_id))).one_or_none()
    return None if row is None else KeyRing(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def _id_of(key: sa.Column[Any], text: str) -> object:
    if key.type.python_type is UUID:
        return UUID(text)
    return int(text) if key.type.python_type is int else text
