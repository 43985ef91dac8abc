"""The web server around the application: where it listens, how it stops, what it says when it starts."""


from types import FrameType

import click
import uvicorn

from app.asgi import create_app
from app.core.log import configure_logging
from app.plugins import Parts
from settings import Settings

_STOP_SECONDS = 20  # for requests under way; the parts take the rest of the promised 25


class _Server(uvicorn.Server):
    """Stops being ready the moment it is asked to stop, while requests under way are still served."""

    def __init__(self, config: uvicorn.Config, parts: Parts) -> None:
        super().__init__(config)
        self._parts = parts

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._parts.draining.begin()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: object = None) -> None:
        await super().startup(sockets)  # type: ignore[arg-type]  # uvicorn names the type privately
        if self.started:
            _greet(self._parts.settings)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Exits with status 3 when the start fails, as uvicorn does."""
    configure_logging(log_format=settings.server.log_format, level=settings.server.log_level.upper())
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.server.host,
        port=settings.server.port,
        http="httptools",
        ws="websockets-sansio",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=bool(settings.server.trusted_proxies),
        forwarded_allow_ips=list(settings.server.trusted_proxies),
        timeout_graceful_shutdown=_STOP_SECONDS,
        ws_max_size=64 * 1024,
    )
    server = _Server(config, app.state.parts)
    server.run()
    if not server.started:
        raise SystemExit(3)


def _greet(settings: Settings) -> None:
    """Tell whoever started it at a terminal what to do next."""
    server, security = settings.server, settings.security
    click.echo(f"\nMostrador listens on {server.public_url}")
    if security.admin_password_generated:
        password_file = settings.storage.data_dir / "secrets" / "admin_password"
        click.echo(f"  Sign in as {security.admin_username} with the password {security.admin_password.reveal()}")
        click.echo(f"  It is shown this once, and stands in {password_file}.")
    if settings.whatsapp.simulator:
        click.echo("  Talk to the bot: open a second terminal here and say  .venv/bin/mostrador chat")
    click.echo(f"  API document: {server.public_url}/schema/openapi.json   Stop: Ctrl-C\n")


__all__ = ["serve"]
