"""The doctor's looks at this installation itself: settings, database, schema, queue, disk, keys, processes, work."""

import os
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Final

import sqlalchemy as sa

from app.core.db import Database
from app.core.queue.schedule import SqlScheduleTable
from app.proof.doctor import Examination, broken, fine, warned
from app.proof.schemas import Check
from app.proof.service import Prover
from app.system.backlog import DatabaseBacklog
from app.system.probes import Probe
from app.system.queries import running_processes
from app.system.schemas import ProcessKind
from settings import Settings

_LONGEST_WAIT_SECONDS: Final = 120.0
_LATE: Final = timedelta(minutes=10)


def installation(
    settings: Settings, database: Database, probes: Sequence[tuple[Probe, str]], prover: Prover
) -> list[Examination]:
    """Return what can be looked at without leaving the house. `probes` come with the remedy for a bad finding."""
    return [
        Examination("settings", partial(_settings, settings), "Read the error above."),
        Examination(
            "database",
            partial(_database, database),
            "Start the database, or correct DATABASE_URL; the server's log has the reason.",
        ),
        *(Examination(probe.name, partial(_probed, probe, remedy), remedy) for probe, remedy in probes),
        Examination("processes", partial(_processes, settings, database), "Mend the database first."),
        Examination("schedules", partial(_schedules, database), "Mend the database first."),
        Examination("work", partial(_work, database), "Mend the database first."),
        Examination("invariants", partial(_invariants, prover), "Mend the database first."),
    ]


async def _settings(settings: Settings) -> list[Check]:
    found = [
        warned("settings", warning, "Change it in .env or in the environment, and restart.")
        for warning in settings.warnings
    ]
    if not os.access(settings.storage.data_dir, os.W_OK | os.X_OK):
        remedy = f"Let the user that runs Mostrador write to {settings.storage.data_dir}."
        found.append(broken("settings", "the data directory cannot be written", remedy))
    return found or [fine("settings", f"readable, environment {settings.server.environment}")]


async def _database(database: Database) -> list[Check]:
    async with database.read() as connection:
        await connection.execute(sa.select(1))
        if database.dialect == "sqlite":
            return [fine("database", "SQLite answers, one process writes")]
        unsafe = [
            name
            for name in ("fsync", "synchronous_commit", "full_page_writes")
            if (await connection.execute(sa.text(f"SHOW {name}"))).scalar_one() == "off"
        ]
    if unsafe:
        remedy = f"Switch {', '.join(unsafe)} on in PostgreSQL: an acknowledged message must survive a power cut."
        return [broken("database", f"PostgreSQL may forget what it has committed: {', '.join(unsafe)} off", remedy)]
    return [fine("database", "PostgreSQL answers, and keeps what it commits")]


async def _probed(probe: Probe, remedy: str) -> list[Check]:
    finding = await probe.check()
    if finding.status == "ok":
        return [fine(probe.name, "well")]
    found = finding.detail.rstrip(".")
    return [(broken if finding.status == "unhealthy" else warned)(probe.name, found, remedy)]


async def _processes(settings: Settings, database: Database) -> list[Check]:
    async with database.read() as connection:
        alive = [process for process in await running_processes(connection) if process.alive]
    needed: tuple[ProcessKind, ...] = ("web",) if settings.storage.redis_url is None else ("web", "jobs", "scheduler")
    command = {"web": "serve", "jobs": "jobs", "scheduler": "scheduler"}
    found = [
        broken("processes", f"no {kind} process was heard of for 30 seconds", f"Start it: mostrador {command[kind]}")
        for kind in needed
        if not any(process.kind == kind for process in alive)
    ]
    versions = sorted({process.version for process in alive})
    if len(versions) > 1:
        remedy = "Restart those of the older version."
        found.append(warned("processes", f"processes of several versions run: {', '.join(versions)}", remedy))
    number = {kind: sum(process.kind == kind for process in alive) for kind in needed}
    return found or [fine("processes", ", ".join(f"{count} {kind}" for kind, count in number.items()))]


async def _schedules(database: Database) -> list[Check]:
    async with database.read() as connection:
        now = await database.now(connection)
    jobs = await SqlScheduleTable(database).all()
    found = [
        warned("schedules", f"{job.name} failed last: {job.last_error}", "The jobs process's log has the reason.")
        for job in jobs
        if job.last_error not in (None, "cancelled")
    ]
    late = [job.name for job in jobs if now - job.next_run_at > _LATE]
    if late:
        remedy = "Start the scheduler: mostrador scheduler, or mostrador serve where there is no Redis."
        found.append(broken("schedules", f"not started although due: {', '.join(late)}", remedy))
    return found or [fine("schedules", f"{len(jobs)} scheduled jobs run in time")]


async def _work(database: Database) -> list[Check]:
    backlog = await DatabaseBacklog(database)()
    found = [
        broken(
            "work",
            f"the oldest work of {stage} has waited for {age:.0f} seconds",
            "Look whether the process that does it runs, and what its log says.",
        )
        for stage, age in backlog.oldest_age_seconds.items()
        if age > _LONGEST_WAIT_SECONDS
    ]
    found += [
        warned("work", f"{count} dead {kind}", "Look at them in the panel, then retry or discard each.")
        for kind, count in backlog.dead.items()
        if count
    ]
    if backlog.needs_operator:
        remedy = "Decide about each in the panel: send it again, mark it as sent, or drop it."
        found.append(warned("work", f"{backlog.needs_operator} messages that WhatsApp never confirmed", remedy))
    return found or [fine("work", f"{sum(backlog.pending.values())} waiting, nothing late")]


async def _invariants(prover: Prover) -> list[Check]:
    items = (await prover.invariants()).items
    found = [
        broken("invariants", f"{one.name}: {one.violations} contradict it", f"It should be so: {one.about}")
        for one in items
        if one.violations
    ]
    if not found and all(one.checked_at is None for one in items):
        return [warned("invariants", "never checked yet", "They are checked within five minutes of the start.")]
    return found or [fine("invariants", f"all {len(items)} held when they were checked last")]
