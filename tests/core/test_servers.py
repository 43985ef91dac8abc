import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
import redis

from tests.databases import PostgresDatabases
from tests.servers import RedisServer, shared_server

USER = """
import sys
from pathlib import Path
from tests.servers import shared_server

with shared_server(sys.argv[1], Path(sys.argv[2])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


def user(kind: str, directory: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-c", USER, kind, str(directory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


@pytest.mark.kill
@pytest.mark.redis
def test_a_shared_server_is_one_and_goes_when_its_last_user_was_killed(tmp_path: Path) -> None:
    first, url = user("redis", tmp_path)
    second, same_url = user("redis", tmp_path)
    assert url == same_url

    for process in (first, second):
        assert accepts_connections(url)
        process.send_signal(signal.SIGKILL)
        process.communicate()

    assert gone_within(10, url)


@pytest.mark.redis
def test_a_shared_server_goes_when_its_last_user_has_left(tmp_path: Path) -> None:
    with shared_server("redis", tmp_path) as url:
        assert accepts_connections(url)

    assert gone_within(10, url)


def test_a_redis_of_ones_own_can_be_stopped_and_started(private_redis: RedisServer) -> None:
    private_redis.stop()
    assert not accepts_connections(private_redis.url)

    private_redis.start()
    assert accepts_connections(private_redis.url)


async def test_a_copy_of_a_template_has_what_was_built_and_nothing_more(postgres_template: PostgresDatabases) -> None:
    async def build(url: str) -> None:
        await execute(url, "CREATE TABLE built (id int)")

    template = postgres_template.template("test-servers", build)
    with postgres_template.fresh(template) as url:
        await execute(url, "INSERT INTO built VALUES (1)")

    with postgres_template.fresh(postgres_template.template("test-servers", build)) as url:
        assert await execute(url, "SELECT * FROM built") == "SELECT 0"


async def test_a_fresh_database_is_empty(postgres_url: str) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        await execute(postgres_url, "SELECT * FROM built")


def test_a_fresh_redis_is_empty(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0


async def execute(url: str, statement: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        tag: str = await connection.execute(statement)
        return tag
    finally:
        await connection.close()


def accepts_connections(url: str) -> bool:
    try:
        socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=5).close()
    except ConnectionError:
        return False
    return True


def gone_within(seconds: float, url: str) -> bool:
    deadline = time.monotonic() + seconds
    while accepts_connections(url):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
