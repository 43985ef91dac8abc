"""Health: asks the probes, remembers the answers for a moment, and says what they come to."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Generic, Protocol, TypeVar

import msgspec
import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app.core.db import Database
from app.core.errors import MostradorError
from app.core.metrics import Metrics
from app.system.probes import Draining, Probe
from app.system.queries import running_processes
from app.system.schemas import (
    Backlog,
    Component,
    Finding,
    HealthDetails,
    HealthSummary,
    Process,
    Readiness,
    Status,
)

_PROBE_SECONDS: Final = 2.0
_REMEMBERED_SECONDS: Final = 1.0  # anybody may ask for health: asking often must not become work for the database
_STUCK_SECONDS: Final = 120.0
_FAILURES: Final = (MostradorError, OSError, TimeoutError, SQLAlchemyError, RedisError)
_WORST_FIRST: Final[tuple[Status, ...]] = ("unhealthy", "degraded", "ok")

Value = TypeVar("Value")

log = structlog.get_logger()


class BacklogReader(Protocol):
    """Reads what waits in the database; passed in, because what waits belongs to packages above this one."""

    async def __call__(self) -> Backlog: ...


class _Look(msgspec.Struct, frozen=True):
    findings: dict[str, Finding]
    backlog: Backlog | None

    @property
    def status(self) -> Status:
        found = {finding.status for finding in self.findings.values()}
        return next((status for status in _WORST_FIRST if status in found), "ok")


class Health:
    """The health of the installation as this process sees it.

    `probes` decide `/healthz`, `ready` decide `/readyz`. Work that waits for more than two minutes is degraded.
    Answers are at most one second old, but a process that begins to stop is unready at once. `clock` is monotonic.
    """

    def __init__(
        self,
        *,
        probes: Sequence[Probe],
        ready: Sequence[Probe],
        backlog: BacklogReader,
        database: Database,
        metrics: Metrics,
        version: str,
        gauges: Sequence[Callable[[], Awaitable[None]]] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._backlog = backlog
        self._database = database
        self._metrics = metrics
        self._version = version
        self._gauges = gauges
        self._probes = _Remembered(lambda: self._look(probes), clock)
        self._at_once = [probe for probe in ready if isinstance(probe, Draining)]
        remembered = [probe for probe in ready if not isinstance(probe, Draining)]
        self._ready = _Remembered(lambda: self._check_all(remembered), clock)

    async def summary(self) -> HealthSummary:
        """Return what anybody may know."""
        look = await self._probes.get()
        return HealthSummary(
            status=look.status,
            components=_statuses(look.findings),
            oldest_pending_age_seconds=None if look.backlog is None else _oldest(look.backlog),
        )

    async def details(self) -> HealthDetails:
        """Return what the operator may know."""
        look = await self._probes.get()
        return HealthDetails(
            status=look.status,
            version=self._version,
            components=[
                Component(name=name, status=finding.status, detail=finding.detail)
                for name, finding in look.findings.items()
            ],
            backlog=look.backlog,
            processes=await self._processes(),
        )

    async def readiness(self) -> Readiness:
        """Tell whether this process should be sent requests."""
        findings = await self._ready.get() | await self._check_all(self._at_once)
        status = _Look(findings, None).status
        return Readiness(status="unhealthy" if status == "unhealthy" else "ok", components=_statuses(findings))

    async def render_metrics(self) -> bytes:
        """Return all metrics in the Prometheus text format, those of the backlog read anew."""
        look = await self._probes.get()
        if look.backlog is not None:
            self._set_backlog(look.backlog)
        self._metrics.pool_in_use.set(self._database.waiting)
        for set_gauge in self._gauges:
            await set_gauge()
        return self._metrics.render()

    async def _look(self, probes: Sequence[Probe]) -> _Look:
        findings, backlog = await asyncio.gather(self._check_all(probes), self._read_backlog())
        if backlog is not None and _oldest(backlog) > _STUCK_SECONDS:
            findings["backlog"] = Finding("degraded", "Work has been waiting for more than two minutes.")
        return _Look(findings, backlog)

    async def _check_all(self, probes: Sequence[Probe]) -> dict[str, Finding]:
        findings = await asyncio.gather(*(_check(probe) for probe in probes))
        return {probe.name: finding for probe, finding in zip(probes, findings, strict=True)}

    async def _read_backlog(self) -> Backlog | None:
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                return await self._backlog()
        except _FAILURES as error:
            log.warning("health.backlog_unknown", error=type(error).__name__)
            return None

    async def _processes(self) -> list[Process]:
        try:
            async with asyncio.timeout(_PROBE_SECONDS), self._database.read() as connection:
                return await running_processes(connection)
        except _FAILURES:
            return []

    def _set_backlog(self, backlog: Backlog) -> None:
        for stage, age in backlog.oldest_age_seconds.items():
            self._metrics.oldest_pending_age.labels(stage).set(age)
        for stage, count in backlog.pending.items():
            self._metrics.pending.labels(stage).set(count)
        for kind, count in backlog.dead.items():
            self._metrics.dead_letters.labels(kind).set(count)
        self._metrics.outbox_unknown.set(backlog.unknown)
        self._metrics.outbox_needs_operator.set(backlog.needs_operator)


async def _check(probe: Probe) -> Finding:
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            return await probe.check()
    except _FAILURES as error:
        log.warning("health.probe_failed", component=probe.name, error=type(error).__name__)
        return Finding("unhealthy", "No answer: the server's log has the reason.")


def _statuses(findings: Mapping[str, Finding]) -> dict[str, Status]:
    return {name: finding.status for name, finding in findings.items()}


def _oldest(backlog: Backlog) -> float:
    return max(backlog.oldest_age_seconds.values(), default=0.0)


class _Remembered(Generic[Value]):
    """A value looked up at most once a second; who asks meanwhile waits for the same look."""

    def __init__(self, look: Callable[[], Awaitable[Value]], clock: Callable[[], float]) -> None:
        self._look = look
        self._clock = clock
        self._lock = asyncio.Lock()
        self._known: tuple[float, Value] | None = None

    async def get(self) -> Value:
        async with self._lock:
            if self._known is None or self._clock() >= self._known[0] + _REMEMBERED_SECONDS:
                self._known = (self._clock(), await self._look())
            return self._known[1]
