"""The seal around a test: no network but the loopback interface, no task left running.

Python's audit events (PEP 578) see every connection that goes through `socket`, whoever opens it, without patching
anything. A hook cannot be removed, so there is one for the process and it reports to the test that runs now.
"""

import asyncio
import contextlib
import ipaddress
import os
import socket
import sys
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

LOOPBACK_NAMES = frozenset({"", "localhost", "ip6-localhost"})
NAMES_THAT_NEVER_RESOLVE = ".invalid"  # RFC 6761 section 6.4; answered here, as some resolvers would ask the network


class NetworkIsSealed(OSError):
    """A test tried to leave the machine. An `OSError`, so that the code under test closes its socket as always."""


class NetworkSeal:
    """While a test is `watched`, connecting or resolving beyond loopback raises and is noted, in case it was caught.

    `also` names hosts outside that the person who runs the tests allowed (servers given by the environment).
    """

    def __init__(self, also: Iterable[str] = ()) -> None:
        self._hosts = LOOPBACK_NAMES | frozenset(also)
        self._addresses = frozenset(_addresses_of(also))
        self._attempts: list[str] | None = None
        sys.addaudithook(self._hook)

    @contextlib.contextmanager
    def watched(self) -> Iterator[list[str]]:
        """Yield the list that every refused attempt is added to."""
        self._attempts = []
        try:
            yield self._attempts
        finally:
            self._attempts = None

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._attempts is None or not event.startswith("socket."):
            return
        if event in {"socket.connect", "socket.sendto"}:
            self._check_address(arguments[1])
        elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
            self._check_name(arguments[0])

    def _check_address(self, address: object) -> None:
        # Internet addresses are tuples beginning with a host; Unix sockets have a path, which is on this machine.
        if isinstance(address, tuple) and address and isinstance(address[0], str):
            host = address[0]
            if host not in self._hosts and host not in self._addresses and not _is_loopback(host):
                self._refuse(f"connection to {host}")

    def _check_name(self, name: object) -> None:
        host = name.decode(errors="replace") if isinstance(name, bytes) else str(name or "")
        host = host.lower().rstrip(".")
        if host.endswith(NAMES_THAT_NEVER_RESOLVE):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if host not in self._hosts and not host.endswith(".localhost") and not _is_address(host):
            self._refuse(f"look-up of {host}")

    def _refuse(self, attempt: str) -> None:
        if self._attempts is not None:
            self._attempts.append(attempt)
        raise NetworkIsSealed(f"tests reach nothing but this machine: {attempt}")


def hosts_from_environment(*keys: str) -> list[str]:
    """Return the hosts of the URLs that the person who runs the tests named in these environment variables."""
    urls = (urlsplit(os.environ.get(key, "")) for key in keys)
    return [url.hostname for url in urls if url.hostname]


async def leftover_tasks() -> list[str]:
    """Return the names of tasks other than the caller's that still run in this loop, and cancel them.

    Tasks whose end is already decided get a few turns of the loop to reach it.
    """
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for _ in range(5):
        if not (others := {task for task in others if not task.done()}):
            return []
        await asyncio.sleep(0)
    for task in others:
        task.cancel()
    await asyncio.wait(others, timeout=5)
    return sorted(f"{task.get_name()}: {task.get_coro()}" for task in others)


def _addresses_of(hosts: Iterable[str]) -> Iterator[str]:
    for host in hosts:
        for *_, address in socket.getaddrinfo(host, None):
            yield str(address[0])


def _is_address(host: str) -> bool:
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host.partition("%")[0])
        return True
    return False


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    return False
