"""`mostrador chat`: talk to the bot in the terminal, as a customer of the simulator."""

import asyncio
import sys
import threading
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

import msgspec

from app.core.http_client import HttpClient, HttpError, HttpResponse
from app.simulator.schemas import Choice, PhoneMessage, PhoneView, WrittenAnswer

__all__ = ["DEFAULT_URL", "chat"]

DEFAULT_URL = "http://127.0.0.1:8003/simulator"
DEFAULT_CUSTOMER = "34600000001"

HELP = """\
Escribe y pulsa Intro. · Type and press Enter. · Escreva e pressione Enter.
  /button N      tap button or row N of the last menu
  /image [FILE]  send a picture
  /help          this text
  /quit          leave
  ✓ sent   ✓✓ delivered   ✓✓ read"""

_TICKS = {"sent": "✓", "delivered": "✓✓", "read": "✓✓ read"}
_POLL_SECONDS = 25
_HTTP_SECONDS = 40.0
# How a web process that keeps its simulator to itself, or has none, answers.
_NOT_THERE = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
)


class _Failed(Exception):
    """The chat cannot go on; the message is one sentence for the person."""


async def chat(
    base_url: str = DEFAULT_URL,
    *,
    customer: str = DEFAULT_CUSTOMER,
    name: str = "Terminal",
    channel: str | None = None,
    answer_timeout_seconds: float = 60.0,
    lines: TextIO | None = None,
    output: TextIO | None = None,
    http: HttpClient | None = None,
) -> int:
    """Chat until `/quit` or the end of the input, and return the exit code: 0, or 1 if there is no simulator.

    base_url: a running simulator, alone or mounted in the web process.
    customer: phone (digits) or business-scoped user id; channel: phone number id, None for the first number.
    lines, output: standard input and output unless given. When `lines` is not a terminal, each line waits for an
        answer, at most `answer_timeout_seconds`, before the next one is sent.
    """
    source = sys.stdin if lines is None else lines
    screen = sys.stdout if output is None else output
    client = http or HttpClient()
    line = _Line(base_url.rstrip("/"), client, customer, name, channel)
    conversation = _Conversation(line, screen, is_interactive=source.isatty())
    try:
        await conversation.hold(_read_lines(source), answer_timeout_seconds)
    except _Failed as failure:
        print(failure, file=sys.stderr if output is None else output)
        return 1
    finally:
        if http is None:
            await client.aclose()
    return 0


class _Line:
    """The control API, as far as a chat needs it."""

    def __init__(self, base_url: str, http: HttpClient, customer: str, name: str, channel: str | None) -> None:
        self._base_url = base_url
        self._http = http
        self._customer = customer
        self._name = name
        self._channel = channel

    async def meet(self) -> None:
        """Make the customer if the simulator does not know them yet."""
        key = "user_id" if "." in self._customer else "phone"
        await self._call("POST", "customers", {key: self._customer, "name": self._name})

    async def write(self, message: dict[str, object]) -> WrittenAnswer:
        written = {"customer": self._customer, "message": message, "channel": self._channel}
        return msgspec.json.decode(await self._call("POST", "messages", written), type=WrittenAnswer)

    async def phone(self, after: int, wait_seconds: int) -> PhoneView:
        path = f"phone?customer={quote(self._customer)}&after={after}&wait_seconds={wait_seconds}"
        return msgspec.json.decode(await self._call("GET", path), type=PhoneView)

    async def _call(self, method: str, path: str, body: object = None) -> bytes:
        try:
            response = await self._http.request(
                method,
                f"{self._base_url}/control/{path}",
                headers={"content-type": "application/json"},
                content=None if body is None else msgspec.json.encode(body),
                timeout_seconds=_HTTP_SECONDS,
            )
        except HttpError as error:
            raise _Failed(
                f"No simulator answers at {self._base_url} ({error.reason}): start Mostrador with `make run`, "
                "or a simulator alone with `mostrador simulator`, and try again."
            ) from error
        if path == "customers" and _is_no_simulator(response):
            raise _Failed(f"There is no simulator at {self._base_url} (HTTP {response.status}): set SIMULATOR=true.")
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise _Failed(f"The simulator at {self._base_url} refused that: {_detail(response)}")
        return response.body


def _is_no_simulator(response: HttpResponse) -> bool:
    """Whether this answers a call that a simulator always takes, or explains as problem+json."""
    is_explained = response.headers.get("content-type", "").startswith("application/problem+json")
    return response.status in _NOT_THERE or (response.status >= HTTPStatus.BAD_REQUEST and not is_explained)


class _Problem(msgspec.Struct):
    detail: str


def _detail(response: HttpResponse) -> str:
    try:
        return msgspec.json.decode(response.body, type=_Problem).detail
    except msgspec.DecodeError:
        return f"HTTP {response.status}"


