"""Mostrador as it runs in production: real processes with their own ports, data and logs, which never outlive the test.

Meta is the simulator in a process of its own; its ledger file is the judge, whatever happens to the product.
"""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, Self
from urllib.error import URLError
from urllib.request import urlopen

import msgspec

from tests.builders.whatsapp import ACCOUNT_ID, NUMBER_ID
from tests.servers import free_port

Role = Literal["serve", "jobs", "scheduler"]

START_SECONDS = 30.0
STOP_SECONDS = 30.0

APP_SECRET = "journeys-app-secret-0123456789abcdef"
VERIFY_TOKEN = "journeys-verify-token-0123456789"
ACCESS_TOKEN = "journeys-access-token-0123456789"
ADMIN_PASSWORD = "a journey of a thousand miles"
SECOND_NUMBER_ID = "106540352242999"  # Meta knows it, the settings do not

ROOT = Path(__file__).resolve().parents[2]
MOSTRADOR = Path(sys.executable).with_name("mostrador")
_LOG_TAIL_CHARACTERS = 6000


class Child:
    """`mostrador` with these arguments and nothing else of our environment. Its output is kept in `log`.

    The kernel ends it when the test process dies first.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        directory: Path,
        program: Sequence[str] = (str(MOSTRADOR),),
    ) -> None:
        self.name = name
        self.log = directory / f"{name}.log"
        self.environ = {"PATH": os.environ["PATH"], **environ}
        self._command = [*program, *arguments]
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - a program of ours
                self._command,
                cwd=self._directory,  # no .env lies here
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - no thread holds a lock that prctl needs
            )

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    def tell(self) -> None:
        """Tell a program of `tests.faults.armed` to read its file."""
        self.send(signal.SIGUSR1)
        time.sleep(0.05)  # it is told, not asked: there is no answer

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None, f"{self.name} was not started"
        self._process.send_signal(number)

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """Return the exit status; fails with `subprocess.TimeoutExpired`."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process.wait(seconds)

    def stop(self) -> int:
        """Ask it to stop, and return its exit status."""
        self.send(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.is_running:
            self.send(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def said(self) -> str:
        """Return the end of what it wrote."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return text[-_LOG_TAIL_CHARACTERS:]


class Meta(Child):
    """`mostrador simulator`. It survives what is done to the product."""

    def __init__(self, webhook_url: str, directory: Path) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.ledger = directory / "ledger.jsonl"
        options = {
            "port": self.url.rpartition(":")[2],
            "webhook": webhook_url,
            "app-secret": APP_SECRET,
            "access-token": ACCESS_TOKEN,
            "phone-id": NUMBER_ID,
            "ledger": str(self.ledger),
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        arguments += ["--phone-id", SECOND_NUMBER_ID]
        super().__init__("simulator", ["simulator", *arguments], {}, directory)

    def start(self) -> None:
        super().start()
        until_it_answers(self, f"{self.url}/control/numbers")


class Mostrador:
    """The product's processes over one database. Use as a context manager; it starts nothing by itself.

    Without `redis_url` the one process `serve` does everything; with it `roles` names those that run.
    """

    def __init__(
        self,
        directory: Path,
        *,
        database_url: str | None = None,
        redis_url: str | None = None,
        roles: Sequence[str] = ("serve",),
        environ: Mapping[str, str] | None = None,
        program: Sequence[str] = (str(MOSTRADOR),),
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._program = program
        self.directory = directory
        self.url = f"http://127.0.0.1:{free_port()}"
        self.webhook_url = f"{self.url}/webhooks/whatsapp"
        self.database_url = database_url or f"sqlite:///{directory / 'data' / 'mostrador.db'}"
        self.meta = Meta(self.webhook_url, directory)
        self.environ = {
            "DATA_DIR": str(directory / "data"),
            "DATABASE_URL": self.database_url,
            "PORT": self.url.rpartition(":")[2],
            "LOG_FORMAT": "json",
            "ADMIN_PASSWORD": ADMIN_PASSWORD,
            "RATE_LIMIT_API_REQUESTS": "1000000",  # one address asks for everything here
            "RATE_LIMIT_AUTH_REQUESTS": "1000000",
            "RATE_LIMIT_SYSTEM_REQUESTS": "1000000",
            "TURN_QUIET_SECONDS": "0",
            "SIMULATOR": "false",
            "WHATSAPP_APP_SECRET": APP_SECRET,
            "WHATSAPP_VERIFY_TOKEN": VERIFY_TOKEN,
            "WHATSAPP_CLOUD_TOKEN": ACCESS_TOKEN,
            "WHATSAPP_PHONE_ID": NUMBER_ID,
            "WHATSAPP_BUSINESS_ACCOUNT_ID": ACCOUNT_ID,
            "WHATSAPP_GRAPH_URL": self.meta.url,
            **({"REDIS_URL": redis_url} if redis_url else {}),
            **(environ or {}),
        }
        self.children = {role: self.child(role) for role in roles}

    def child(self, role: str, *, name: str | None = None, environ: Mapping[str, str] | None = None) -> Child:
        """Return a process of this installation that is not started yet. `role` may be numbered: `jobs-2`."""
        arguments = [role.partition("-")[0]]
        return Child(name or role, arguments, self.environ | dict(environ or {}), self.directory, self._program)

    @property
    def web(self) -> Child:
        return self.children["serve"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for child in (*self.children.values(), self.meta):
            child.kill()

    def start(self) -> Self:
        """Start Meta and every process, and wait until webhooks are welcome."""
        self.meta.start()
        for child in self.children.values():
            child.start()
        self.until_ready()
        return self

    def until_ready(self) -> None:
        until_it_answers(self.web, f"{self.url}/readyz")

    def restart(self, role: str) -> None:
        """Start a process that has ended. Nobody waits until it is ready."""
        self.children[role].start()

    def said(self) -> str:
        """Return the ends of all logs, for whoever has to find out why a test failed."""
        return "\n".join(f"--- {child.name}\n{child.said()}" for child in (*self.children.values(), self.meta))


@contextlib.contextmanager
def shown_on_failure(house: Mostrador) -> Iterator[Mostrador]:
    """Add the processes' logs to whatever failure leaves this block."""
    try:
        yield house
    except BaseException as error:
        error.add_note(house.said())
        raise


def until_it_answers(child: Child, url: str, within_seconds: float = START_SECONDS) -> None:
    """Return when `url` answers 200. Fails with what the process said when it ends first or takes too long."""
    deadline = time.monotonic() + within_seconds
    while not _answers(url):
        if not child.is_running or time.monotonic() > deadline:
            status = child.wait(0) if not child.is_running else "none, it still runs"
            raise AssertionError(f"{child.name} did not start (exit status {status}):\n{child.said()}")
        time.sleep(0.02)


def logged(child: Child) -> list[dict[str, object]]:
    """Return the JSON lines of its log; other output is left out."""
    lines = []
    for line in child.log.read_bytes().splitlines():
        with contextlib.suppress(msgspec.DecodeError):
            lines.append(msgspec.json.decode(line, type=dict[str, object]))
    return lines


def _answers(url: str) -> bool:
    with contextlib.suppress(URLError, OSError), urlopen(url, timeout=2) as answer:  # noqa: S310 - an address of ours
        return bool(answer.status == 200)
    return False


def is_listening(url: str) -> bool:
    """Say whether somebody takes connections there."""
    host, _, port = url.removeprefix("http://").partition(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
        return True
    return False


def _die_with_parent() -> None:
    if _LIBC is not None:
        _LIBC.prctl(1, int(signal.SIGKILL))  # PR_SET_PDEATHSIG


_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded here: a forked child should not load libraries
