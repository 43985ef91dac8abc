"""What fault tests share: servers of their own, which may be broken."""

from collections.abc import Iterator

import pytest

from tests.databases import PostgresDatabases
from tests.servers import DURABLE, PostgresServer, RedisServer, ServerUnavailable


@pytest.fixture
def redis_of_our_own(private_redis: RedisServer) -> str:
    """URL of a Redis that no other test empties."""
    return f"{private_redis.url}/0"


@pytest.fixture
def durable_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL that keeps what it commits, and that the test may crash."""
    try:
        server = PostgresServer(DURABLE)
    except ServerUnavailable as reason:
        pytest.skip(str(reason))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def durable_url(durable_postgres: PostgresServer) -> Iterator[str]:
    """URL of an empty database on it."""
    with PostgresDatabases(durable_postgres.url).fresh() as url:
        yield url
