"""What happens to messages that leave."""

from typing import ClassVar
from uuid import UUID

from app.core.events import Event


class MessageQueued(Event, frozen=True, kw_only=True):
    name: ClassVar[str] = "message_queued"
    conversation_id: UUID
    outbound_id: UUID


class DeliveryChanged(Event, frozen=True, kw_only=True):
    """`change` is the new state, or the fact that WhatsApp reported: sent, delivered, read, failed."""

    name: ClassVar[str] = "delivery_changed"
    conversation_id: UUID
    outbound_id: UUID
    change: str


class ChannelStopped(Event, frozen=True, kw_only=True):
    """WhatsApp refuses the channel (its token or its account): nothing is sent through it until somebody mends it."""

    name: ClassVar[str] = "channel_stopped"
    channel_id: UUID
    reason: str
