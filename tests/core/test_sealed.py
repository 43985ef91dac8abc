import asyncio
import socket
from collections.abc import Callable

import pytest

from tests.sealed import NetworkIsSealed, NetworkSeal, leftover_tasks

BEYOND = "192.0.2.1"  # RFC 5737: for documentation, never assigned


def connect(host: str) -> Callable[[], None]:
    return lambda: socket.create_connection((host, 9), timeout=5).close()


def send(host: str) -> Callable[[], None]:
    def attempt() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            datagrams.sendto(b"x", (host, 9))

    return attempt


# The attempts are the seal's own, so the test is watched by a second one instead of the suite's.
@pytest.fixture
def sealed_network() -> None:
    return None


@pytest.fixture(scope="module")
def seal() -> NetworkSeal:
    return NetworkSeal()


@pytest.mark.parametrize("attempt", [connect(BEYOND), connect("example.com"), send(BEYOND)])
def test_leaving_the_machine_is_refused_and_noted(seal: NetworkSeal, attempt: Callable[[], None]) -> None:
    with seal.watched() as attempts, pytest.raises(NetworkIsSealed):
        attempt()

    assert len(attempts) == 1


async def test_asyncio_cannot_leave_the_machine_either(seal: NetworkSeal) -> None:
    with seal.watched() as attempts, pytest.raises(NetworkIsSealed):
        await asyncio.open_connection(BEYOND, 9)

    assert attempts == [f"connection to {BEYOND}"]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost"])
def test_the_loopback_interface_is_open(seal: NetworkSeal, host: str) -> None:
    with seal.watched() as attempts, socket.create_server(("127.0.0.1", 0)), pytest.raises(ConnectionRefusedError):
        connect(host)()

    assert attempts == []


def test_names_reserved_for_failing_fail_without_asking_anybody(seal: NetworkSeal) -> None:
    with seal.watched() as attempts, pytest.raises(socket.gaierror):
        connect("nobody.invalid")()

    assert attempts == []


async def test_a_task_left_running_is_named() -> None:
    task = asyncio.create_task(asyncio.Event().wait(), name="forgotten")

    (left,) = await leftover_tasks()

    assert left.startswith("forgotten: ")
    assert task.cancelled()


async def test_a_task_that_is_about_to_end_is_not_left_over() -> None:
    async def end_soon() -> None:
        await asyncio.sleep(0)

    task = asyncio.create_task(end_soon())

    assert await leftover_tasks() == []
    assert task.done()
