"""Write the audit trail: one chain, in the unit of work of what it tells about."""

from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.audit.chain import GENESIS, Link, Mark, Sealer
from app.audit.keys import SigningKey, cipher_of, take_key
from app.audit.models import audit_entries, audit_marks, signing_keys
from app.audit.redaction import describe, difference
from app.core.db import db_now, exclusive
from app.core.ids import new_id
from app.core.security.actor import Actor
from app.core.security.cipher import Cipher

__all__ = ["KEY_PURPOSE", "AuditEntry", "difference", "record"]

KEY_PURPOSE = "audit"

Outcome = Literal["ok", "refused"]

_LONGEST_TARGET = 200
_LONGEST_NAME = 64


class AuditEntry(msgspec.Struct, frozen=True):
    """What somebody did.

    `action` is `<thing>.<past participle>`, such as `channel.added`. `actor` is None for the system itself and for
    strangers. `before` and `after` are structs or plain JSON values: members whose names speak of secrets are
    replaced by stars, but phone numbers and texts of customers must not be in them at all.
    """

    action: str
    target_kind: str
    target_id: str
    actor: Actor | None = None
    address: str | None = None
    before: object | None = None
    after: object | None = None
    outcome: Outcome = "ok"


async def record(connection: AsyncConnection, entry: AuditEntry) -> None:
    """Append `entry` to the chain; it is stored exactly if the caller's unit of work is.

    Call it last in the unit of work: from here to the commit no other process writes an entry, and whoever waits
    for a row after it could block one that waits for the chain.

    Raises `NoCipher` when the database was opened without `sealed_by`, and `Undecryptable`.
    """
    cipher = cipher_of(connection)
    await exclusive(connection, "audit")
    sealer, head, at = await _place(connection, cipher)
    actor = entry.actor
    link = Link(
        sequence=head.sequence + 1,
        id=new_id(),
        at=at,
        action=entry.action,
        target_kind=entry.target_kind,
        target_id=entry.target_id[:_LONGEST_TARGET],
        outcome=entry.outcome,
        actor_id=actor.user_id if actor else None,
        actor_name=actor.username[:_LONGEST_NAME] if actor else None,
        actor_role=actor.role if actor else None,
        api_key_id=actor.api_key_id if actor else None,
        address=entry.address[:_LONGEST_NAME] if entry.address else None,
        before=describe(entry.before),
        after=describe(entry.after),
    )
    mark = Mark(link.sequence, sealer.seal(head.hash, link))
    await connection.execute(sa.insert(audit_entries).values(**msgspec.structs.asdict(link), hash=mark.hash))
    await set_mark(connection, "head", mark, sealer)


async def _place(connection: AsyncConnection, cipher: Cipher) -> tuple[Sealer, Mark, datetime]:
    """Return what signs, where the chain ends, and what time it is: one question, while everybody else waits."""
    k, m = signing_keys.c, audit_marks.c
    both = signing_keys.outerjoin(audit_marks, m.name == "head")
    columns = (db_now().label("at"), k.id, k.secret, m.sequence, m.hash.label("head_hash"))
    row = (
        await connection.execute(sa.select(*columns).select_from(both).where(k.purpose == KEY_PURPOSE))
    ).one_or_none()
    if row is None:
        await take_key(connection, KEY_PURPOSE)
        return await _place(connection, cipher)
    key = SigningKey(row.id, cipher.decrypt(row.secret))
    return Sealer(key), GENESIS if row.sequence is None else Mark(row.sequence, row.head_hash), row.at


async def newest(connection: AsyncConnection) -> Mark:
    """Return where the chain ends; `GENESIS` when nothing was ever recorded."""
    row = (await connection.execute(sa.select(audit_marks).where(audit_marks.c.name == "head"))).one_or_none()
    return GENESIS if row is None else Mark(row.sequence, row.hash)


async def set_mark(connection: AsyncConnection, name: Literal["head", "start"], mark: Mark, sealer: Sealer) -> None:
    """Write where the chain begins or ends, signed."""
    values = {"sequence": mark.sequence, "hash": mark.hash, "mac": sealer.seal_mark(name, mark)}
    insert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    await connection.execute(
        insert(audit_marks)
        .values(name=name, **values)
        .on_conflict_do_update(index_elements=[audit_marks.c.name], set_=values)
    )
