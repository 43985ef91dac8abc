"""`make bench`: start the real processes, play Meta and the model, print one table, write build/bench.json."""

import argparse
import contextlib
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import FrameType

import msgspec

from tests.bench import doors, inbox, journeys
from tests.bench.figures import (
    DoorFigures,
    InboxFigures,
    JourneyFigures,
    ProcessFigures,
    Report,
    StageFigures,
    StoreFigures,
)
from tests.bench.journeys import Players
from tests.bench.peer import Ready
from tests.bench.processes import ROOT, Child, Helper, helper
from tests.bench.product import Installation
from tests.bench.seed import Size
from tests.bench.stores import Store, open_store
from tests.bench.table import render

STORES = ("sqlite", "postgresql")
PARTS = ("doors", "journeys", "stages", "inbox")


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured. Windows in seconds."""

    stores: tuple[str, ...]
    parts: tuple[str, ...]
    window_seconds: float
    rounds: int
    customers: int
    statuses: int
    inbox: Size
    inbox_requests: int
    json_path: Path


def main() -> None:
    plan = _plan()
    signal.signal(signal.SIGTERM, _interrupt)
    load_average = os.getloadavg()[0]
    started_at = datetime.now(UTC)
    loop_ms = _loop_ms()
    try:
        stores = [_measure(name, plan) for name in plan.stores]
    except KeyboardInterrupt:
        sys.exit("interrupted")
    report = Report(
        version=version("mostrador"),
        started_at=f"{started_at:%Y-%m-%d %H:%M}Z",
        python=platform.python_version(),
        cores=len(os.sched_getaffinity(0)),
        load_average_before=load_average,
        loop_ms=(loop_ms, _loop_ms()),
        window_seconds=plan.window_seconds,
        statuses_a_message=plan.statuses,
        stores=stores,
    )
    plan.json_path.parent.mkdir(parents=True, exist_ok=True)
    plan.json_path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2))
    sys.stdout.write(f"{render(report)}\n\nWritten to {plan.json_path}\n")


def _plan() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute or two in all: to see that it runs")
    parser.add_argument("--only", choices=STORES, help="one of the two stores")
    parser.add_argument("--part", choices=PARTS, help="one part of the figures")
    parser.add_argument("--seconds", type=float, help="length of every measured window")
    parser.add_argument("--statuses", type=int, choices=range(4), default=3, help="status webhooks a message")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench.json", help="where the figures go")
    options = parser.parse_args()
    return Plan(
        stores=(options.only,) if options.only else STORES,
        parts=(options.part,) if options.part else PARTS,
        window_seconds=options.seconds or (1.0 if options.quick else 4.0),
        rounds=1 if options.quick else 3,
        customers=200 if options.quick else 1000,
        statuses=options.statuses,
        inbox=Size(conversations=500, messages=5_000) if options.quick else Size(100_000, 1_000_000),
        inbox_requests=3 if options.quick else 60,
        json_path=options.json,
    )


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _loop_ms() -> float:
    """CPU milliseconds of a million turns of a loop: the yardstick for how fast this machine is at the moment."""
    started = time.process_time()
    total = 0
    for number in range(1_000_000):
        total += number * number % 7
    return (time.process_time() - started) * 1000


def _measure(name: str, plan: Plan) -> StoreFigures:
    with (
        _directory() as directory,
        open_store(name, directory) as store,
        helper("peer", "tests.bench.peer", directory / "peer.log") as peer,
    ):
        return _Bench(plan, store, directory, peer).run()


class _Bench:
    """Everything measured on one store."""

    def __init__(self, plan: Plan, store: Store, directory: Path, peer: Helper) -> None:
        self._plan = plan
        self._store = store
        self._directory = directory
        self._peer = peer
        self._ready = peer.hear(Ready, within_seconds=20)

    def run(self) -> StoreFigures:
        asked = self._ask() if "inbox" in self._plan.parts else []
        if self._plan.parts == ("inbox",):
            return StoreFigures(
                store=self._store.name,
                servers=self._store.servers,
                doors=[],
                journeys=[],
                stages=None,
                processes=[],
                inbox=asked,
            )
        with self._store.database("whole") as url, self._store.redis() as redis_url:
            whole = self._install(self._directory / "whole", url, redis_url)
            with whole.web() as (_, first_seconds):
                pass
            whole.add_channels()
            struck, played, processes = self._run_whole(whole, first_seconds)
            stages = self._sample(whole) if "stages" in self._plan.parts else None
        return StoreFigures(
            store=self._store.name,
            servers=self._store.servers,
            doors=struck,
            journeys=played,
            stages=stages,
            processes=processes,
            inbox=asked,
        )

    def _ask(self) -> list[InboxFigures]:
        return inbox.measure(
            self._store,
            self._directory,
            lambda path, url: self._install(path, url, None),
            size=self._plan.inbox,
            requests=self._plan.inbox_requests,
        )

    def _run_whole(
        self, whole: Installation, first_seconds: float
    ) -> tuple[list[DoorFigures], list[JourneyFigures], list[ProcessFigures]]:
        struck: list[DoorFigures] = []
        played: list[JourneyFigures] = []
        with whole.web() as (web, seconds), contextlib.ExitStack() as stack:
            processes = {"web": web}
            if whole.separate_jobs:
                processes["jobs"] = stack.enter_context(whole.jobs())
            time.sleep(2.0)  # until start has become idleness
            idle = {name: one.memory_mib() for name, one in processes.items()}
            if "journeys" in self._plan.parts:
                played = self._play(self._players(whole, processes))
            loaded = {name: one.memory_mib()[0] for name, one in processes.items()}
            if "doors" in self._plan.parts:
                struck = self._strike(whole, list(processes.values()))
        figures = [
            ProcessFigures(
                name=name,
                first_start_seconds=first_seconds if name == "web" else None,
                start_seconds=seconds if name == "web" else None,
                idle_rss_mib=idle[name][0],
                idle_pss_mib=idle[name][1],
                after_load_rss_mib=loaded[name],
            )
            for name in processes
        ]
        return struck, played, figures

    def _strike(self, whole: Installation, processes: list[Child]) -> list[DoorFigures]:
        plan, store, directory = self._plan, self._store, self._directory
        with (
            doors.floor(store, directory) as floor,
            doors.bare_door(store, directory, lambda path, url: self._install(path, url, None)) as door,
            doors.usual_way(store, directory) as usual,
        ):
            full = doors.Door(doors.WHOLE, whole.port, processes, whole.database_url)
            served = [floor, door, full, usual]
            return doors.measure(
                store, served, directory / "hammer.log", rounds=plan.rounds, seconds=plan.window_seconds
            )

    def _play(self, players: Players) -> list[JourneyFigures]:
        journeys.warm_up(players)
        return [
            journeys.burst(players, self._plan.window_seconds),
            journeys.steady(players, self._plan.window_seconds),
        ]

    def _sample(self, whole: Installation) -> StageFigures:
        samples = self._directory / "samples"
        samples.mkdir()
        with journeys.running(whole, samples) as (processes, outputs):
            players = self._players(whole, processes)
            journeys.warm_up(players)
            return journeys.sampled(players, outputs, self._plan.window_seconds)

    def _players(self, whole: Installation, processes: dict[str, Child]) -> Players:
        return Players(self._peer, whole, self._store, processes, self._plan.customers, self._plan.statuses)

    def _install(self, directory: Path, database_url: str, redis_url: str | None) -> Installation:
        directory.mkdir()
        return Installation(
            directory,
            database_url=database_url,
            redis_url=redis_url,
            graph_port=self._ready.graph_port,
            model_url=self._ready.model_url,
        )


@contextlib.contextmanager
def _directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mostrador-bench-", ignore_cleanup_errors=True) as name:
        yield Path(name)


if __name__ == "__main__":
    main()
