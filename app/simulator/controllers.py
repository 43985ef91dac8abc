"""The simulator inside the web process."""

from collections.abc import Sequence

from litestar.handlers import ASGIRouteHandler, asgi
from litestar.types import Guard, Receive, Scope, Send

from app.simulator.door import SimulatorApp
from app.simulator.service import Simulator

__all__ = ["mount_simulator"]


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
