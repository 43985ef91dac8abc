"""The simulator inside the web process."""

import ipaddress
from collections.abc import Sequence
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import ASGIRouteHandler, BaseRouteHandler, asgi
from litestar.types import Guard, Receive, Scope, Send

from app.core.security.guards import NotAllowed
from app.simulator.door import SimulatorApp
from app.simulator.service import Simulator

__all__ = ["control_from_here_only", "mount_simulator"]


def mount_simulator(
    simulator: Simulator, *, path: str = "/simulator", guards: Sequence[Guard] = ()
) -> ASGIRouteHandler:
    """Return a route handler with everything of the simulator under `path`: `/graph/...` and `/control/...`.

    `guards` stand before all of it, the Graph endpoints included. Whoever mounts it also enters
    `simulator.running()` in the application's lifespan.
    """
    app = SimulatorApp(simulator)

    @asgi(path, is_mount=True, copy_scope=True, guards=list(guards), name="simulator")
    async def simulator_door(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)  # type: ignore[arg-type]  # Litestar's scope is the same dictionary, typed

    return simulator_door


def control_from_here_only(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Guard: `/control/...` asks for no credential, so it is only for programs on this very machine.

    The panel has a door of its own behind its sign-in, and Graph's endpoints ask for a token.
    """
    parts = [part for part in connection.scope["path"].split("/") if part]
    if "control" in parts[:2] and not _is_from_here(connection):
        raise NotAllowed("the simulator's control API is for programs on its own machine; the panel has /api/simulator")


def _is_from_here(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    if connection.client is None or "x-forwarded-for" in connection.headers or "forwarded" in connection.headers:
        return False
    try:
        return ipaddress.ip_address(connection.client.host).is_loopback
    except ValueError:
        return False
