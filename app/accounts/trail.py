"""What happens to accounts and sessions, into the audit trail, in the unit of work that does it."""

from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from app.audit.service import AuditEntry, record
from app.core.security.actor import Actor


class Caller(msgspec.Struct, frozen=True):
    """Where a request came from: the client's address, and what its program calls itself."""

    address: str | None = None
    user_agent: str | None = None


NOBODY = Caller()


async def note(
    connection: AsyncConnection,
    action: str,
    *,
    target_kind: Literal["user", "session", "api_key"] = "user",
    target_id: UUID | None,
    actor: Actor | None = None,
    caller: Caller = NOBODY,
    before: object | None = None,
    after: object | None = None,
    outcome: Literal["ok", "refused"] = "ok",
) -> None:
    """Record `accounts.<action>`."""
    await record(
        connection,
        AuditEntry(
            action=f"accounts.{action}",
            target_kind=target_kind,
            target_id=str(target_id) if target_id is not None else "unknown",
            actor=actor,
            address=caller.address,
            before=before,
            after=after,
            outcome=outcome,
        ),
    )
