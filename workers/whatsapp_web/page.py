"""The port through which a linked phone is seen: one page, whichever engine reads it."""

import asyncio
from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from app.whatsapp.content import Content
from app.whatsapp.identifiers import Recipient
from app.whatsapp.web.wire import WebEvent, WebMessage

__all__ = [
    "ChatHead",
    "Draft",
    "FileToSend",
    "LoggedOut",
    "Look",
    "NotSendable",
    "PageError",
    "PageFrozen",
    "PageGone",
    "PageRefused",
    "Told",
    "WebPage",
]

EngineName = Literal["wpp", "dom"]


class PageError(Exception):
    """A page did not do what it was asked. `reason` is a short code or the page's own words, without message text."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PageGone(PageError):
    """The page or its browser has died: nothing more can be asked of it."""


class PageFrozen(PageError):
    """The page did not answer in time: what it was asked to do may still happen."""


class PageRefused(PageError):
    """The page works, and said no."""


class NotSendable(PageError):
    """A message must not be sent: `wrong_chat`, `no_such_person`, `unverified`, `unsupported`, `file_unavailable`.

    `unverified`: the page does not say who is in the chat. `unsupported_by_dom`: only `wpp` can carry it.
    """


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What the page says of its connection. `mode` and `info` are WhatsApp Web's own words, an open set.

    `code` is the text of the QR code that it shows; `idle` that it has stopped showing new ones. `account` are the
    digits of the linked phone, where the engine can tell.
    """

    authenticated: bool
    mode: str | None = None
    info: str | None = None
    online: bool = True
    idle: bool = False
    needs_update: bool = False
    account: str | None = None
    code: str | None = None
    pairing_code: str | None = None


class LoggedOut(msgspec.Struct, frozen=True, kw_only=True, tag_field="told", tag="logged_out"):
    """The phone was unlinked. `reason` is WhatsApp's, where it says."""

    reason: str | None = None


class Changed(msgspec.Struct, frozen=True, tag_field="told", tag="changed"):
    """Something about the connection has changed: look again."""


Told = WebEvent | LoggedOut | Changed


class ChatHead(msgspec.Struct, frozen=True, kw_only=True):
    """A chat of the list. `last_id` is its newest message's bare id, where the engine can tell without opening it."""

    chat: str
    at: int = 0
    unread: int = 0
    group: bool = False
    last_id: str | None = None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """Where a message goes, verified, and the id it will have: `key` whole, `id` bare."""

    chat: str
    key: str
    id: str


class FileToSend(msgspec.Struct, frozen=True, kw_only=True):
    """The bytes of a file that goes with a message."""

    content: bytes
    mime_type: str
    filename: str


class WebPage(Protocol):
    """A page of WhatsApp Web. Every call raises `PageGone` or `PageFrozen` when it cannot be made."""

    @property
    def engine(self) -> EngineName: ...

    @property
    def told(self) -> "asyncio.Queue[Told]":
        """What the page tells by itself: hints, some of which may be lost."""

    async def look(self) -> Look: ...

    async def refresh_code(self) -> None:
        """Ask for a fresh QR code."""

    async def pairing_code(self, phone: str) -> str:
        """Return a code to be typed on `phone`. Raises `PageRefused`."""

    async def log_out(self) -> None: ...

    async def chats(self) -> Sequence[ChatHead]:
        """Return the chats that the page knows, without opening them."""

    async def history(self, chat: str, count: int) -> Sequence[WebMessage]:
        """Return the last `count` messages of a chat, oldest first."""

    async def prepare(self, recipient: Recipient, *, cold: bool) -> Draft:
        """Find the chat of exactly this person, and choose an id. `cold`: they never wrote. Raises `NotSendable`."""

    async def send(
        self, draft: Draft, recipient: Recipient, content: Content, *, file: FileToSend | None, quoted: str | None
    ) -> Draft:
        """Verify the chat once more, and queue the message there; return the draft with the id that it has now.

        That is the draft's own, unless the engine cannot choose ids (`ledger.UNNAMED`).

        Raises `NotSendable`, and `PageRefused` also when the page says that it went elsewhere.
        """

    async def lookup(self, draft: Draft) -> int | None:
        """Return the ack of a message of ours (0 queued or not to be told, 1 sent, -1 failed).

        None if the page certainly does not have it.
        """

    async def typing(self, chat: str, *, on: bool) -> None: ...

    async def mark_read(self, message_id: str, *, typing: bool) -> None:
        """Mark the chat of a message as read, if the page knows it; with `typing` show that we write."""

    async def download(self, key: str, *, most_bytes: int) -> bytes:
        """Return the file of a message. Raises `PageRefused`: `gone`, `too_large`."""

    async def close(self) -> None: ...
