"""The port through which messages leave: what every transport promises, and the words it uses."""

from pathlib import Path
from typing import Protocol
from uuid import UUID

import msgspec

from app.whatsapp.content import Content
from app.whatsapp.errors import SendError, SendNotAttempted, SendRejected, SendUnknown
from app.whatsapp.identifiers import Recipient

__all__ = [
    "Accepted",
    "Capabilities",
    "ChannelAccess",
    "Recipient",
    "SendError",
    "SendNotAttempted",
    "SendRejected",
    "SendUnknown",
    "Transport",
]


class ChannelAccess(msgspec.Struct, frozen=True, kw_only=True):
    """What is needed to speak through a number. `graph_url` has neither a version nor a slash at its end."""

    graph_url: str
    api_version: str
    channel_id: UUID
    phone_number_id: str
    token: str
    business_account_id: str | None = None

    def __repr__(self) -> str:
        return f"ChannelAccess(phone_number_id={self.phone_number_id!r})"


class Accepted(msgspec.Struct, frozen=True):
    """WhatsApp took the message: accepted, not yet sent. What becomes of it comes as statuses.

    `held` means that it waits for a quality check of its template. `wa_id` and `user_id` are who it goes to, where
    WhatsApp says so.
    """

    message_id: str
    held: bool = False
    wa_id: str | None = None
    user_id: str | None = None


class Capabilities(msgspec.Struct, frozen=True):
    """`content_kinds` are the kinds of content it can carry. `tracks` says that statuses name our tracker.

    `recalls` says that `recall` can tell what became of a send that was not confirmed.

    `has_window` says that free-form messages are refused 24 hours after the person last wrote.
    """

    content_kinds: frozenset[str]
    tracks: bool
    has_window: bool
    typing: bool
    recalls: bool = False


class Transport(Protocol):
    """One way to reach WhatsApp. Stateless between calls: it neither repeats, paces nor remembers."""

    @property
    def kind(self) -> str:
        """The channel kind it serves, its name in the registry: `cloud`."""

    @property
    def capabilities(self) -> Capabilities: ...

    async def send(
        self,
        channel: ChannelAccess,
        recipient: Recipient,
        content: Content,
        *,
        tracker: str,
        timeout_seconds: float,
        reply_to: str | None = None,
        key: UUID | None = None,
    ) -> Accepted:
        """Send one message, at most once, within `timeout_seconds`.

        `tracker` (at most 512 characters, no personal data) comes back in the statuses; `reply_to` is the id of the
        message to quote. `key` is the same for every attempt of one message. A cancelled call counts as `SendUnknown`.

        Raises:
            SendNotAttempted: provably nothing left this machine.
            SendRejected: WhatsApp, or our own check of the content, definitely refused it.
            SendUnknown: anything else, a time-out and every 5xx included; it must not be sent again blindly.

        """

    async def recall(self, channel: ChannelAccess, key: UUID) -> Accepted | None:
        """Say what became of the send with this `key`; None if that is not known (yet).

        Raises:
            SendNotAttempted, SendRejected: it certainly did not leave, as from `send`.

        """

    async def upload(
        self, channel: ChannelAccess, path: Path, mime_type: str, *, filename: str, timeout_seconds: float
    ) -> str:
        """Hand a file over ahead of the message that takes it along; return the `media_id` that names it there.

        Raises:
            CallRefused: it is not taken, and never will be.
            CallUnavailable: it was not taken this time.

        """

    async def mark_read(
        self, channel: ChannelAccess, message_id: str, *, typing: bool, timeout_seconds: float = 10
    ) -> None:
        """Mark a message and all before it as read; `typing` also shows that we are writing, for up to 25 seconds.

        Raises:
            CallRefused, CallUnavailable: it did not work; nothing depends on it.

        """
