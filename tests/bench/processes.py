"""Child processes that end with us, whatever ends us, and what the kernel says they used."""

import contextlib
import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TypeVar

import msgspec

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")

Said = TypeVar("Said")


class Child:
    """A running process of ours. `log` is where its output stands."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.process = process
        self.log = log
        self.started_at = time.monotonic()

    @property
    def pid(self) -> int:
        return self.process.pid

    def cpu_seconds(self) -> float:
        """CPU time of the process, all its threads, user and system."""
        return cpu_seconds(self.pid)

    def memory_mib(self) -> tuple[float, float]:
        """Return (RSS, PSS)."""
        found = {"Rss": 0.0, "Pss": 0.0}
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in found:
                found[name] = int(rest.split()[0]) / 1024
        return found["Rss"], found["Pss"]

    def fail(self, what: str) -> RuntimeError:
        said = self.log.read_text(errors="replace")[-3000:]
        return RuntimeError(f"{self.name} {what} (exit status {self.process.poll()}):\n{said}")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Helper(Child):
    """A child that answers one line of JSON on standard output for each line of JSON on standard input."""

    def ask(self, command: msgspec.Struct, kind: type[Said], *, within_seconds: float) -> Said:
        """Send a command and return its answer. Raises when none comes in time."""
        if self.process.stdin is None:
            raise self.fail("has no pipes")
        self.process.stdin.write(msgspec.json.encode(command) + b"\n")
        self.process.stdin.flush()
        return self.hear(kind, within_seconds=within_seconds)

    def hear(self, kind: type[Said], *, within_seconds: float) -> Said:
        """Return what the child says next. Raises when it says nothing in time."""
        if self.process.stdout is None:
            raise self.fail("has no pipes")
        readable, _, _ = select.select([self.process.stdout], [], [], within_seconds)
        line = self.process.stdout.readline() if readable else b""
        if not line:
            raise self.fail(f"said nothing within {within_seconds:.0f} s")
        return msgspec.json.decode(line, type=kind)


@contextlib.contextmanager
def child(
    name: str, command: Sequence[str | Path], log: Path, environ: Mapping[str, str] | None = None
) -> Iterator[Child]:
    """Run a command until the block ends."""
    with log.open("ab") as output:
        started = Child(name, _spawn(command, environ, stdout=output, stderr=output, stdin=subprocess.DEVNULL), log)
    try:
        yield started
    finally:
        started.stop()


@contextlib.contextmanager
def helper(name: str, module: str, log: Path, *arguments: str) -> Iterator[Helper]:
    """Run `python -m module` with pipes until the block ends."""
    with log.open("ab") as output:
        command = [sys.executable, "-m", module, *arguments]
        process = _spawn(command, None, stdout=subprocess.PIPE, stderr=output, stdin=subprocess.PIPE)
    started = Helper(name, process, log)
    try:
        yield started
    finally:
        started.stop()


def cpu_seconds(pid: int) -> float:
    """CPU time of a process in seconds; 0 for one that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND


def wait_for_200(port: int, path: str, server: Child) -> float:
    """Ask until the answer is 200 and return the time of that by the monotonic clock. Raises when it does not come."""
    deadline = time.monotonic() + START_SECONDS
    request = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n".encode()
    while time.monotonic() < deadline and server.process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(request)
            if connection.recv(64).startswith(b"HTTP/1.1 200"):
                return time.monotonic()
        time.sleep(0.01)
    raise server.fail("did not start")


def _spawn(
    command: Sequence[str | Path],
    environ: Mapping[str, str] | None,
    *,
    stdin: int,
    stdout: int | IO[bytes],
    stderr: int | IO[bytes],
) -> subprocess.Popen[bytes]:
    libc = ctypes.CDLL(None)
    inherited = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.Popen(  # noqa: S603 - programs of ours
        [str(part) for part in command],
        cwd=ROOT,
        env=dict(environ) if environ is not None else inherited,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,  # Ctrl-C is ours: we stop them in order
        preexec_fn=lambda: libc.prctl(1, signal.SIGKILL),  # noqa: PLW1509 - Linux: nobody outlives us, even killed
    )
