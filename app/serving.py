"""The web server around the application: where it listens, how it stops, what it says when it starts."""

import asyncio
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click
import uvicorn
import uvloop

from app.asgi import create_app
from app.core.log import configure_logging
from app.core.parts import Part, running
from app.core.signals import stop_on_signals
from app.plugins import Parts
from settings import Settings

_REQUEST_SECONDS = 10  # for requests under way when we are asked to stop; the parts take the rest of the promised 25


class _Server(uvicorn.Server):
    """Leaves the signals to us: uvicorn would raise them again at the end, and the exit status would not be 0."""

    def __init__(self, config: uvicorn.Config, settings: Settings) -> None:
        super().__init__(config)
        self._settings = settings

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            _greet(self._settings)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(settings: Settings, *, beside: Callable[[Parts], Sequence[Part]] = lambda _: ()) -> None:
    """Serve until SIGTERM or SIGINT, and stop in order within 25 seconds.

    `beside` gives further parts that run inside this process.

    Raises `MostradorError` when the start fails for a reason the operator can mend, and `OSError` when the address
    cannot be used.
    """
    configure_logging(log_format=settings.server.log_format, level=settings.server.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, beside))


async def _serve(settings: Settings, beside: Callable[[Parts], Sequence[Part]]) -> None:
    parts = Parts(settings, "web")
    config = _config(settings, parts)
    listener = config.bind_socket()  # before anything is opened: an address in use is the most common mistake
    server = _Server(config, settings)
    with stop_on_signals() as stop:
        async with parts.running(), running(beside(parts)):
            serving = asyncio.create_task(server.serve(sockets=[listener]), name="web-server")
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
            parts.draining.begin()
            if parts.simulator is not None:
                parts.simulator.stopping.set()  # or its long polls would hold the stop up
            server.should_exit = True
            await serving
            stopping.cancel()


def _config(settings: Settings, parts: Parts) -> uvicorn.Config:
    server = settings.server
    return uvicorn.Config(
        create_app(parts),
        host=server.host,
        port=server.port,
        http="httptools",
        ws="websockets-sansio",
        lifespan="off",  # the parts outlive the server: what it took in shall still be finished
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # app.core.security.client_address reads them, for every server alike
        timeout_graceful_shutdown=_REQUEST_SECONDS,
        ws_max_size=64 * 1024,
    )


def _greet(settings: Settings) -> None:
    """Tell whoever started it at a terminal what to do next."""
    server, security = settings.server, settings.security
    lines = ["", f"Mostrador listens on {server.public_url} (open it in a browser)"]
    if security.admin_password_generated:
        password_file = settings.storage.data_dir / "secrets" / "admin_password"
        lines += [
            f"  Sign in as {security.admin_username} with the password {security.admin_password.reveal()}",
            f"  It is shown this once, and stands in {password_file}",
        ]
    if settings.whatsapp.simulator:
        lines.append("  Talk to the bot: in a second terminal, say  .venv/bin/mostrador chat")
    lines += [f"  API document: {server.public_url}/schema/openapi.json", "  Stop: Ctrl-C", ""]
    click.echo("\n".join(lines))
