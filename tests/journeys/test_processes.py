"""Starting, stopping and talking to the real thing."""

import asyncio
import signal
from asyncio import to_thread
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.outbound.models import outbound_messages
from tests.builders.journeys import eventually, travelling
from tests.databases import PostgresDatabases
from tests.fakes.model_server import ModelServer
from tests.faults.processes import MOSTRADOR, Child, Mostrador, logged, until_it_answers
from tests.journeys.conftest import SQLITE, StartHouse
from tests.journeys.test_people import counted
from tests.servers import free_port

PROMISED_SECONDS = 25.0


@pytest.mark.parametrize(
    "form", ["sqlite", pytest.param("postgresql_redis", marks=[pytest.mark.postgres, pytest.mark.redis])]
)
async def test_a_stop_while_answering_ends_well_and_loses_nothing(
    form: str,
    request: pytest.FixtureRequest,
    postgres_template: PostgresDatabases,
    start_house: StartHouse,
    model: ModelServer,
) -> None:
    with postgres_template.fresh() as url:
        if form == "sqlite":
            house = start_house()
        else:
            redis_url = request.getfixturevalue("redis_of_our_own")
            house = start_house(database_url=url, redis_url=redis_url, roles=("serve", "jobs"))
        house.start()
        async with travelling(house) as journey:
            people = [journey.customer() for _ in range(10)]
            model.latency_seconds = 0.7
            asked = model.count
            await journey.faults({"kind": "slow", "seconds": 0.5, "probability": 0.5})
            for person in people:
                await person.writes("¿me oye?")
            await eventually(partial(counted, model), lambda count: count > asked)

            children = list(house.children.values())
            for child in children:
                child.send(signal.SIGTERM)
            statuses = [await to_thread(child.wait, PROMISED_SECONDS) for child in children]

            assert statuses == [0] * len(children)
            o = outbound_messages.c
            assert await journey.rows(sa.select(o.id).where(o.state.in_(("unknown", "processing")))) == []
            model.latency_seconds = 0
            for role in house.children:
                house.restart(role)
            await to_thread(house.until_ready)
            for person in people:
                await person.gets("echo: ¿me oye?")
                await person.delivery_is(state="sent", tick="read")
        for child in house.children.values():
            child.kill()


@pytest.mark.parametrize("house", [SQLITE], indirect=True)
async def test_a_second_process_on_the_same_sqlite_file_is_told_what_to_do(house: Mostrador) -> None:
    second = house.child("serve", name="second", environ={"PORT": str(free_port())})

    second.start()

    assert await to_thread(second.wait) == 2
    assert "DATABASE_URL" in second.said()
    assert str(Path(house.database_url.removeprefix("sqlite:///"))) in second.said()


@pytest.mark.parametrize("house", [SQLITE], indirect=True)
async def test_a_port_in_use_is_said_before_anything_is_opened(house: Mostrador) -> None:
    second = house.child("serve", name="second", environ={"DATABASE_URL": f"sqlite:///{house.directory}/other.db"})

    second.start()

    assert await to_thread(second.wait) != 0
    assert not (house.directory / "other.db").exists()


@pytest.mark.postgres
async def test_processes_that_start_together_on_an_empty_database_migrate_it_once(
    postgres_template: PostgresDatabases, redis_of_our_own: str, start_house: StartHouse
) -> None:
    with postgres_template.fresh() as url:
        house = start_house(database_url=url, redis_url=redis_of_our_own, roles=("serve", "jobs", "scheduler"))
        house.meta.start()
        others = [house.child("serve", name=f"web-{n}", environ={"PORT": str(free_port())}) for n in range(2)]
        everybody = [*house.children.values(), *others]
        for child in everybody:
            child.start()
        try:
            await to_thread(house.until_ready)
            for child in others:
                await to_thread(until_it_answers, child, f"http://127.0.0.1:{child.environ['PORT']}/readyz")
            await eventually(partial(started, [house.children["jobs"], house.children["scheduler"]]))
            assert [await count(child, "database.migrated") for child in everybody].count(1) == 1
            assert sum([await count(child, "database.migrated") for child in everybody]) == 1
            assert [await to_thread(child.stop) for child in everybody] == [0] * len(everybody)
        finally:
            for child in everybody:
                child.kill()


async def test_redis_beside_sqlite_is_refused_with_what_to_write_instead(tmp_path: Path) -> None:
    web = Child("serve", ["serve"], {"DATA_DIR": "data", "REDIS_URL": "redis://127.0.0.1:1"}, tmp_path)

    web.start()

    assert await to_thread(web.wait) == 2
    assert "REDIS_URL" in web.said()
    assert "postgresql://" in web.said()


async def test_with_nothing_configured_somebody_at_a_terminal_is_answered(tmp_path: Path) -> None:
    port = free_port()
    web = Child("serve", ["serve"], {"DATA_DIR": "data", "PORT": str(port), "TURN_QUIET_SECONDS": "0"}, tmp_path)
    web.start()
    try:
        await to_thread(until_it_answers, web, f"http://127.0.0.1:{port}/readyz")
        assert "password" in web.said()

        said = await talk(tmp_path, port, "¿A qué hora abren?\n¿Dónde están?\n/quit\n")
    finally:
        status = await to_thread(web.stop)
        web.kill()

    assert "✓✓" in said
    assert said.count("< ") >= 2
    assert "no answer" not in said
    assert status == 0


async def test_chat_without_a_server_says_what_to_start(tmp_path: Path) -> None:
    assert "make run" in await talk(tmp_path, free_port(), "hola\n", status=1)


async def talk(directory: Path, port: int, lines: str, *, status: int = 0) -> str:
    """Return what `mostrador chat` says to somebody who types these lines."""
    chat = await asyncio.create_subprocess_exec(
        str(MOSTRADOR),
        "chat",
        "--url",
        f"http://127.0.0.1:{port}/simulator",
        cwd=directory,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        output, _ = await chat.communicate(lines.encode())
    assert chat.returncode == status, output.decode()
    return output.decode()


async def started(children: list[Child]) -> bool:
    return all([await count(child, "process.started") for child in children])


async def count(child: Child, event: str) -> int:
    return [line.get("event") for line in logged(child)].count(event)
