"""WhatsApp as a linked browser sees it, on this machine: one account, its chats, and a ledger of what it was given.

The page it serves runs the real wa-js bundle unmodified (`page/modules.js` offers what that looks for) and draws the
same chats for eyes and selectors (`page/skin.js`). As at WhatsApp, a message is known by its id: one that comes twice
is delivered once. The test is the phone and the customers: it scans, writes, reads, logs out and breaks things.
"""

import asyncio
import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from aiohttp import web

PAGE = Path(__file__).parent / "page"
STRICT_CSP = (
    "default-src 'self'; script-src 'self' 'nonce-replica'; connect-src 'self'; img-src 'self' data: blob:; "
    "require-trusted-types-for 'script'; trusted-types none"
)
ME, MY_LID = "5491100000000@c.us", "900000000000000@lid"


@dataclass
class Person:
    """Somebody who writes to us. `lid` is how WhatsApp names the chat, unless it still uses the phone."""

    phone: str
    name: str
    lid: str | None = None
    saved: str | None = None
    shows_phone: bool = True

    @property
    def chat(self) -> str:
        return f"{self.lid}@lid" if self.lid else f"{self.phone}@c.us"

    def told(self) -> dict[str, Any]:
        return {
            "phone": f"{self.phone}@c.us" if self.shows_phone else None,
            "lid": f"{self.lid}@lid" if self.lid else None,
            "name": self.name,
            "saved": self.saved,
        }


@dataclass
class Sent:
    """A message that WhatsApp took from us, once."""

    id: str
    chat: str
    type: str
    body: str
    caption: str | None
    quoted: str | None
    media: dict[str, Any] | None
    times_offered: int = 1

    @property
    def content(self) -> bytes:
        """The file that came with it."""
        return base64.b64decode((self.media or {}).get("base64", ""))


@dataclass
class Faults:
    """What the page and the server do wrong. Page faults hold from its next load."""

    page: dict[str, Any] = field(default_factory=dict)
    never_ack: bool = False
    hold_sends: bool = False
    strict_csp: bool = False
    lose_sends: bool = False


