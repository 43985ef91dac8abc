"""Installations that the journeys share, one for each form, and the people in them."""

import os
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import ExitStack

import pytest

from app.core.http_client import HttpClient
from tests.builders.journeys import Journey
from tests.databases import PostgresDatabases
from tests.fakes.model_server import ModelServer
from tests.faults.processes import Mostrador
from tests.journeys.model import environ, running_model
from tests.servers import RedisServer, ServerUnavailable

StartHouse = Callable[..., Mostrador]

_HOUSES = pytest.StashKey[list[Mostrador]]()
_GROUP = pytest.mark.xdist_group
SQLITE = pytest.param("sqlite", marks=_GROUP("journeys-sqlite"))
POSTGRESQL = pytest.param("postgresql", marks=[_GROUP("journeys-postgresql"), pytest.mark.postgres])
POSTGRESQL_REDIS = pytest.param(
    "postgresql_redis", marks=[_GROUP("journeys-postgresql"), pytest.mark.postgres, pytest.mark.redis]
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give the tests of one installation to one process.

    xdist (3.8) does this by changing the ids of grouped tests, in a place where pytest (9.2) does not look any more.
    """
    if not getattr(config.option, "loadgroup", False):
        return
    for item in items:
        group = item.get_closest_marker("xdist_group")
        if group is not None and not item.nodeid.endswith(f"@{group.args[0]}"):
            item._id = type(item._id).parse(f"{item.nodeid}@{group.args[0]}")


@pytest.fixture(scope="session")
def _model() -> Iterator[ModelServer]:
    with running_model() as model:
        yield model


@pytest.fixture(scope="session")
def sqlite_house(_model: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mostrador]:
    """One process, nothing beside it."""
    with Mostrador(tmp_path_factory.mktemp("sqlite"), environ=environ(_model)) as house:
        yield house.start()
        stops_well(house)


@pytest.fixture(scope="session")
def postgresql_house(
    _model: ModelServer, tmp_path_factory: pytest.TempPathFactory, postgres_template: PostgresDatabases
) -> Iterator[Mostrador]:
    """One process on PostgreSQL."""
    directory = tmp_path_factory.mktemp("postgresql")
    with postgres_template.fresh() as url, Mostrador(directory, database_url=url, environ=environ(_model)) as house:
        yield house.start()
        stops_well(house)


@pytest.fixture(scope="session")
def postgresql_redis_house(
    _model: ModelServer,
    tmp_path_factory: pytest.TempPathFactory,
    postgres_template: PostgresDatabases,
    redis_of_our_own: str,
) -> Iterator[Mostrador]:
    """Web, jobs and scheduler apart, on PostgreSQL and Redis."""
    with postgres_template.fresh() as url:
        house = Mostrador(
            tmp_path_factory.mktemp("postgresql-redis"),
            database_url=url,
            redis_url=redis_of_our_own,
            roles=("serve", "jobs", "scheduler"),
            environ=environ(_model),
        )
        with house:
            yield house.start()
            stops_well(house)


@pytest.fixture(scope="session")
def redis_of_our_own(request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a Redis that no other test empties, unless one was named to be used."""
    if os.environ.get("TEST_REDIS_URL"):
        yield request.getfixturevalue("redis_server")
        return
    try:
        server = RedisServer()
    except ServerUnavailable as reason:
        pytest.skip(str(reason))
    server.start()
    yield f"{server.url}/0"
    server.stop()


@pytest.fixture(params=[SQLITE, POSTGRESQL_REDIS])
def house(request: pytest.FixtureRequest) -> Mostrador:
    """A running installation that other tests use too."""
    found: Mostrador = request.getfixturevalue(f"{request.param}_house")
    return found


@pytest.fixture
async def journey(house: Mostrador) -> AsyncIterator[Journey]:
    http = HttpClient()
    journey = Journey(house, http)
    yield journey
    await journey.faults()
    await http.aclose()


@pytest.fixture
def model(_model: ModelServer) -> Iterator[ModelServer]:
    """The model that every installation asks; it echoes what was said last."""
    yield _model
    _model.script.clear()
    _model.latency_seconds = 0


@pytest.fixture
def start_house(
    _model: ModelServer, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[StartHouse]:
    """Give a function that makes an installation of the test's own, which is not started yet."""
    with ExitStack() as stack:

        def start(**options: object) -> Mostrador:
            given = options.pop("environ", {})
            assert isinstance(given, dict)
            house = Mostrador(tmp_path_factory.mktemp("own"), environ=environ(_model) | given, **options)  # type: ignore[arg-type]  # passed on as it came
            request.node.stash.setdefault(_HOUSES, []).append(house)
            return stack.enter_context(house)

        yield start


def stops_well(house: Mostrador) -> None:
    """Ask every process to stop; each must end by itself with status 0."""
    running = [child for child in house.children.values() if child.is_running]
    statuses = {child.name: child.stop() for child in running}
    assert set(statuses.values()) <= {0}, f"{statuses}\n{house.said()}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the processes wrote under a test that failed."""
    report = yield
    if report.failed:
        shared = getattr(item, "funcargs", {}).get("house")
        for house in [*item.stash.get(_HOUSES, []), shared]:
            if isinstance(house, Mostrador):
                report.sections.append(("processes", house.said()))
    return report
