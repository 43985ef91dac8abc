"""What travels over the live channel: hints to fetch again, never the content itself."""

import re
from datetime import UTC, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from app.core.ids import new_id

# What a client may listen to. `conversation:<id>` is one conversation.
_TOPIC: Final = (
    r"^(?:conversations|outbound|system"
    r"|conversation:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$"
)
_TOPIC_PATTERN: Final = re.compile(_TOPIC)

Topic = Annotated[str, Meta(pattern=_TOPIC, description="`conversations`, `conversation:<id>`, `outbound` or `system`")]


def conversation_topic(conversation_id: UUID) -> str:
    """Return the topic of one conversation."""
    return f"conversation:{conversation_id}"


def is_topic(text: str) -> bool:
    """Tell whether `text` names something that can be listened to."""
    return _TOPIC_PATTERN.fullmatch(text) is not None


class LiveEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something happened to the things named; the client fetches what it shows of them again.

    `type` is the event's name in the past tense: `message_received`, `turn_ended`, `control_changed`,
    `conversation_changed` (assigned, closed, reopened, read, aged), `note_added`, `note_deleted`, `message_queued`,
    `delivery_changed`, `channel_stopped` and others to come. `id` tells two events apart.
    """

    type: str
    at: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC))
    id: UUID = msgspec.field(default_factory=new_id)
    conversation_id: UUID | None = None
    message_id: UUID | None = None
    turn_id: UUID | None = None
    outbound_id: UUID | None = None
    note_id: UUID | None = None
    contact_id: UUID | None = None
    channel_id: UUID | None = None


class Presence(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="presence", forbid_unknown_fields=True):
    """Say to everybody else on the topic of this conversation that one looks at it, or writes in it.

    Say it again every few seconds: whoever shows it forgets it after six. More often than four times a second is not
    passed on.
    """

    conversation_id: UUID
    state: Literal["viewing", "typing"]


class Authenticate(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="auth", forbid_unknown_fields=True):
    """First message of a client that sent neither an `Authorization` header nor the panel's cookie.

    Later, a fresh token to stay on: a connection ends with its token. One that came by the cookie lasts as long as its
    session. When the session ends (signed out, revoked, disabled), every connection of it closes with code 4401.
    """

    token: Annotated[str, Meta(min_length=1, max_length=4096)]


class Subscribe(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="subscribe", forbid_unknown_fields=True
):
    """Listen to these topics as well. Answered by `subscribed`."""

    topics: Annotated[list[Topic], Meta(min_length=1, max_length=100)]


class Unsubscribe(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="unsubscribe", forbid_unknown_fields=True
):
    """Listen to these topics no longer. Answered by `subscribed`."""

    topics: Annotated[list[Topic], Meta(min_length=1, max_length=100)]


class Pong(msgspec.Struct, frozen=True, tag_field="type", tag="pong", forbid_unknown_fields=True):
    """Answer to `ping`; it may be left out."""


ClientMessage = Authenticate | Subscribe | Unsubscribe | Presence | Pong


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="ready"):
    """The client is known. The server closes (code 4401) at `expires_at` unless a fresh token comes before."""

    expires_at: datetime


class Subscribed(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="subscribed"):
    """All topics this connection now listens to."""

    topics: list[str]


class Happened(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="event"):
    """An event on a topic."""

    topic: str
    event: LiveEvent


class Present(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="presence"):
    """Somebody else looks at this conversation, or writes in it. Forget it six seconds later; it is stored nowhere."""

    conversation_id: UUID
    user_id: UUID
    name: str
    state: Literal["viewing", "typing"]
    at: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC))


class Resync(msgspec.Struct, frozen=True, tag_field="type", tag="resync"):
    """Events were lost (a slow client, or a lost connection between servers): fetch again all that is shown."""


class Ping(msgspec.Struct, frozen=True, tag_field="type", tag="ping"):
    """Sent every 20 seconds, so that a client notices a connection that died."""


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="error"):
    """The client's last message could not be used."""

    code: Literal["invalid_message", "too_many_topics"]
    detail: str


ServerMessage = Ready | Subscribed | Happened | Present | Resync | Ping | Refused