class WhatsAppSite:
    """An async context manager that serves one account at `url`."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.people: dict[str, Person] = {}
        self.messages: dict[str, list[dict[str, Any]]] = {}
        self.unread: dict[str, int] = {}
        self.groups: dict[str, str] = {}
        self.ledger: list[Sent] = []
        self.offers: list[tuple[str, str]] = []
        self.files: dict[str, tuple[str, bytes]] = {}
        self.seen: list[str] = []
        self.typing: list[tuple[str, bool]] = []
        self.reactions: list[tuple[str, str]] = []
        self.linked: set[str] = set()
        self.pairing: dict[str, str] = {}
        self.refs = 0
        self.loads = 0
        self._waiting: dict[str, asyncio.Queue[dict[str, Any]]] = {}
        self._greeted: set[str] = set()
        self._changed = asyncio.Event()
        self._closing = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=32 * 1024 * 1024)
        app.router.add_get("/", self._index)
        app.router.add_get("/page/{name}", self._script)
        app.router.add_get("/api/media/{id}", self._media)
        app.router.add_post("/api/{what}", self._api)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        for queue in self._waiting.values():
            queue.put_nowait({"name": "mode", "mode": "OFFLINE"})
        await self._runner.cleanup()

    # What the phone and the customers do

    @property
    def devices(self) -> list[str]:
        return list(self._waiting)

    async def until(self, holds: Callable[[], Any], seconds: float = 20) -> None:
        """Wait until `holds()` is true. Raises `TimeoutError`."""
        async with asyncio.timeout(seconds):
            while not holds():
                self._changed.clear()
                try:
                    async with asyncio.timeout(0.2):
                        await self._changed.wait()
                except TimeoutError:
                    continue

    def scan(self) -> None:
        """Scan the code that is shown: the newest page becomes a linked device."""
        device = self.devices[-1]
        self.linked.add(device)
        self._greet(device)

    def link_in_advance(self) -> None:
        """Let any page that comes be linked already."""
        self.linked.add("*")

    def write(self, person: Person, body: str, **more: Any) -> str:
        """Let a person write to us; return the message's id."""
        return self._arrive(person.chat, person, body, **more)

    def write_in_group(self, group: str, person: Person, body: str) -> str:
        self.groups[group] = "The group"
        return self._arrive(group, person, body, author=person.chat)

    def type_on_phone(self, person: Person, body: str) -> str:
        """Let the owner write to a person from their own phone."""
        return self._arrive(person.chat, person, body, from_me=True)

    def acknowledge(self, message_id: str, ack: int) -> None:
        """Let a message of ours be delivered (2) or read (3)."""
        for chat, messages in self.messages.items():
            for one in messages:
                if one["id"] == message_id:
                    one["ack"] = ack
                    self.tell("ack", chat=chat, id=message_id, ack=ack)

    def log_out(self) -> None:
        """Remove the linked devices on the phone."""
        self.linked.clear()
        self.tell("logout")

    def rotate(self) -> None:
        """Show the next code."""
        for device in self.devices:
            if not self._is_linked(device):
                self._queue(device, self._qr())

    def tell(self, name: str, **given: Any) -> None:
        """Tell every page something."""
        for device in self.devices:
            self._queue(device, {"name": name, **given})

    def offered(self, body: str) -> set[str]:
        """Return the ids under which a text was offered, taken or not."""
        return {message_id for message_id, offered in self.offers if offered == body}

    def received(self, person: Person) -> list[str]:
        """Return the texts that a person has received from us, in order."""
        return [one.body for one in self.ledger if one.chat == person.chat]

    def _arrive(self, chat: str, person: Person, body: str, **more: Any) -> str:
        self.people[person.chat] = person
        media = more.pop("media", None)
        message = {
            "id": f"3EB0{uuid4().hex[:16].upper()}",
            "chat": chat,
            "type": "chat",
            "body": body,
            "caption": None,
            "quoted": None,
            "author": None,
            "from_me": False,
            "ack": 1,
            "t": int(time.time()),
            "media": None,
        } | more
        if media is not None:
            mimetype, content, filename = media
            self.files[message["id"]] = (mimetype, content)
            message["media"] = {"mimetype": mimetype, "size": len(content), "filename": filename}
        self.messages.setdefault(chat, []).append(message)
        if not message["from_me"]:
            self.unread[chat] = self.unread.get(chat, 0) + 1
        self.tell("message", **message, person=person.told())
        return str(message["id"])

    # What the page asks

    async def _index(self, request: web.Request) -> web.Response:
        self.loads += 1
        scripts = "".join(
            f'<script src="/page/{name}.js"></script>' for name in ("registry", "store", "modules", "skin")
        )
        faults = json.dumps(self.faults.page)
        html = (
            f'<!doctype html><title>WhatsApp</title><div id="app"></div>'
            f'<script nonce="replica">window.replicaFaults = {faults}</script>{scripts}'
        )
        headers = {"content-security-policy": STRICT_CSP} if self.faults.strict_csp else {}
        return web.Response(text=html, content_type="text/html", headers=headers)

    async def _script(self, request: web.Request) -> web.Response:
        text = (PAGE / request.match_info["name"]).read_text()
        return web.Response(text=text, content_type="text/javascript")

    async def _media(self, request: web.Request) -> web.Response:
        mimetype, content = self.files[request.match_info["id"]]
        return web.Response(body=content, content_type=mimetype)

    async def _api(self, request: web.Request) -> web.Response:
        asked = await request.json()
        answer = await getattr(self, f"_on_{request.match_info['what']}")(asked)
        self._changed.set()
        return web.json_response(answer or {})

    async def _on_events(self, asked: dict[str, Any]) -> dict[str, Any]:
        device = asked["device"]
        if device not in self._waiting:
            self._waiting[device] = asyncio.Queue()
        if asked.get("first"):
            self._waiting[device] = asyncio.Queue()
            self._greet(device)
            self._changed.set()
        queue = self._waiting[device]
        events = []
        try:
            async with asyncio.timeout(5):
                events.append(await queue.get())
        except TimeoutError:
            return {"events": []}
        while not queue.empty():
            events.append(queue.get_nowait())
        return {"events": events}

    async def _on_send(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.offers.append((asked["id"], asked["body"]))
        self._changed.set()
        if self.faults.hold_sends:
            await self._closing.wait()
            return {"ack": 0}
        if self.faults.lose_sends:
            return {"ack": 0}
        known = next((one for one in self.ledger if one.id == asked["id"]), None)
        if known is not None:
            known.times_offered += 1
        else:
            shape = {name: asked[name] for name in ("id", "chat", "type", "body", "caption", "quoted", "media")}
            self.ledger.append(Sent(**shape))
            message = {**shape, "media": None, "author": None, "from_me": True, "ack": 1, "t": asked["t"]}
            self.messages.setdefault(asked["chat"], []).append(message)
        return {"ack": 0 if self.faults.never_ack else 1}

    async def _on_seen(self, asked: dict[str, Any]) -> None:
        self.unread[asked["chat"]] = 0
        self.seen.append(asked["chat"])

    async def _on_typing(self, asked: dict[str, Any]) -> None:
        self.typing.append((asked["chat"], asked["on"]))

    async def _on_reaction(self, asked: dict[str, Any]) -> None:
        self.reactions.append((asked["message"], asked["emoji"]))

    async def _on_exists(self, asked: dict[str, Any]) -> dict[str, Any]:
        known = {name for one in self.people.values() for name in (one.chat, f"{one.phone}@c.us")}
        return {"exists": asked["wid"] in known}

    async def _on_pair(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.pairing[asked["device"]] = asked["phone"]
        return {"code": "ABCD1234"}

    async def _on_refresh(self, asked: dict[str, Any]) -> None:
        self._queue(asked["device"], self._qr())

    async def _on_logout(self, asked: dict[str, Any]) -> None:
        self.linked.discard(asked["device"])
        self.linked.discard("*")
        self._queue(asked["device"], {"name": "logout"})

    # Telling

    def _is_linked(self, device: str) -> bool:
        return device in self.linked or "*" in self.linked

    def _greet(self, device: str) -> None:
        self._queue(device, self._everything() if self._is_linked(device) else self._qr())

    def _qr(self) -> dict[str, Any]:
        self.refs += 1
        return {"name": "qr", "ref": f"2@ref{self.refs}"}

    def _everything(self) -> dict[str, Any]:
        chats = [
            {
                "id": chat,
                "name": self.groups.get(chat) or (self.people[chat].name if chat in self.people else None),
                "unread": self.unread.get(chat, 0),
                "messages": messages,
            }
            for chat, messages in self.messages.items()
        ]
        people = [one.told() for one in self.people.values()]
        return {"name": "linked", "me": ME, "lid": MY_LID, "chats": chats, "people": people}

    def _queue(self, device: str, event: dict[str, Any]) -> None:
        queue = self._waiting.get(device)
        if queue is not None:
            queue.put_nowait(event)


def data_url(content: bytes, mimetype: str) -> str:
    return f"data:{mimetype};base64,{base64.b64encode(content).decode()}"
