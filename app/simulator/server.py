"""The simulator as a process of its own: `mostrador simulator`."""

import socket
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.simulator.config import SimulatorConfig
from app.simulator.door import DROP_EXTENSION, SimulatorApp
from app.simulator.service import Simulator

__all__ = ["create_simulator_app", "serve", "server_config"]


class _DroppingProtocol(HttpToolsProtocol):
    """Lets the application cut its connection without an answer, as a lost network would."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        extensions: dict[str, Any] = {DROP_EXTENSION: self.transport.abort}
        self.scope["extensions"] = extensions


class _StoppingServer(uvicorn.Server):
    """Ends hanging answers and waiting phones first, so that a stop never waits for them."""

    def __init__(self, config: uvicorn.Config, simulator: Simulator) -> None:
        super().__init__(config)
        self._simulator = simulator

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._simulator.stopping.set()
        await super().shutdown(sockets)


def create_simulator_app(config: SimulatorConfig) -> SimulatorApp:
    """Return the ASGI application of a new simulator; its lifespan starts and stops it."""
    return SimulatorApp(Simulator(config))


def server_config(app: SimulatorApp, host: str = "127.0.0.1", port: int = 0) -> uvicorn.Config:
    """Return how the simulator is served: quiet, on the fast loop, stopping at once even while answers hang."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=_DroppingProtocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=2,
    )


def serve(config: SimulatorConfig, *, host: str = "127.0.0.1", port: int = 8004) -> None:
    """Serve a simulator until SIGINT or SIGTERM.

    Raises:
        ValueError: the ledger's folder is not one.

    """
    ledger = config.ledger_path
    if ledger is not None and ledger.is_dir():
        raise ValueError(f"the ledger must be a file, and {ledger} is a folder")
    resolved = config if ledger is None else msgspec.structs.replace(config, ledger_path=Path(ledger).absolute())
    app = create_simulator_app(resolved)
    _StoppingServer(server_config(app, host, port), app.simulator).run()
