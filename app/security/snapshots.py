"""Signed incident snapshots: what was known when, so that others can rely on it."""

import hmac
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.audit import queries as audit
from app.audit.keys import SigningKey, find_key, take_key
from app.audit.models import audit_entries
from app.audit.service import AuditEntry, newest, record
from app.core.ids import new_id
from app.security import queries
from app.security.errors import SnapshotNotFound
from app.security.models import incident_snapshots
from app.security.schemas import (
    Integrity,
    SignedSnapshot,
    SnapshotDocument,
    SnapshotSummary,
    SnapshotToVerify,
    SnapshotVerdict,
)
from app.security.service import Console

_PURPOSE: Final = "snapshots"
_ENTRIES: Final = 200
_HOURS: Final = 24
_SHOWN: Final = 100


async def take(
    connection: AsyncConnection, console: Console, reason: str, *, user_id: UUID, now: datetime, entry: AuditEntry
) -> SignedSnapshot:
    """Write down and sign what is known now, with what the last day's trail says of accounts and security."""
    head = await newest(connection)
    document = SnapshotDocument(
        id=new_id(),
        version=console.version,
        created_at=now,
        created_by=user_id,
        reason=reason,
        overview=await queries.overview(
            connection, console.rules, now=now, window_minutes=console.watch.window_minutes
        ),
        silences=await queries.silences(connection, now),
        audit_head=str(head),
        audit=await _recent(connection, now),
    )
    text = _canonical(document)
    key = await take_key(connection, _PURPOSE)
    signature = _sign(key, text)
    await connection.execute(
        sa.insert(incident_snapshots).values(
            id=document.id,
            created_at=now,
            created_by=user_id,
            document=text.decode(),
            key_id=key.id,
            signature=signature,
        )
    )
    await record(
        connection,
        msgspec.structs.replace(entry, target_id=str(document.id), after={"key_id": key.id, "reason": reason}),
    )
    return _signed(document, key.id, signature)


async def find(connection: AsyncConnection, snapshot_id: UUID) -> SignedSnapshot:
    """Return a stored snapshot. Raises `SnapshotNotFound`."""
    c = incident_snapshots.c
    row = (await connection.execute(sa.select(*c).where(c.id == snapshot_id))).one_or_none()
    if row is None:
        raise SnapshotNotFound
    return _signed(msgspec.json.decode(row.document, type=SnapshotDocument), row.key_id, row.signature)


async def newest_first(connection: AsyncConnection) -> list[SnapshotSummary]:
    """Return the newest hundred."""
    c = incident_snapshots.c
    rows = await connection.execute(
        sa.select(c.id, c.created_at, c.created_by, c.key_id).order_by(c.id.desc()).limit(_SHOWN)
    )
    return [SnapshotSummary(id=row[0], created_at=row[1], created_by=row[2], key_id=row[3]) for row in rows]


async def verify(connection: AsyncConnection, given: SnapshotToVerify, entry: AuditEntry) -> SnapshotVerdict:
    """Tell whether a document is what was signed here, and record that it was asked."""
    reason = _fault(await find_key(connection, _PURPOSE), given)
    verdict = SnapshotVerdict(valid=reason is None, reason=reason)
    known_id = str(given.snapshot.get("id", "unknown"))
    await record(connection, msgspec.structs.replace(entry, target_id=known_id, after=verdict))
    return verdict


def _fault(key: SigningKey | None, given: SnapshotToVerify) -> str | None:
    if given.integrity is None:
        return "it has no signature"
    if key is None or key.id != given.integrity.key_id:
        return "it names a key that is not ours"
    expected = _sign(key, _canonical(given.snapshot))
    if not hmac.compare_digest(expected.encode(), given.integrity.signature.encode()):
        return "the signature does not fit the document: one of them was changed"
    return None


def _canonical(document: SnapshotDocument | dict[str, Any]) -> bytes:
    """Return JSON with sorted members and without white space, whatever order they were sent in."""
    return msgspec.json.encode(msgspec.to_builtins(document, str_keys=True), order="sorted")


def _sign(key: SigningKey, text: bytes) -> str:
    return hmac.digest(key.derive("incident snapshots"), text, "sha256").hex()


def _signed(document: SnapshotDocument, key_id: UUID, signature: str) -> SignedSnapshot:
    return SignedSnapshot(
        snapshot=document, integrity=Integrity(algorithm="HMAC-SHA256", key_id=key_id, signature=signature)
    )


async def _recent(connection: AsyncConnection, now: datetime) -> list[Any]:
    c = audit_entries.c
    about = c.action.startswith("accounts.") | c.action.startswith("security.")
    rows = await connection.execute(
        sa.select(*c).where(about, c.at >= now - timedelta(hours=_HOURS)).order_by(c.sequence.desc()).limit(_ENTRIES)
    )
    return [audit.record_of(row) for row in rows]