class _Conversation:
    """What was said so far, and what of it the person has seen."""

    def __init__(self, line: _Line, screen: TextIO, *, is_interactive: bool) -> None:
        self._line = line
        self._screen = screen
        self._is_interactive = is_interactive
        self._seq = 0
        self._ticks: dict[str, str] = {}
        self._shown: set[str] = set()
        self._choices: tuple[Choice, ...] = ()
        self._answered = asyncio.Event()

    async def hold(self, lines: AsyncIterator[str], answer_timeout_seconds: float) -> None:
        await self._line.meet()
        await self._skip_the_past()
        if self._is_interactive:
            self._print(HELP)
        watching = asyncio.create_task(self._watch())
        saying = asyncio.create_task(self._say_all(lines, answer_timeout_seconds))
        try:
            done, _ = await asyncio.wait((watching, saying), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (watching, saying):
                task.cancel()
            await asyncio.gather(watching, saying, return_exceptions=True)
        for task in done:
            task.result()

    async def _say_all(self, lines: AsyncIterator[str], answer_timeout_seconds: float) -> None:
        async for text in lines:
            if text == "/quit":
                return
            message = await self._understand(text)
            if message is None:
                continue
            self._answered.clear()
            await self._line.write(message)
            if not self._is_interactive:
                await self._wait_for_answer(answer_timeout_seconds)

    async def _understand(self, text: str) -> dict[str, object] | None:
        """Return the message that a line means; None for one that is not a message."""
        command, _, rest = text.strip().partition(" ")
        match command:
            case "":
                return None
            case "/help":
                self._print(HELP)
            case "/image":
                return await self._image(rest.strip())
            case "/button":
                return self._tap(rest.strip())
            case _ if command.startswith("/"):
                self._print(f"? {command}\n{HELP}")
            case _:
                return {"type": "text", "body": text}
        return None

    async def _image(self, path: str) -> dict[str, object] | None:
        if not path:
            return {"type": "image"}
        try:
            content = await asyncio.to_thread(_read_file, path)
        except OSError as error:
            self._print(f"? {path}: {error.strerror}")
            return None
        mime_type = "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"
        return {"type": "image", "data": b64encode(content).decode(), "mime_type": mime_type}

    def _tap(self, number: str) -> dict[str, object] | None:
        if not number.isdecimal() or not 1 <= int(number) <= len(self._choices):
            self._print(f"? /button 1-{len(self._choices)}" if self._choices else "? no buttons")
            return None
        choice = self._choices[int(number) - 1]
        return {"type": choice.kind, "id": choice.id, "title": choice.title}

    async def _wait_for_answer(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._answered.wait()
        except TimeoutError:
            self._print(f"(no answer within {seconds:g} s)")

    async def _skip_the_past(self) -> None:
        past = await self._line.phone(0, 0)
        self._seq = past.seq
        self._shown = {message.id for message in past.messages}
        self._ticks = {message.id: message.tick for message in past.messages}

    async def _watch(self) -> None:
        while True:
            view = await self._line.phone(self._seq, _POLL_SECONDS)
            self._seq = view.seq
            for message in view.messages:
                self._show(message)

    def _show(self, message: PhoneMessage) -> None:
        if message.mine:
            if self._ticks.get(message.id) != message.tick:
                self._ticks[message.id] = message.tick
                self._print(f"  {_TICKS.get(message.tick, '')}")
            return
        if message.id in self._shown:
            return
        self._shown.add(message.id)
        if message.choices:
            self._choices = message.choices
        menu = [f"    [{number}] {choice.title}" for number, choice in enumerate(message.choices, start=1)]
        self._print("\n".join([f"< {message.text}", *menu]))
        self._answered.set()

    def _print(self, text: str) -> None:
        print(text, file=self._screen, flush=True)


def _read_file(path: str) -> bytes:
    return Path(path).expanduser().read_bytes()


async def _read_lines(source: TextIO) -> AsyncIterator[str]:
    """Yield the lines of a terminal, a pipe or a file.

    A thread reads, because only pipes can be awaited. It is a daemon, so that one which waits for a key that never
    comes does not keep the process alive.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[str | None] = asyncio.Queue()

    def feed() -> None:
        # The loop is closed: the chat is over and nobody reads any more.
        with suppress(RuntimeError):
            # A terminal that hung up ends the input like any other.
            with suppress(OSError, ValueError):
                for line in source:
                    loop.call_soon_threadsafe(queue.put_nowait, line.rstrip("\r\n"))
            loop.call_soon_threadsafe(queue.put_nowait, None)

    threading.Thread(target=feed, name="chat-input", daemon=True).start()
    while (line := await queue.get()) is not None:
        yield line
