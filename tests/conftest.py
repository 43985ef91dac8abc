"""What every test gets: real servers on demand, a sealed network, no task left behind.

`TEST_DATABASE_URL` and `TEST_REDIS_URL` name servers to use; without them wheels bring their own (`tests/servers.py`),
reached by TCP on the loopback interface. Where no such server can be had, the tests that need it are skipped.
"""

import contextlib
import inspect
import os
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import hypothesis
import pytest
import redis

from tests.databases import PostgresDatabases
from tests.sealed import NetworkSeal, hosts_from_environment, leftover_tasks
from tests.servers import RedisServer, ServerUnavailable, shared_server

# The machine is shared, so how long an example took says nothing; what matters is that it can be repeated.
hypothesis.settings.register_profile("mostrador", deadline=None, print_blob=True)
hypothesis.settings.load_profile("mostrador")

SERVER_FIXTURES = {"postgres": {"postgres_server"}, "redis": {"redis_server", "private_redis"}}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        used = set(getattr(item, "fixturenames", ()))
        for marker, fixtures in SERVER_FIXTURES.items():
            if used & fixtures:
                item.add_marker(marker)


@pytest.fixture(scope="session")
def postgres_server(worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of an administrator's database on the one PostgreSQL server of this run."""
    with contextlib.ExitStack() as stack:
        if named := os.environ.get("TEST_DATABASE_URL"):
            yield named
            return
        base = tmp_path_factory.getbasetemp()
        shared = base if worker_id == "master" else base.parent  # xdist gives each of its processes a folder in there
        try:
            url = stack.enter_context(shared_server("postgres", shared / "postgres-server"))
        except ServerUnavailable as reason:
            pytest.skip(str(reason))
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[PostgresDatabases]:
    """Databases that may be copies of a template: `.template(name, build)` once, then `with .fresh(name) as url`."""
    databases = PostgresDatabases(postgres_server)
    yield databases
    databases.drop_templates()


@pytest.fixture
def postgres_url(postgres_template: PostgresDatabases) -> Iterator[str]:
    """URL of an empty database of the test's own, `postgresql://user@host:port/name`."""
    with postgres_template.fresh() as url:
        yield url


@pytest.fixture(scope="session")
def redis_server(worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a Redis database that only this test process uses.

    Each process has a server of its own, because publish and subscribe know no databases. On a server named by
    `TEST_REDIS_URL` each process gets the database numbered like it.
    """
    with contextlib.ExitStack() as stack:
        if named := os.environ.get("TEST_REDIS_URL"):
            number = int(worker_id.removeprefix("gw")) if worker_id.startswith("gw") else 0
            yield urlsplit(named)._replace(path=f"/{number}").geturl()
            return
        try:
            url = stack.enter_context(shared_server("redis", tmp_path_factory.getbasetemp() / "redis-server"))
        except ServerUnavailable as reason:
            pytest.skip(str(reason))
        yield f"{url}/0"


@pytest.fixture
def redis_url(redis_server: str) -> Iterator[str]:
    """URL of an empty Redis database, emptied again afterwards."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushdb()
        yield redis_server
        client.flushdb()


@pytest.fixture
def private_redis() -> Iterator[RedisServer]:
    """A running Redis server that the test may stop, start again, pause and resume."""
    try:
        server = RedisServer()
    except ServerUnavailable as reason:
        pytest.skip(str(reason))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def _network() -> NetworkSeal:
    return NetworkSeal(also=hosts_from_environment("TEST_DATABASE_URL", "TEST_REDIS_URL"))


@pytest.fixture(autouse=True)
def sealed_network(_network: NetworkSeal) -> Iterator[None]:
    """Fail the test that tries to reach another machine, also when the code under test swallowed the refusal."""
    with _network.watched() as attempts:
        yield
    if attempts:
        pytest.fail(f"the test tried to leave this machine: {', '.join(attempts)}")


@pytest.fixture(autouse=True)
def no_leftover_tasks(request: pytest.FixtureRequest) -> None:
    """Fail the asynchronous test that ends, its fixtures included, while tasks it started still run."""
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("_watched_tasks")


@pytest.fixture
async def _watched_tasks() -> AsyncIterator[None]:
    yield
    if left := await leftover_tasks():
        pytest.fail("tasks were left running:\n" + "\n".join(left))
