"""Who may come in to the live channel, and the WebSocket that carries it."""

from typing import Any
from urllib.parse import urlsplit

from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect, WebSocketException

from app.core.metrics import Metrics
from app.core.security.guards import bearer_token
from app.core.security.tokens import Access, AccessTokens, InvalidToken
from app.live.bus import LiveBus
from app.live.session import CLOSE_TRY_LATER, CLOSE_UNAUTHENTICATED, Closed, LiveLimits, LiveSession

Socket = WebSocket[Any, Any, Any]

_CLOSE_FORBIDDEN = 4403


class LiveDoor:
    """Lets clients in: checks where a browser comes from, the token if the client could send one, and the room left.

    `origins` are those of other sites that may connect (`https://panel.example`); the server's own always may.
    """

    def __init__(
        self,
        bus: LiveBus,
        tokens: AccessTokens,
        metrics: Metrics,
        *,
        origins: frozenset[str],
        limits: LiveLimits | None = None,
    ) -> None:
        self._bus = bus
        self._tokens = tokens
        self._metrics = metrics
        self._origins = origins
        self._limits = limits or LiveLimits()
        self._open = 0

    async def serve(self, socket: Socket) -> None:
        """Serve one client until its end."""
        access = self._admit(socket)
        await socket.accept()
        self._open += 1
        self._metrics.live_connections.inc()
        try:
            session = LiveSession(_SocketWire(socket), self._bus, self._tokens, self._metrics, self._limits)
            await session.serve(access)
        except Closed as end:
            if end.code is not None:
                await socket.close(code=end.code, reason=end.reason)
        finally:
            self._open -= 1
            self._metrics.live_connections.dec()

    def _admit(self, socket: Socket) -> Access | None:
        """Return what the `Authorization` header says; None for a client without one.

        Raises `WebSocketException`, which refuses the handshake with 403.
        """
        origin = socket.headers.get("origin")
        if origin is not None and origin not in self._origins and not _is_own(origin, socket.headers.get("host", "")):
            raise WebSocketException(detail="this site may not connect", code=_CLOSE_FORBIDDEN)
        if self._open >= self._limits.connections:
            raise WebSocketException(detail="too many live connections", code=CLOSE_TRY_LATER)
        if "authorization" not in socket.headers:
            return None
        try:
            return self._tokens.verify(bearer_token(socket.scope))
        except InvalidToken as error:
            self._metrics.auth_failures.labels("token").inc()
            raise WebSocketException(detail="the token is not valid", code=CLOSE_UNAUTHENTICATED) from error


def _is_own(origin: str, host: str) -> bool:
    """Tell whether a page of this very server connects: its origin names the host the request was sent to."""
    parts = urlsplit(origin)
    return parts.scheme in {"http", "https"} and parts.netloc != "" and parts.netloc.lower() == host.lower()


class _SocketWire:
    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    async def receive(self) -> str:
        try:
            return await self._socket.receive_data(mode="text")
        except WebSocketDisconnect:
            raise Closed from None

    async def send(self, text: str) -> None:
        await self._socket.send_data(text)
