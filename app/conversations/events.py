"""What happens to conversations."""

from typing import ClassVar
from uuid import UUID

from app.core.events import Event


class MessageReceived(Event, frozen=True, kw_only=True):
    name: ClassVar[str] = "message_received"
    conversation_id: UUID
    message_id: UUID
    media: bool = False


class TurnEnded(Event, frozen=True, kw_only=True):
    """`state` and `reason` are those of app.conversations.turns."""

    name: ClassVar[str] = "turn_ended"
    conversation_id: UUID
    turn_id: UUID
    state: str
    reason: str | None = None


class ControlChanged(Event, frozen=True, kw_only=True):
    name: ClassVar[str] = "control_changed"
    conversation_id: UUID
    control: str
    control_version: int
