"""What the API says of the audit trail."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from app.core.schema import Output


class AuditRecord(Output, frozen=True, kw_only=True):
    """One entry of the trail. `before` and `after` are redacted; `hash` is hexadecimal.

    `actor_id` is null for the system itself and for strangers.
    """

    sequence: int
    id: UUID
    at: datetime
    action: str
    target_kind: str
    target_id: str
    outcome: Literal["ok", "refused"]
    actor_id: UUID | None
    actor_name: str | None
    actor_role: str | None
    api_key_id: UUID | None
    address: str | None
    before: Any
    after: Any
    hash: str


class AuditPage(Output, frozen=True, kw_only=True):
    """One page of the trail, newest first. `next_before` is given back as `before_sequence`; null on the last page."""

    items: list[AuditRecord]
    next_before: int | None
