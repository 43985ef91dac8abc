"""Messages from the customer's webhook to the reply: how many, how fast, and what each costs which process."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from tests.bench.figures import JourneyFigures, StageFigures, percentile
from tests.bench.peer import Play, Played
from tests.bench.processes import Child, Helper
from tests.bench.product import NUMBER_IDS, Installation
from tests.bench.sampled import Sampled
from tests.bench.stores import Store

CONCURRENCY = 100
STEADY_A_SECOND = 400.0
_SAMPLED_A_SECOND = 200.0
_HOTTEST = 25
_SETTLE_SECONDS = 1.5  # statuses are ingested within milliseconds; the dispatchers look again after a second


class Players(msgspec.Struct, frozen=True):
    """Who takes part in a round."""

    peer: Helper
    installed: Installation
    store: Store
    processes: Mapping[str, Child]
    customers: int
    statuses: int


def warm_up(players: Players) -> None:
    """Let every customer write once, so that contacts and conversations exist, as they do in a running business."""
    _play(players, _script(players, "burst", 20.0, most=players.customers))


def burst(players: Players, seconds: float) -> JourneyFigures:
    return _measured(f"burst, {CONCURRENCY} customers at once", players, _script(players, "burst", seconds))


def steady(players: Players, seconds: float, rate: float = STEADY_A_SECOND) -> JourneyFigures:
    return _measured(f"steady {rate:.0f}/s", players, _script(players, "steady", seconds, rate=rate))


def sampled(players: Players, outputs: Sequence[Path], seconds: float) -> StageFigures:
    """Play at a moderate rate while the processes (started with `sampled`) look at themselves."""
    for one in players.processes.values():
        os.kill(one.pid, signal.SIGUSR1)
    played = _play(players, _script(players, "steady", seconds, rate=_SAMPLED_A_SECOND))
    for one in players.processes.values():
        os.kill(one.pid, signal.SIGUSR2)
    found = [_read(output, one) for output, one in zip(outputs, players.processes.values(), strict=True)]
    return _stages(found, played)


def _script(
    players: Players, kind: Literal["burst", "steady"], seconds: float, *, rate: float = 0.0, most: int = 1_000_000
) -> Play:
    return Play(
        kind=kind,
        port=players.installed.port,
        number_ids=NUMBER_IDS,
        customers=players.customers,
        statuses=players.statuses,
        seconds=seconds,
        concurrency=CONCURRENCY,
        rate=rate,
        most=most,
    )


def _measured(name: str, players: Players, play: Play) -> JourneyFigures:
    before = _cpu(players)
    played = _play(players, play)
    after = _cpu(players)
    ordered = sorted(played.latencies_ms)
    count = max(1, played.answered)
    return JourneyFigures(
        name=name,
        sent=played.sent,
        answered=played.answered,
        lost=played.lost,
        doubled=played.doubled,
        unexpected=played.unexpected,
        refused_webhooks=played.refused_webhooks,
        seconds=played.seconds,
        per_second=played.answered / played.seconds,
        p50_ms=percentile(ordered, 0.50),
        p95_ms=percentile(ordered, 0.95),
        p99_ms=percentile(ordered, 0.99),
        cpu_ms={process: (after[process] - before[process]) / count * 1000 for process in before},
    )


def _play(players: Players, play: Play) -> Played:
    played = players.peer.ask(play, Played, within_seconds=play.seconds + play.drain_seconds + 30)
    time.sleep(_SETTLE_SECONDS)
    return played


def _cpu(players: Players) -> dict[str, float]:
    found = {name: one.cpu_seconds() for name, one in players.processes.items()}
    server = players.store.server_cpu_seconds(players.installed.database_url)
    if server is not None:
        found["postgresql"] = server
    found["load generator"] = players.peer.cpu_seconds()
    return found


def _read(output: Path, writer: Child) -> Sampled:
    deadline = time.monotonic() + 5
    while not output.exists():
        if time.monotonic() > deadline:
            raise writer.fail("wrote no samples")
        time.sleep(0.02)
    return msgspec.json.decode(output.read_bytes(), type=Sampled)


def _stages(found: Sequence[Sampled], played: Played) -> StageFigures:
    milliseconds = 1000 / max(1, played.answered)
    threads = {"threads (SQLite)": sum(one.threads_seconds for one in found)}
    stages = _sum([threads, *(one.stages for one in found)])
    own = _sum([one.own for one in found])
    whole = _sum([one.whole for one in found])
    return StageFigures(
        messages=played.answered,
        per_second=played.answered / played.seconds,
        cpu_ms={name: seconds * milliseconds for name, seconds in stages},
        hottest=[(name, seconds * milliseconds) for name, seconds in own[:_HOTTEST]],
        costliest=[(name, seconds * milliseconds) for name, seconds in whole if name.startswith("app/")][:_HOTTEST],
    )


def _sum(parts: Sequence[Mapping[str, float]]) -> list[tuple[str, float]]:
    """Add up by name, the greatest first."""
    total: dict[str, float] = {}
    for part in parts:
        for name, seconds in part.items():
            total[name] = total.get(name, 0.0) + seconds
    return sorted(total.items(), key=lambda pair: -pair[1])


@contextlib.contextmanager
def running(installed: Installation, samples: Path | None = None) -> Iterator[tuple[dict[str, Child], list[Path]]]:
    """Run the installation's processes, sampled if `samples` is a directory; give them and the samples' files."""
    web_samples = samples / "web.json" if samples else None
    jobs_samples = samples / "jobs.json" if samples else None
    with contextlib.ExitStack() as stack:
        web, _ = stack.enter_context(installed.web(sampled=web_samples))
        processes = {"web": web}
        if installed.separate_jobs:
            processes["jobs"] = stack.enter_context(installed.jobs(sampled=jobs_samples))
        outputs = [path for path in (web_samples, jobs_samples) if path is not None]
        yield processes, outputs[: len(processes)]
