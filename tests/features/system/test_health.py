import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from redis.asyncio import Redis

from app.core.db import Database
from app.core.errors import Unavailable
from app.core.ids import new_id
from app.core.metrics import Metrics
from app.core.openapi import openapi_document
from app.core.security.actor import Actor, Role
from app.core.security.guards import RequireAccessToken
from app.core.security.tokens import AccessTokens
from app.system.controllers import HealthController, SystemController
from app.system.heartbeat import Heartbeat
from app.system.probes import (
    DatabaseProbe,
    DatabaseWriteProbe,
    DiskProbe,
    Draining,
    JobsProbe,
    MigrationsProbe,
    Probe,
    QueueProbe,
    RedisProbe,
)
from app.system.schemas import Backlog, Finding
from app.system.scrape import MetricsDoor
from app.system.service import Health
from tests.core.http.door import SECRET, application, database_with_tables, knocking

TOKENS = AccessTokens(SECRET)


class Fake:
    """A probe that finds what the test says, and counts how often it was asked."""

    def __init__(self, name: str, finding: Finding | Exception) -> None:
        self.name = name
        self.finding = finding
        self.asked = 0

    async def check(self) -> Finding:
        self.asked += 1
        if isinstance(self.finding, Exception):
            raise self.finding
        return self.finding


class Silent:
    name = "silent"

    async def check(self) -> Finding:
        await asyncio.Event().wait()
        raise AssertionError("nobody set the event")


class Desk:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.metrics = Metrics()
        self.probes: list[Probe] = [Fake("database", Finding("ok"))]
        self.ready: list[Probe] = [Fake("database", Finding("ok"))]
        self.backlog: Backlog | Exception = Backlog()
        self.metrics_token: str | None = None
        self.now = 0.0

    async def read_backlog(self) -> Backlog:
        if isinstance(self.backlog, Exception):
            raise self.backlog
        return self.backlog

    @asynccontextmanager
    async def open(self, *, address: str = "127.0.0.1", token: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
        health = Health(
            probes=self.probes,
            ready=self.ready,
            backlog=self.read_backlog,
            database=self.database,
            metrics=self.metrics,
            version="1.2.3",
            clock=lambda: self.now,
        )
        app = application(
            [HealthController, SystemController],
            dependencies={"health": health, "metrics_door": MetricsDoor(TOKENS, metrics_token=self.metrics_token)},
            middleware=[RequireAccessToken(TOKENS, self.metrics)],
        )
        async with knocking(app, address=address, token=token) as client:
            yield client


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with database_with_tables(f"sqlite:///{tmp_path}/test.db") as database:
        yield Desk(database)


def token(role: Role) -> str:
    return TOKENS.issue(Actor(user_id=new_id(), username="ana", role=role, session_id=new_id())).token


async def test_a_living_process_says_so_without_asking_anything(desk: Desk) -> None:
    desk.probes = desk.ready = [Silent()]
    async with desk.open() as client:
        response = await client.get("/livez")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_good_health_is_short(desk: Desk) -> None:
    desk.backlog = Backlog(oldest_age_seconds={"inbox": 0.5, "outbox": 2.5})
    async with desk.open() as client:
        response = await client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "components": {"database": "ok"}, "oldest_pending_age_seconds": 2.5}


@pytest.mark.parametrize(
    ("finding", "status", "code"),
    [
        (Finding("degraded", "a reason"), "degraded", 200),
        (Finding("unhealthy", "a reason"), "unhealthy", 503),
        (Unavailable("canary"), "unhealthy", 503),
        (OSError("canary"), "unhealthy", 503),
    ],
    ids=str,
)
async def test_one_bad_component_is_shown_without_its_reason(
    desk: Desk, finding: Finding | Exception, status: str, code: int
) -> None:
    desk.probes.append(Fake("queue", finding))
    async with desk.open() as client:
        response = await client.get("/healthz")
    assert response.status_code == code
    assert response.json()["status"] == response.json()["components"]["queue"] == status
    assert response.json()["components"]["database"] == "ok"
    assert "reason" not in response.text
    assert "canary" not in response.text


