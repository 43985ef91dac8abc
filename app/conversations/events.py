"""What happens to conversations."""

from typing import ClassVar, Literal
from uuid import UUID

from app.core.events import Event

Change = Literal["assigned", "closed", "reopened", "read", "aged"]


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


class ConversationChanged(Event, frozen=True, kw_only=True):
    """`change` says what a person did: it looks different in the inbox, and nothing was written or given away."""

    name: ClassVar[str] = "conversation_changed"
    conversation_id: UUID
    change: Change


class NoteAdded(Event, frozen=True, kw_only=True):
    name: ClassVar[str] = "note_added"
    conversation_id: UUID
    note_id: UUID


class NoteDeleted(Event, frozen=True, kw_only=True):
    name: ClassVar[str] = "note_deleted"
    conversation_id: UUID
    note_id: UUID
