"""Webhooks at four doors, in turns: the bare floor, the product's door alone, the whole product, and the usual way."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from tests.bench.figures import DoorFigures, percentile
from tests.bench.hammer import Strike, Struck
from tests.bench.processes import Child, Helper, child, helper, wait_for_200
from tests.bench.product import NUMBER_IDS, Installation
from tests.bench.stores import Store, create_schema
from tests.servers import free_port

FLOOR = "group-commit floor (bare ASGI and driver)"
DOOR = "Mostrador, storing only"
WHOLE = "Mostrador, storing and ingesting"
USUAL = "the usual way (one ORM transaction each)"
_CONNECTIONS = 100


class Door(msgspec.Struct, frozen=True):
    """A server that takes webhooks, and where it stores them."""

    name: str
    port: int
    processes: list[Child]
    database_url: str


class _Tally:
    def __init__(self) -> None:
        self.latencies_us: list[int] = []
        self.rounds: list[float] = []
        self.refused = 0
        self.seconds = 0.0
        self.cpu_seconds = 0.0
        self.server_cpu_seconds: float | None = None


def measure(store: Store, doors: Sequence[Door], log: Path, *, rounds: int, seconds: float) -> list[DoorFigures]:
    """Strike each door in turn, `rounds` times `seconds`, after one short round that nobody counts."""
    tallies = {door.name: _Tally() for door in doors}
    with helper("hammer", "tests.bench.hammer", log) as hammer:
        for door in doors:
            _strike(hammer, door, min(seconds, 0.5), "warm")
        for number in range(rounds):
            for door in doors:
                _round(hammer, store, door, tallies[door.name], seconds, str(number))
    floor = _rate(tallies[FLOOR])
    return [_figures(door.name, tallies[door.name], floor) for door in doors]


def _round(hammer: Helper, store: Store, door: Door, tally: _Tally, seconds: float, series: str) -> None:
    cpu_before = sum(one.cpu_seconds() for one in door.processes)
    server_before = store.server_cpu_seconds(door.database_url)
    struck = _strike(hammer, door, seconds, series)
    tally.cpu_seconds += sum(one.cpu_seconds() for one in door.processes) - cpu_before
    server_after = store.server_cpu_seconds(door.database_url)
    if server_before is not None and server_after is not None:
        tally.server_cpu_seconds = (tally.server_cpu_seconds or 0.0) + server_after - server_before
    tally.latencies_us += struck.latencies_us
    tally.refused += struck.refused
    tally.seconds += struck.seconds
    tally.rounds.append(len(struck.latencies_us) / struck.seconds if struck.seconds else 0.0)


def _strike(hammer: Helper, door: Door, seconds: float, series: str) -> Struck:
    strike = Strike(door.port, _CONNECTIONS, seconds, f"{door.port}.{series}", NUMBER_IDS[0])
    return hammer.ask(strike, Struck, within_seconds=seconds + 60)


def _rate(tally: _Tally) -> float:
    return len(tally.latencies_us) / tally.seconds if tally.seconds else 0.0


def _figures(name: str, tally: _Tally, floor_per_second: float) -> DoorFigures:
    ordered = sorted(tally.latencies_us)
    count = max(1, len(ordered))
    server = tally.server_cpu_seconds
    return DoorFigures(
        name=name,
        requests=len(ordered),
        refused=tally.refused,
        per_second=_rate(tally),
        rounds=tally.rounds,
        p50_ms=percentile(ordered, 0.50) / 1000,
        p99_ms=percentile(ordered, 0.99) / 1000,
        cpu_ms=tally.cpu_seconds / count * 1000,
        postgresql_cpu_ms=None if server is None else server / count * 1000,
        ratio_to_floor=_rate(tally) / floor_per_second if floor_per_second else 0.0,
    )


@contextlib.contextmanager
def floor(store: Store, directory: Path) -> Iterator[Door]:
    with _server(store, directory, FLOOR, "floor") as door:
        yield door


@contextlib.contextmanager
def usual_way(store: Store, directory: Path) -> Iterator[Door]:
    with _server(store, directory, USUAL, "usual") as door:
        yield door


@contextlib.contextmanager
def bare_door(store: Store, directory: Path, install: Callable[[Path, str], Installation]) -> Iterator[Door]:
    """Run the product's web process without its dispatchers. `install` makes an installation on a database URL."""
    with store.database("door") as url:
        create_schema(url)
        installed = install(directory / "door", url)
        with installed.bare_door() as server:
            yield Door(DOOR, installed.port, [server], url)


@contextlib.contextmanager
def _server(store: Store, directory: Path, name: str, module: str) -> Iterator[Door]:
    with store.database(module) as url:
        create_schema(url)
        port = free_port()
        command = [sys.executable, "-m", f"tests.bench.{module}", str(port), url]
        with child(module, command, directory / f"{module}.log") as server:
            wait_for_200(port, "/readyz", server)
            yield Door(name, port, [server], url)