async def test_a_backlog_that_cannot_be_read_is_unknown_and_not_zero(desk: Desk) -> None:
    desk.backlog = Unavailable("the database does not answer")
    async with desk.open() as client:
        assert (await client.get("/healthz")).json()["oldest_pending_age_seconds"] is None


async def test_work_that_waits_for_minutes_degrades_health(desk: Desk) -> None:
    desk.backlog = Backlog(oldest_age_seconds={"turn": 121})
    async with desk.open() as client:
        response = await client.get("/healthz")
    assert (response.status_code, response.json()["components"]["backlog"]) == (200, "degraded")


async def test_asking_often_looks_once_a_second(desk: Desk) -> None:
    probe = Fake("database", Finding("ok"))
    desk.probes = [probe]
    async with desk.open() as client:
        await asyncio.gather(*(client.get("/healthz") for _ in range(20)))
        assert probe.asked == 1
        desk.now += 1
        await client.get("/healthz")
    assert probe.asked == 2


async def test_a_stopping_process_is_unready_at_once(desk: Desk) -> None:
    draining = Draining()
    desk.ready.append(draining)
    async with desk.open() as client:
        assert (await client.get("/readyz")).status_code == 200
        draining.begin()
        response = await client.get("/readyz")
        assert (response.status_code, response.json()["components"]["draining"]) == (503, "unhealthy")
        assert (await client.get("/healthz")).status_code == 200


async def test_a_degraded_process_is_still_ready(desk: Desk) -> None:
    desk.ready.append(Fake("disk", Finding("degraded")))
    async with desk.open() as client:
        response = await client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "ok")


async def test_the_operator_sees_reasons_backlog_and_processes(desk: Desk) -> None:
    desk.probes.append(Fake("disk", Finding("degraded", "Less than 10 % of the disk is free.")))
    desk.backlog = Backlog(pending={"inbox": 3}, unknown=1)
    async with Heartbeat(desk.database, "web", version="1.2.3") as heartbeat:
        await heartbeat.beat()
        async with desk.open(token=token("admin")) as client:
            details = (await client.get("/api/system/health")).json()
    assert details["version"] == "1.2.3"
    assert details["components"][1] == {
        "name": "disk",
        "status": "degraded",
        "detail": "Less than 10 % of the disk is free.",
    }
    assert details["backlog"]["pending"] == {"inbox": 3}
    assert [process["kind"] for process in details["processes"]] == ["web"]


@pytest.mark.parametrize(("role", "code"), [(None, 401), ("viewer", 403), ("supervisor", 403), ("admin", 200)])
async def test_details_are_for_admins(desk: Desk, role: Role | None, code: int) -> None:
    async with desk.open(token=token(role) if role else None) as client:
        assert (await client.get("/api/system/health")).status_code == code


async def test_metrics_show_the_backlog(desk: Desk) -> None:
    desk.backlog = Backlog(
        oldest_age_seconds={"inbox": 4.0}, pending={"outbox": 7}, dead={"inbound": 2}, unknown=3, needs_operator=1
    )
    async with desk.open() as client:
        response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    for line in (
        'wa_oldest_pending_age_seconds{stage="inbox"} 4.0',
        'wa_pending{stage="outbox"} 7.0',
        'wa_dead_letters{kind="inbound"} 2.0',
        "wa_outbox_unknown 3.0",
        "wa_outbox_needs_operator 1.0",
    ):
        assert line in response.text


METRICS_TOKEN = "a token for the scraper"


