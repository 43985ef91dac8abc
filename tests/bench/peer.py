"""Meta, its customers and the model, in one process that answers at once.

Reads one `Play` a line from standard input and answers each with one `Played`. The Graph endpoint and the model listen
on free ports, which the first line of output tells (`Ready`).

A customer writes through the product's webhook; the clock of a message runs until the reply reaches the Graph endpoint
here. Statuses (sent, delivered, read) follow at Meta's unhurried pace, as webhooks of their own.
"""

import asyncio
import sys
import time
from collections import deque
from typing import Literal

import msgspec
import uvloop

from tests.bench import bodies
from tests.bench.http_wire import Pool, Server, answer
from tests.fakes.model_server import ModelServer

REPLY = "Abrimos de 9 a 18 h."  # what the model says, and so what must arrive
_STATUSES: tuple[tuple[str, float], ...] = (("sent", 0.05), ("delivered", 0.15), ("read", 0.4))
_CONNECTIONS = 64
_TICK_SECONDS = 0.0025
_DONE = answer(b'{"success":true}')
_REFUSED = b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}"


class Ready(msgspec.Struct, frozen=True):
    graph_port: int
    model_url: str


class Play(msgspec.Struct, frozen=True, kw_only=True):
    """Let customers write for `seconds`, or until `most` messages were sent.

    `burst` keeps `concurrency` of them waiting for a reply all the time; `steady` lets `rate` a second write, whatever
    comes back. Customers take turns; customer n writes to number n modulo the numbers.
    """

    kind: Literal["burst", "steady"]
    port: int
    number_ids: list[str]
    customers: int
    statuses: int
    seconds: float
    drain_seconds: float = 15.0
    concurrency: int = 100
    rate: float = 0.0
    most: int = 1_000_000


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """`seconds` from the first message to the last reply. A reply is `doubled` when nobody waited for it."""

    sent: int
    answered: int
    lost: int
    doubled: int
    unexpected: int
    refused_webhooks: int
    statuses: int
    seconds: float
    latencies_ms: list[float]


class _Text(msgspec.Struct):
    body: str = ""


class _Sent(msgspec.Struct):
    """What the product posts to `/messages`: a message, or a read receipt (`status`)."""

    status: str | None = None
    to: str = ""
    biz_opaque_callback_data: str = ""
    text: _Text | None = None


_decode = msgspec.json.Decoder(_Sent).decode


class Peer:
    """Plays one `Play` after the other."""

    def __init__(self) -> None:
        self._run_id = f"{time.time_ns():x}"
        self._messages = 0
        self._accepted = 0
        self._round: _Round | None = None

    def respond(self, head: bytes, body: bytes) -> bytes:
        """Answer a call to Graph."""
        path = head.split(b" ", 2)[1]
        if not path.endswith(b"/messages"):
            return _REFUSED
        said = _decode(body)
        if said.status is not None:
            return _DONE
        self._accepted += 1
        wamid = f"wamid.OUT{self._run_id}.{self._accepted}"
        if self._round is not None:
            self._round.received(path.split(b"/")[-2].decode(), said, wamid)
        contact = f'"contacts":[{{"input":"{said.to}","wa_id":"{said.to}"}}]'
        return answer(f'{{"messaging_product":"whatsapp",{contact},"messages":[{{"id":"{wamid}"}}]}}'.encode())

    def next_message_id(self) -> str:
        self._messages += 1
        return f"wamid.IN{self._run_id}.{self._messages}"

    async def play(self, play: Play) -> Played:
        pool = Pool(play.port, _CONNECTIONS)
        await pool.open()
        self._round = _Round(self, play, pool)
        try:
            return await self._round.run()
        finally:
            self._round = None
            pool.close()


