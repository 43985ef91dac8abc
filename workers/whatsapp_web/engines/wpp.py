"""Reads and writes through the page's own modules, with the published wa-js bundle."""

import asyncio
import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from app.whatsapp.content import Audio, Content, Document, Image, Reaction, Text, Video
from app.whatsapp.identifiers import Recipient
from app.whatsapp.web.ledger import UNNAMED
from app.whatsapp.web.wire import WebMessage
from workers.whatsapp_web.engines.bridge import Bridge
from workers.whatsapp_web.page import (
    ChatHead,
    Draft,
    FileToSend,
    Look,
    NotSendable,
    PageRefused,
    Told,
)

__all__ = ["BUNDLE_SHA256", "WppPage", "bundle"]

BUNDLE_SHA256: Final = "5bfb88027f14a4d8c9e319374e8bb4083201906881cf8c74f75789b32e4106bd"
"""Of `dist/wppconnect-wa.js` in @wppconnect/wa-js 4.6.0. An update changes this line, and must pass the replica."""

_ROOT: Final = Path(__file__).parents[1] / "wa_js"
_PLACES: Final = (
    _ROOT / "wppconnect-wa.js",  # where an installed package has it
    _ROOT / "node_modules" / "@wppconnect" / "wa-js" / "dist" / "wppconnect-wa.js",
)
# The page would otherwise report to Google Analytics, and ask three strangers about every link that is sent.
_CONFIG: Final[dict[str, object]] = {
    "disableGoogleAnalytics": True,
    "googleAnalyticsId": None,
    "linkPreviewApiServers": [],
    "deviceName": False,
    "poweredBy": "Mostrador",
}
_IGNORED: Final = (
    "ciphertext",
    "e2e_notification",
    "notification",
    "notification_template",
    "gp2",
    "protocol",
    "call_log",
    "pinned_message",
    "broadcast_notification",
    "debug",
    "oversized",
)
_READY_SECONDS: Final = 20.0
_SEND_SECONDS: Final = 30.0
_FILE_SECONDS: Final = 60.0
_PIECE_BYTES: Final = 1024 * 1024


class _Where(msgspec.Struct, frozen=True):
    to: str
    key: str


class _Found(msgspec.Struct, frozen=True):
    ack: int | None


class _Size(msgspec.Struct, frozen=True):
    size: int


def bundle() -> str:
    """Return wa-js, whose hash is what was reviewed. Blocks. Raises `PageRefused` if it is missing or another one."""
    path = next((place for place in _PLACES if place.exists()), None)
    if path is None:
        raise PageRefused("wa-js is not installed: run make whatsapp-web")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != BUNDLE_SHA256:
        raise PageRefused("the wa-js that is installed is not the one that was reviewed: run make whatsapp-web")
    return content.decode()


class WppPage:
    """See `WebPage`."""

    engine: Final = "wpp"

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    @property
    def told(self) -> asyncio.Queue[Told]:
        return self._bridge.told

    async def start(self) -> None:
        """Inject wa-js, wait until it has found WhatsApp's modules, and try what will be needed.

        To be called once the page shows its chats or a code: injected earlier, wa-js can stay dead for good.
        Raises `PageRefused` when this page cannot be driven so.
        """
        source = await asyncio.to_thread(bundle)
        await self._bridge.evaluate("(config) => { window.WPPConfig = config; }", _CONFIG, seconds=5)
        await self._bridge.evaluate(source, seconds=15)
        ends_at = asyncio.get_running_loop().time() + _READY_SECONDS
        while not await self._bridge.evaluate("() => Boolean(window.WPP?.isReady)", seconds=5):
            if asyncio.get_running_loop().time() > ends_at:
                raise PageRefused(f"wa-js found nothing to work with within {_READY_SECONDS:g} s")
            await asyncio.sleep(0.1)
        await self._bridge.install("wpp.js", {"ignored_kinds": _IGNORED})
        await self._bridge.run("self_test")

    async def look(self) -> Look:
        return await self._bridge.ask("look", seconds=5, shape=Look)

    async def refresh_code(self) -> None:
        await self._bridge.run("refresh_code")

    async def pairing_code(self, phone: str) -> str:
        return await self._bridge.ask("pairing_code", phone, seconds=30, shape=str)

    async def log_out(self) -> None:
        await self._bridge.run("log_out", seconds=15)

    async def chats(self) -> Sequence[ChatHead]:
        return await self._bridge.ask("chats", seconds=15, shape=list[ChatHead])

    async def history(self, chat: str, count: int) -> Sequence[WebMessage]:
        return await self._bridge.ask("history", chat, count, seconds=30, shape=list[WebMessage])

    async def prepare(self, recipient: Recipient, *, cold: bool) -> Draft:
        return await self._bridge.ask("prepare", {**_person(recipient), "cold": cold}, seconds=15, shape=Draft)

    async def send(
        self, draft: Draft, recipient: Recipient, content: Content, *, file: FileToSend | None, quoted: str | None
    ) -> Draft:
        target = {**_person(recipient), "chat": draft.chat, "key": draft.key, "quoted": quoted}
        match content:
            case Text(body=body):
                where = await self._bridge.ask("send_text", target, body, seconds=_SEND_SECONDS, shape=_Where)
            case Reaction(message_id=message_id, emoji=emoji):
                reaction = {"message_id": message_id, "emoji": emoji}
                where = await self._bridge.ask("react", target, reaction, seconds=_SEND_SECONDS, shape=_Where)
            case Image() | Video() | Audio() | Document() if file is not None:
                given = _file(content, file)
                where = await self._bridge.ask("send_file", target, given, seconds=_FILE_SECONDS, shape=_Where)
            case _:
                raise NotSendable("unsupported")
        if where.to != draft.chat or where.key != draft.key:
            raise PageRefused("the message went elsewhere than it was sent to")
        return draft

    async def lookup(self, draft: Draft) -> int | None:
        if draft.id.startswith(UNNAMED):  # begun by `dom`: only reading the chat can tell
            return 0
        return (await self._bridge.ask("lookup", draft.key, draft.id, seconds=15, shape=_Found)).ack

    async def typing(self, chat: str, *, on: bool) -> None:
        await self._bridge.run("typing", chat, on, seconds=5)

    async def mark_read(self, message_id: str, *, typing: bool) -> None:
        await self._bridge.run("mark_read", message_id, typing)

    async def download(self, key: str, *, most_bytes: int) -> bytes:
        size = (await self._bridge.ask("open_file", key, most_bytes, seconds=_FILE_SECONDS, shape=_Size)).size
        pieces = []
        for start in range(0, size, _PIECE_BYTES):
            text = await self._bridge.ask("read_file", key, start, start + _PIECE_BYTES, seconds=15, shape=str)
            pieces.append(base64.b64decode(text))
        await self._bridge.run("close_file", key)
        return b"".join(pieces)

    async def close(self) -> None:
        """Nothing to do: the page closes with its browser."""


def _person(recipient: Recipient) -> dict[str, str | None]:
    lid = recipient.user_id.removesuffix("@lid") if recipient.user_id and recipient.user_id.endswith("@lid") else None
    return {"phone": recipient.phone, "lid": lid}


def _file(content: Image | Video | Audio | Document, file: FileToSend) -> dict[str, object]:
    return {
        "base64": base64.b64encode(file.content).decode(),
        "mime_type": file.mime_type,
        "filename": file.filename,
        "kind": str(content.__struct_config__.tag),
        "caption": None if isinstance(content, Audio) else content.caption,
        "voice": isinstance(content, Audio) and content.voice,
    }
