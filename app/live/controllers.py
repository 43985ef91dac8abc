"""The live channel over HTTP: `GET /api/live` as a WebSocket."""

from litestar import websocket
from litestar.di import NamedDependency

from app.live.door import LiveDoor, Socket


@websocket("/api/live")
async def live(socket: Socket, live_door: NamedDependency[LiveDoor]) -> None:
    """Serve one client; `app.live.schemas` documents the messages."""
    await live_door.serve(socket)