class _Round:
    def __init__(self, peer: Peer, play: Play, pool: Pool) -> None:
        self._peer = peer
        self._play = play
        self._pool = pool
        self._free = deque(_customer(number) for number in range(play.customers))
        self._home = {
            _customer(number): play.number_ids[number % len(play.number_ids)] for number in range(play.customers)
        }
        self._waiting: dict[str, float] = {}
        self._latencies: list[float] = []
        self._sent = self._doubled = self._unexpected = self._statuses = self._statuses_due = 0
        self._last_reply_at = 0.0
        self._ends_at = 0.0

    async def run(self) -> Played:
        started_at = time.perf_counter()
        self._ends_at = started_at + self._play.seconds
        if self._play.kind == "burst":
            for _ in range(min(self._play.concurrency, self._play.most, len(self._free))):
                self._write(time.perf_counter())
        else:
            await self._write_steadily(started_at)
        await self._drain()
        return Played(
            sent=self._sent,
            answered=len(self._latencies),
            lost=len(self._waiting),
            doubled=self._doubled,
            unexpected=self._unexpected,
            refused_webhooks=self._pool.refused,
            statuses=self._statuses,
            seconds=max(self._last_reply_at - started_at, 1e-9),
            latencies_ms=[round(seconds * 1000, 3) for seconds in self._latencies],
        )

    def received(self, number_id: str, said: _Sent, wamid: str) -> None:
        now = time.perf_counter()
        since = self._waiting.pop(said.to, None)
        if said.text is None or said.text.body != REPLY or self._home.get(said.to) != number_id:
            self._unexpected += 1
        if since is None:
            self._doubled += 1
        else:
            self._latencies.append(now - since)
            self._free.append(said.to)
            self._last_reply_at = now
        loop = asyncio.get_running_loop()
        for name, after_seconds in _STATUSES[: self._play.statuses]:
            self._statuses_due += 1
            loop.call_later(after_seconds, self._tell, number_id, said, wamid, name)
        if self._play.kind == "burst" and now < self._ends_at and self._sent < self._play.most:
            # After this answer has left: the customer's next message follows the reply, it does not race it.
            loop.call_soon(self._write, now)

    def _write(self, since: float) -> None:
        """Let the customer who has been silent longest write. `since` is when that was due."""
        customer = self._free.popleft()
        self._sent += 1
        self._waiting[customer] = since
        message = bodies.message(self._home[customer], customer, self._peer.next_message_id(), "¿A qué hora abren hoy?")
        self._pool.send(bodies.signed(message))

    async def _write_steadily(self, started_at: float) -> None:
        while (now := time.perf_counter()) < self._ends_at and self._sent < self._play.most:
            while self._sent < (now - started_at) * self._play.rate and self._free and self._sent < self._play.most:
                self._write(started_at + self._sent / self._play.rate)
            await asyncio.sleep(_TICK_SECONDS)

    def _tell(self, number_id: str, said: _Sent, wamid: str, name: str) -> None:
        self._statuses += 1
        status = bodies.status(number_id, said.to, wamid, name, said.biz_opaque_callback_data)
        self._pool.send(bodies.signed(status))

    async def _drain(self) -> None:
        """Wait for the last replies and until every status was told and taken."""
        deadline = self._ends_at + self._play.drain_seconds
        while time.perf_counter() < deadline and not self._is_drained:  # noqa: ASYNC110 - a look costs less than events
            await asyncio.sleep(_TICK_SECONDS)

    @property
    def _is_drained(self) -> bool:
        wrote_all = self._sent >= self._play.most or time.perf_counter() >= self._ends_at
        return wrote_all and not self._waiting and self._statuses == self._statuses_due and self._pool.idle


def _customer(number: int) -> str:
    return f"57300{number:07d}"


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    peer = Peer()
    graph = await loop.create_server(lambda: Server(peer.respond), "127.0.0.1", 0, backlog=1024)
    model = ModelServer()
    model.keeps_requests = False
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    async with model.serving():
        _say(Ready(graph.sockets[0].getsockname()[1], model.url))
        while line := await commands.readline():
            _say(await peer.play(msgspec.json.decode(line, type=Play)))


def _say(what: msgspec.Struct) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(_serve())
