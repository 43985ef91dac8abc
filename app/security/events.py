"""What happens on the security console."""

from typing import ClassVar
from uuid import UUID

from app.core.events import Event


class SecurityAlertOpened(Event, frozen=True, kw_only=True):
    """Something happens too often, and was not known to."""

    name: ClassVar[str] = "security_alert_opened"
    alert_id: UUID
    fingerprint: str
