"""The product as it is run: real processes with an environment and a data directory, and channels to be written to."""

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from app.core.db import Database
from app.core.security.cipher import Cipher
from app.whatsapp.channels import Channels, ChannelSecrets, NewChannel
from settings import load
from tests.bench.bodies import APP_SECRET
from tests.bench.processes import Child, child, wait_for_200
from tests.servers import free_port

NUMBER_IDS = [f"1065403522{number:05d}" for number in range(20)]
_BIN = Path(sys.executable).parent


class Installation:
    """One database, one data directory, one port."""

    def __init__(
        self, directory: Path, *, database_url: str, redis_url: str | None, graph_port: int, model_url: str
    ) -> None:
        self.directory = directory
        self.database_url = database_url
        self.port = free_port()
        self._graph_url = f"http://127.0.0.1:{graph_port}"
        self.environ = {
            "PATH": "/usr/bin:/bin",
            "DATA_DIR": str(directory / "data"),
            "DATABASE_URL": database_url,
            "PORT": str(self.port),
            "SIMULATOR": "false",
            "RATE_LIMIT_WEBHOOK_PER_SECOND": "1000000",
            "LOG_LEVEL": "warning",
            "LOG_FORMAT": "json",
            "WHATSAPP_APP_SECRET": APP_SECRET,
            "TURN_QUIET_SECONDS": "0",
            "COMPATIBLE_BASE_URL": f"{model_url}/v1",
            "COMPATIBLE_MODEL": "bench",
            "AI_FALLBACK_ORDER": "compatible",
        }
        if redis_url is not None:
            self.environ["REDIS_URL"] = redis_url

    @property
    def separate_jobs(self) -> bool:
        return "REDIS_URL" in self.environ

    @contextlib.contextmanager
    def web(self, *, sampled: Path | None = None) -> Iterator[tuple[Child, float]]:
        """Run `mostrador serve`; give it and the seconds it took to be ready."""
        with self._timed("web", self._command("serve", sampled)) as started:
            yield started

    @contextlib.contextmanager
    def bare_door(self) -> Iterator[Child]:
        with self._timed("bare door", [sys.executable, "-m", "tests.bench.bare_door"]) as (server, _):
            yield server

    @contextlib.contextmanager
    def jobs(self, *, sampled: Path | None = None) -> Iterator[Child]:
        """Run `mostrador jobs`; it is ready when it does work, which nobody but its work can tell."""
        with child("jobs", self._command("jobs", sampled), self.directory / "jobs.log", self.environ) as started:
            yield started

    def add_channels(self) -> None:
        """Make the numbers known, with a throughput that never holds a message back. The web process is stopped."""
        asyncio.run(self._add_channels())

    async def _add_channels(self) -> None:
        settings = load(self.environ)
        cipher = Cipher([key.reveal() for key in settings.security.fernet_keys])
        async with Database(self.database_url) as database:
            channels = Channels(database, cipher)
            for number_id in NUMBER_IDS:
                await channels.add(
                    NewChannel(
                        name=f"Number {number_id[-5:]}",
                        phone_number_id=number_id,
                        graph_url=self._graph_url,
                        api_version="v26.0",
                        secrets=ChannelSecrets("bench-token"),
                        messages_per_second=1000,
                    )
                )

    def _command(self, verb: str, sampled: Path | None) -> list[str | Path]:
        if sampled is None:
            return [_BIN / "mostrador", verb]
        return [sys.executable, "-m", "tests.bench.sampled", sampled, verb]

    @contextlib.contextmanager
    def _timed(self, name: str, command: list[str | Path]) -> Iterator[tuple[Child, float]]:
        with child(name, command, self.directory / f"{name}.log", self.environ) as started:
            yield started, wait_for_200(self.port, "/readyz", started) - started.started_at
