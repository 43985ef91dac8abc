"""Reads and writes by what the page shows, where its modules cannot be found: the degraded way.

Since 2026 the page shows names, not people. Only a chat whose title is a phone number (or whose messages have ids of
the older kind) says who is in it: everybody else arrives unverified, is never answered by itself, and not written to.
Text goes both ways. Files, reactions, quotes, typing, pairing codes and unlinking need `wpp`.
"""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from app.whatsapp.content import Content, Text
from app.whatsapp.identifiers import Recipient
from app.whatsapp.web.ledger import UNNAMED
from app.whatsapp.web.wire import WebAck, WebMessage
from workers.whatsapp_web.engines.bridge import Bridge
from workers.whatsapp_web.page import ChatHead, Draft, FileToSend, Look, NotSendable, PageRefused, Told

__all__ = ["DomPage"]

_SELECTORS: Final = Path(__file__).with_name("selectors.json")
_SEND_SECONDS: Final = 30.0


class _Row(msgspec.Struct, frozen=True):
    chat: str
    unread: int
    shown: str
    group: bool


class _Tick(msgspec.Struct, frozen=True):
    id: str
    ack: int


class _Seen(msgspec.Struct, frozen=True):
    look: Look
    rows: list[_Row]
    ticks: list[_Tick]


class _Place(msgspec.Struct, frozen=True):
    chat: str
    anchor: str


class DomPage:
    """See `WebPage`. Only one chat can be open: whoever reads or writes has the page for itself."""

    engine: Final = "dom"

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._mine = asyncio.Lock()
        self._rows: dict[str, _Row] = {}
        self._changed: set[str] = set()
        self._acks: dict[str, int] = {}

    @property
    def told(self) -> asyncio.Queue[Told]:
        return self._bridge.told

    async def start(self) -> None:
        """Bring what reads the page into it. Raises `PageRefused` where nothing that we know is shown."""
        data = msgspec.json.decode(await asyncio.to_thread(_SELECTORS.read_bytes))
        await self._bridge.install("dom.js", data)
        look = (await self._bridge.ask("look", shape=_Seen)).look
        if look.mode is None:
            raise PageRefused("the page shows neither chats nor a code that we know")

    async def look(self) -> Look:
        """The page may have loaded itself anew since."""
        if not await self._bridge.evaluate("() => Boolean(window.mostradorDom)", seconds=5):
            await self._bridge.install("dom.js", msgspec.json.decode(await asyncio.to_thread(_SELECTORS.read_bytes)))
        seen = await self._bridge.ask("look", seconds=5, shape=_Seen)
        self._note(seen)
        return seen.look

    async def refresh_code(self) -> None:
        await self._bridge.run("refresh_code")

    async def pairing_code(self, phone: str) -> str:
        del phone
        raise PageRefused("it can only be linked by its QR code now")

    async def log_out(self) -> None:
        raise PageRefused("it can only be unlinked on the phone now")

    async def chats(self) -> Sequence[ChatHead]:
        seen = await self._bridge.ask("look", seconds=5, shape=_Seen)
        return [
            ChatHead(chat=row.chat, unread=row.unread, group=row.group, at=int(row.chat in self._changed))
            for row in seen.rows
        ]

    async def history(self, chat: str, count: int) -> Sequence[WebMessage]:
        """Opens the chat, which marks it as read."""
        async with self._mine:
            self._changed.discard(chat)
            try:
                return await self._bridge.ask("history", chat, count, seconds=30, shape=list[WebMessage])
            except PageRefused:
                self._changed.add(chat)
                raise

    async def prepare(self, recipient: Recipient, *, cold: bool) -> Draft:
        """The id is WhatsApp's to choose: until it has, the last message of the chat stands for it."""
        if recipient.phone is None or cold:
            raise NotSendable("unverified")
        async with self._mine:
            place = await self._bridge.ask("prepare", recipient.phone, seconds=15, shape=_Place)
        name = f"{UNNAMED}{place.anchor}"
        return Draft(chat=place.chat, key=name, id=name)

    async def send(
        self, draft: Draft, recipient: Recipient, content: Content, *, file: FileToSend | None, quoted: str | None
    ) -> Draft:
        del file, quoted
        if not isinstance(content, Text):
            raise NotSendable("unsupported_by_dom")
        if recipient.phone is None or draft.chat != f"{recipient.phone}@c.us":
            raise NotSendable("unverified")
        target = {"chat": draft.chat, "phone": recipient.phone, "anchor": draft.id.removeprefix(UNNAMED)}
        async with self._mine:
            name = await self._bridge.ask("send_text", target, content.body, seconds=_SEND_SECONDS, shape=str)
        return Draft(chat=draft.chat, key=name, id=name)

    async def lookup(self, draft: Draft) -> int | None:
        """None only where the chat is at hand and certainly has nothing of ours since."""
        async with self._mine:
            try:
                if not draft.id.startswith(UNNAMED):
                    return await self._bridge.ask("lookup", draft.chat, draft.id, seconds=15, shape=int)
                anchor = draft.id.removeprefix(UNNAMED)
                nothing = await self._bridge.ask("nothing_after", draft.chat, anchor, seconds=15, shape=bool)
            except PageRefused:  # a chat that cannot be opened says nothing
                return 0
            return None if nothing else 0

    async def typing(self, chat: str, *, on: bool) -> None:
        """Not shown: it would have to be typed."""

    async def mark_read(self, message_id: str, *, typing: bool) -> None:
        """Nothing to do: a chat that was read here is marked as read."""

    async def download(self, key: str, *, most_bytes: int) -> bytes:
        del key, most_bytes
        raise PageRefused("files cannot be fetched by what the page shows")

    async def close(self) -> None:
        """Nothing to do: the page closes with its browser."""

    def _note(self, seen: _Seen) -> None:
        """Find out what is new: whoever listens reads on in the chats that have changed."""
        changed = set()
        for row in seen.rows:
            before = self._rows.get(row.chat)
            is_told = before is not None and row.shown != before.shown
            is_unread = row.unread > 0 and (before is None or row.unread != before.unread)
            if is_told or is_unread:
                changed.add(row.chat)
            self._rows[row.chat] = row
        self._changed |= changed
        if changed:
            self._bridge.lost = True
            self._bridge.wake()
        for tick in seen.ticks:
            if self._acks.get(tick.id) == tick.ack or self.told.full():
                continue
            self._acks[tick.id] = tick.ack
            self.told.put_nowait(WebAck(ids=(tick.id,), chat="", ack=tick.ack, at=int(time.time())))