@pytest.mark.parametrize(
    ("configured", "address", "headers", "code"),
    [
        (None, "127.0.0.1", {}, 200),
        (None, "::1", {}, 200),
        (None, "10.0.0.1", {}, 401),
        (None, "127.0.0.1", {"X-Forwarded-For": "10.0.0.1"}, 401),
        (None, "127.0.0.1", {"Forwarded": "for=10.0.0.1"}, 401),
        (METRICS_TOKEN, "127.0.0.1", {}, 401),
        (METRICS_TOKEN, "10.0.0.1", {"Authorization": f"Bearer {METRICS_TOKEN}"}, 200),
        (METRICS_TOKEN, "10.0.0.1", {"Authorization": f"Bearer {METRICS_TOKEN}x"}, 401),
        (METRICS_TOKEN, "10.0.0.1", {"Authorization": "Bearer é"}, 401),
        (METRICS_TOKEN, "10.0.0.1", {"Authorization": "Bearer admin's"}, 200),
        (None, "10.0.0.1", {"Authorization": "Bearer admin's"}, 200),
        (None, "127.0.0.1", {"Authorization": "Bearer agent's"}, 403),
    ],
)
async def test_metrics_are_for_the_scraper_and_for_admins(
    desk: Desk, configured: str | None, address: str, headers: dict[str, str], code: int
) -> None:
    desk.metrics_token = configured
    # Made here and not where the cases stand: a token lives ten minutes, and a long run comes to this test later.
    tokens = {"Bearer admin's": f"Bearer {token('admin')}", "Bearer agent's": f"Bearer {token('agent')}"}
    raw = [(name.encode(), tokens.get(value, value).encode()) for name, value in headers.items()]
    async with desk.open(address=address) as client:
        assert (await client.get("/metrics", headers=raw)).status_code == code


async def test_the_database_probes_read_and_commit(database: Database) -> None:
    assert (await DatabaseProbe(database).check()).status == "ok"
    heartbeat = Heartbeat(database, "web", version="1")
    assert (await DatabaseWriteProbe(heartbeat).check()).status == "ok"


async def test_a_database_that_is_gone_is_unhealthy(tmp_path: Path) -> None:
    desk = Desk(Database("postgresql://nobody@127.0.0.1:1/nothing"))
    desk.probes = [DatabaseProbe(desk.database)]
    desk.backlog = Unavailable("gone")
    async with desk.database, desk.open(token=token("admin")) as client:
        assert (await client.get("/healthz")).status_code == 503
        details = await client.get("/api/system/health")
    assert (details.status_code, details.json()["processes"]) == (200, [])


@pytest.mark.parametrize(("applied", "status"), [(["a1"], "ok"), (["a0"], "unhealthy"), ([], "unhealthy")])
async def test_a_schema_of_another_version_is_unhealthy(database: Database, applied: list[str], status: str) -> None:
    async with database.write() as connection:
        await connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)"))
        for revision in applied:
            await connection.execute(sa.text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
    assert (await MigrationsProbe(database, frozenset({"a1"})).check()).status == status


@pytest.mark.parametrize(
    ("free", "status"), [(50, "ok"), (10, "ok"), (9, "degraded"), (5, "degraded"), (4, "unhealthy")]
)
async def test_the_disk_needs_room(tmp_path: Path, free: int, status: str) -> None:
    assert (await DiskProbe(tmp_path, lambda _: (100, 100 - free, free)).check()).status == status


async def test_the_real_disk_can_be_asked(tmp_path: Path) -> None:
    assert (await DiskProbe(tmp_path).check()).status in {"ok", "degraded", "unhealthy"}


async def test_a_queue_that_stopped_is_unhealthy() -> None:
    assert (await QueueProbe(lambda: True).check()).status == "ok"
    assert (await QueueProbe(lambda: False).check()).status == "unhealthy"


async def test_a_lost_redis_only_degrades(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as redis:
        assert (await RedisProbe(redis).check()).status == "ok"
    async with Redis.from_url("redis://127.0.0.1:1") as redis:
        assert (await RedisProbe(redis).check()).status == "degraded"


async def test_no_jobs_process_degrades(database: Database) -> None:
    assert (await JobsProbe(database).check()).status == "degraded"
    async with Heartbeat(database, "jobs", version="1") as heartbeat:
        await heartbeat.beat()
        assert (await JobsProbe(database).check()).status == "ok"


async def test_the_document_says_what_an_unhealthy_answer_holds() -> None:
    things = dict.fromkeys(("health", "metrics_door"), None)
    document = openapi_document(application([HealthController], dependencies=things))
    answer = document["paths"]["/healthz"]["get"]["responses"]["503"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/HealthSummary"}
