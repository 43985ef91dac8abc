"""What is measured, as it is written to build/bench.json."""

from collections.abc import Sequence

import msgspec


class DoorFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Webhooks at one server, all rounds together. Rates are answers a second, latencies milliseconds."""

    name: str
    requests: int
    refused: int
    per_second: float
    rounds: list[float]
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    postgresql_cpu_ms: float | None
    ratio_to_floor: float


class JourneyFigures(msgspec.Struct, frozen=True, kw_only=True):
    """From the customer's webhook sent to the reply received, milliseconds; CPU by process, milliseconds a message."""

    name: str
    sent: int
    answered: int
    lost: int
    doubled: int
    unexpected: int
    refused_webhooks: int
    seconds: float
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_ms: dict[str, float]


class StageFigures(msgspec.Struct, frozen=True, kw_only=True):
    """CPU of the product's processes while it was sampled, milliseconds a message, by stage of the message path."""

    messages: int
    per_second: float
    cpu_ms: dict[str, float]
    hottest: list[tuple[str, float]]
    costliest: list[tuple[str, float]]


class ProcessFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Starts in seconds until /readyz answered 200, memory of one process in MiB."""

    name: str
    first_start_seconds: float | None
    start_seconds: float | None
    idle_rss_mib: float
    idle_pss_mib: float
    after_load_rss_mib: float


class InboxFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of request to the inbox or the search, asked one at a time; milliseconds, CPU of the web process."""

    name: str
    requests: int
    p50_ms: float
    p95_ms: float
    cpu_ms: float


class StoreFigures(msgspec.Struct, frozen=True, kw_only=True):
    store: str
    servers: str
    doors: list[DoorFigures]
    journeys: list[JourneyFigures]
    stages: StageFigures | None
    processes: list[ProcessFigures]
    inbox: list[InboxFigures] = []


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """`loop_ms` is the CPU time of one fixed loop of Python, before and after: how fast the machine was just then."""

    version: str
    started_at: str
    python: str
    cores: int
    load_average_before: float
    loop_ms: tuple[float, float]
    window_seconds: float
    statuses_a_message: int
    stores: list[StoreFigures]


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value that `share` (0 to 1) of the ascending values do not exceed; 0 for none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
