"""The webhook client, a process of its own: 100 connections in a closed loop, with requests signed beforehand.

Reads one `Strike` a line from standard input and answers each with one `Struck`.
"""

import asyncio
import itertools
import sys
import time

import msgspec
import uvloop

from tests.bench.bodies import unique_statuses
from tests.bench.http_wire import Connection

_MOST_A_SECOND = 26_000  # requests made beforehand; a faster server ends the round early


class Strike(msgspec.Struct, frozen=True):
    port: int
    connections: int
    seconds: float
    series: str
    number_id: str


class Struck(msgspec.Struct, frozen=True):
    """`latencies_us` are those of the answers within the time; `refused` counts every status but 200."""

    seconds: float
    refused: int
    latencies_us: list[int]


class _Round:
    def __init__(self, strike: Strike) -> None:
        count = int(strike.seconds * _MOST_A_SECOND) + strike.connections
        self._requests = itertools.islice(unique_statuses(strike.number_id, strike.series), count)
        self._ready = list(self._requests)
        self._strike = strike
        self._latencies: list[float] = []
        self._refused = 0
        self._ends_at = 0.0
        self._last_at = 0.0
        self._running = 0
        self._done = asyncio.Event()

    async def run(self) -> Struck:
        loop = asyncio.get_running_loop()
        connections = [
            (await loop.create_connection(lambda: Connection(self._answered), "127.0.0.1", self._strike.port))[1]
            for _ in range(self._strike.connections)
        ]
        started_at = time.perf_counter()
        self._ends_at = started_at + self._strike.seconds
        for connection in connections:
            self._running += 1
            connection.send(self._ready.pop(), time.perf_counter())
        await self._done.wait()
        for connection in connections:
            connection.close()
        microseconds = [int(seconds * 1e6) for seconds in self._latencies]
        return Struck(self._last_at - started_at, self._refused, microseconds)

    def _answered(self, connection: Connection, status: int) -> None:
        now = time.perf_counter()
        if now < self._ends_at:
            self._last_at = now
            self._latencies.append(now - connection.sent_at)
            self._refused += status != 200
            if self._ready and connection.open:
                connection.send(self._ready.pop(), now)
                return
        self._running -= 1
        if not self._running:
            self._done.set()


def main() -> None:
    for line in sys.stdin:
        strike = msgspec.json.decode(line, type=Strike)
        struck = uvloop.run(_strike(strike))
        sys.stdout.buffer.write(msgspec.json.encode(struck) + b"\n")
        sys.stdout.flush()


async def _strike(strike: Strike) -> Struck:
    return await _Round(strike).run()


if __name__ == "__main__":
    main()
