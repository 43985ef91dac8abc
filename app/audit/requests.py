"""What an HTTP request says about who acts, for controllers."""

from typing import Any

from litestar import Request

from app.audit.service import AuditEntry
from app.core.security.actor import Actor
from app.core.security.tokens import Access


def entry(
    request: Request[Actor, Access, Any],
    action: str,
    target_kind: str,
    target_id: object,
    *,
    before: object | None = None,
    after: object | None = None,
) -> AuditEntry:
    """Return the audit entry of something that the caller of `request` does; `target_id` is written as text."""
    return AuditEntry(
        action=action,
        target_kind=target_kind,
        target_id=str(target_id),
        actor=request.user,
        address=request.client.host if request.client else None,
        before=before,
        after=after,
    )
