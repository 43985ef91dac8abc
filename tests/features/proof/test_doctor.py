"""The doctor looks at everything at once, and says what to do."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.ai.llm.attempts import Attempt
from app.core.db import Database
from app.core.errors import Unavailable
from app.core.http_client import HttpResponse
from app.core.queue.schedule import Schedule, SqlScheduleTable
from app.core.queue.tables import scheduled_jobs
from app.proof.doctor import Doctor, Examination, broken, fine, warned
from app.proof.examinations import installation
from app.proof.outside import surroundings
from app.proof.schemas import Check
from app.proof.service import Prover
from app.system.heartbeat import Heartbeat
from app.whatsapp.channels import Channel, ChannelSecrets
from app.whatsapp.error_codes import rule_for
from app.whatsapp.errors import CallRefused, CallUnavailable
from app.whatsapp.graph import PhoneNumber
from app.whatsapp.transport import ChannelAccess
from settings import load
from tests.builders.pipeline import Pipeline

NUMBER = PhoneNumber("+57 300", "Shop", "GREEN", "CONNECTED", coexistence=False, messages_a_second=80)


async def look(name: str, *checks: Check, **given: Any) -> Any:
    async def found() -> tuple[Check, ...]:
        return checks

    return Examination(name, given.get("look", found), "look at the log")


async def test_everything_is_looked_at_and_the_worst_comes_first() -> None:
    async def fails() -> list[Check]:
        raise Unavailable("away")

    doctor = Doctor(
        [
            await look("one", fine("one", "well"), warned("one", "so so", "try")),
            Examination("two", fails, "start it"),
            await look("three", broken("three", "gone", "mend it")),
        ]
    )

    diagnosis = await doctor.examine()

    assert diagnosis.status == "broken"
    assert [(check.name, check.status) for check in diagnosis.checks] == [
        ("two", "broken"),
        ("three", "broken"),
        ("one", "warning"),
        ("one", "ok"),
    ]
    assert (diagnosis.checks[0].found, diagnosis.checks[0].remedy) == ("no answer (Unavailable)", "start it")


async def test_what_was_found_is_remembered_for_a_few_seconds() -> None:
    looks: list[int] = []
    now = [0.0]

    async def once() -> list[Check]:
        looks.append(1)
        return [fine("one", "well")]

    doctor = Doctor([Examination("one", once, "")], clock=lambda: now[0])
    await asyncio.gather(doctor.examine(), doctor.examine())
    assert len(looks) == 1
    now[0] = 60
    await doctor.examine()
    assert len(looks) == 2


def found(checks: list[Check], name: str) -> list[tuple[str, str]]:
    return [(check.status, check.found) for check in checks if check.name == name]


async def examined(database: Database, prover: Prover, directory: Path, **environ: str) -> list[Check]:
    settings = load({"DATA_DIR": str(directory), **environ})
    return (await Doctor(installation(settings, database, [], prover)).examine()).checks


async def test_an_installation_that_works_is_well(database: Database, prover: Prover, tmp_path: Path) -> None:
    await prover.check()
    async with Heartbeat(database, "web", version="1") as heartbeat:
        await heartbeat.beat()
        checks = await examined(database, prover, tmp_path)

    assert {check.status for check in checks} <= {"ok"} | ({"broken"} if database.dialect == "postgresql" else set())
    assert found(checks, "processes") == [("ok", "1 web")]
    assert found(checks, "invariants")[0][0] == "ok"


async def test_what_is_wrong_inside_is_said_with_what_to_do(
    database: Database, prover: Prover, rows: Pipeline, tmp_path: Path
) -> None:
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    await rows.event(due_at=hour_ago)
    await rows.event(state="dead", reason="x")
    await prover.check()
    await SqlScheduleTable(database).define([Schedule(name="prune", every_seconds=60)])
    async with database.write() as connection:
        await connection.execute(sa.update(scheduled_jobs).values(last_error="OSError", next_run_at=hour_ago))

    checks = await examined(database, prover, tmp_path, WHATSAPP_APP_SECRT="x")

    assert found(checks, "settings")[0][0] == "warning"
    assert ("broken", "no web process was heard of for 30 seconds") in found(checks, "processes")
    assert {status for status, _ in found(checks, "schedules")} == {"warning", "broken"}
    assert ("warning", "1 dead webhook") in found(checks, "work")
    assert ("broken", "webhook_left_lying: 1 contradict it") in found(checks, "invariants")
    assert all(check.remedy for check in checks if check.status != "ok")


class World:
    """WhatsApp, the model providers and the clock, as the test wants them."""

    def __init__(self) -> None:
        self.channels: list[Channel] = [channel()]
        self.number: PhoneNumber | Exception = NUMBER
        self.attempt: dict[str, Any] = {"outcome": "answered", "milliseconds": 12}
        self.date = "Sat, 28 Nov 2026 03:00:00 GMT"
        self.routes: tuple[Any, ...] = (Route(),)

    async def all(self) -> list[Channel]:
        return self.channels

    async def phone_number(self, _: ChannelAccess) -> PhoneNumber:
        if isinstance(self.number, Exception):
            raise self.number
        return self.number

    async def request(self, *_: object, **__: object) -> HttpResponse:
        return HttpResponse(200, {"date": self.date}, b"")

    async def test(self, _: object) -> Attempt:
        return Attempt(route_id="1", provider="gemini", model="flash", **self.attempt)


class Route:
    class provider:  # noqa: N801 - as a route has it
        name = "gemini"
        answer = None

    model = "flash"
    is_enabled = True


def channel(**members: Any) -> Channel:
    given: dict[str, Any] = {
        "id": UUID(int=1),
        "kind": "cloud",
        "name": "Shop",
        "source": "panel",
        "phone_number_id": "100",
        "business_account_id": None,
        "messages_per_second": 80,
        "stopped_reason": None,
        "access": ChannelAccess(
            channel_id=UUID(int=1),
            graph_url="https://graph.example",
            api_version="v26.0",
            phone_number_id="100",
            token="token",
        ),
        "secrets": ChannelSecrets("token", ("secret",), "verify"),
    }
    return Channel(**(given | members))


async def looked_outside(database: Database, world: Any, url: str = "https://shop.example") -> list[Check]:
    return (await Doctor(surroundings(database, world, world, world, world, url)).examine()).checks


def now_as_date() -> str:
    return datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")


SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # only its clock is asked


@SQLITE
async def test_those_we_depend_on_are_well(database: Database) -> None:
    world = World()
    world.date = now_as_date()

    checks = await looked_outside(database, world)

    assert {(check.name, check.status) for check in checks} == {
        ("channel Shop", "ok"),
        ("clock", "ok"),
        ("model gemini", "ok"),
    }


REFUSED = CallRefused("Invalid OAuth token", 190, rule_for(190))


@SQLITE
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda world: world.channels.clear(), "there is no channel"),
        (lambda world: setattr(world, "channels", [channel(access=None, stopped_reason="no key")]), "no key"),
        (lambda world: setattr(world, "channels", [channel(stopped_reason="190")]), "stopped: 190"),
        (lambda world: setattr(world, "channels", [channel(secrets=ChannelSecrets("t"))]), "no app secret"),
        (lambda world: setattr(world, "number", REFUSED), "Invalid OAuth token"),
        (lambda world: setattr(world, "number", CallUnavailable("timeout")), "does not answer usably"),
        (lambda world: setattr(world, "date", "Sat, 28 Nov 2020 03:00:00 GMT"), "seconds ahead of that of WhatsApp"),
        (
            lambda world: setattr(world, "attempt", {"outcome": "failed", "kind": "auth", "message": "bad key"}),
            "flash: auth: bad key",
        ),
    ],
)
async def test_what_is_wrong_outside_is_said_with_what_to_do(
    database: Database, change: Callable[[World], None], says: str
) -> None:
    world = World()
    world.date = now_as_date()
    change(world)

    checks = await looked_outside(database, world)

    (wrong,) = [check for check in checks if check.status == "broken"]
    assert says in wrong.found
    assert wrong.remedy


@SQLITE
async def test_an_address_that_meta_cannot_reach_is_found(database: Database) -> None:
    world = World()
    world.date = now_as_date()

    checks = await looked_outside(database, world, "http://127.0.0.1:8003")

    assert found(checks, "webhook") == [("broken", "Meta cannot reach http://127.0.0.1:8003")]
