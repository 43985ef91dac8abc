"""Store a webhook once, durably, before anybody is told that we have it."""

import hashlib
from collections.abc import Sequence
from typing import Self
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.db import Database, GroupCommit, InsertMany, db_now
from app.core.failpoints import reach
from app.core.ids import new_id
from app.core.wake import Wake
from app.whatsapp.models import inbound_events

INBOX = "inbox"  # the wake-up topic of whoever ingests


class RawEvent(msgspec.Struct, frozen=True):
    """A verified webhook body, and the channel its address named, if it named one."""

    body: bytes
    channel_id: UUID | None = None


_STORE = InsertMany(
    inbound_events,
    given={"received_at": db_now(), "due_at": db_now()},
    skip_existing=True,
    returning=[inbound_events.c.digest],
)


class Intake:
    """Stores webhooks by group commit. An async context manager.

    The same body again (Meta delivers at least once) is not stored again.
    """

    def __init__(self, database: Database, wake: Wake) -> None:
        self._wake = wake
        self._group: GroupCommit[RawEvent, bool] = GroupCommit(
            database, self._store, then=self._tell, one_statement=True
        )

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._group.__aexit__(*error)

    async def save(self, event: RawEvent, *, within_seconds: float | None = None) -> bool:
        """Return after the COMMIT: True if the event is new, False if we had it.

        Raises `Unavailable` (of which `DatabaseUnavailable` is one) when it is not stored: Meta shall try again.
        """
        return await self._group.save(event, within_seconds=within_seconds)

    def _tell(self, is_new: Sequence[bool]) -> None:
        reach("intake.committed")
        if any(is_new):
            self._wake.notify(INBOX)

    async def _store(self, connection: AsyncConnection, events: Sequence[RawEvent]) -> list[bool]:
        rows: dict[bytes, dict[str, object]] = {}
        digests = []
        for event in events:
            digest = hashlib.sha256(event.body).digest()
            digests.append(digest)
            rows.setdefault(digest, _row(event, digest))
        # In one order: two processes that are given the same bodies at once would otherwise wait for each other.
        new = {row.digest for row in await _STORE.rows(connection, [rows[digest] for digest in sorted(rows)])}
        reach("intake.inserted")
        is_new = []
        for digest in digests:
            is_new.append(digest in new)
            new.discard(digest)  # the second of two is not new
        return is_new


def _row(event: RawEvent, digest: bytes) -> dict[str, object]:
    return {
        "id": new_id(),
        "digest": digest,
        "channel_id": event.channel_id,
        "body": event.body,
        "state": "pending",
    }
