"""Who may come in to the live channel, and the WebSocket that carries it."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect, WebSocketException

from app.core.metrics import Metrics
from app.core.security.guards import Authenticator, bearer_token
from app.core.security.session_cookies import SessionCookies
from app.core.security.tokens import Access, InvalidToken
from app.live.bus import LiveBus
from app.live.session import (
    CLOSE_FORBIDDEN,
    CLOSE_TRY_LATER,
    CLOSE_UNAUTHENTICATED,
    Closed,
    LiveLimits,
    LiveSession,
    may_listen,
)

Socket = WebSocket[Any, Any, Any]


class LiveDoor:
    """Lets clients in: checks where a browser comes from, the token if the client could send one, and the room left.

    `origins` are those of other sites that may connect (`https://panel.example`); the server's own always may. With
    `cookies` a page of the panel comes in by its cookie, and stays as long as its session. `changes` gives an event
    that is set whenever some session may have ended.
    """

    def __init__(
        self,
        bus: LiveBus,
        authenticator: Authenticator,
        metrics: Metrics,
        *,
        origins: frozenset[str],
        limits: LiveLimits | None = None,
        cookies: SessionCookies | None = None,
        changes: Callable[[], asyncio.Event] = asyncio.Event,
    ) -> None:
        self._bus = bus
        self._authenticator = authenticator
        self._cookies = cookies
        self._changes = changes
        self._metrics = metrics
        self._origins = origins
        self._limits = limits or LiveLimits()
        self._open = 0

    async def serve(self, socket: Socket) -> None:
        """Serve one client until its end."""
        try:
            access = await self._admit(socket)
        except Closed as end:
            await socket.accept()  # a browser tells its page the code of a close, and not why a handshake failed
            await socket.close(code=end.code or CLOSE_UNAUTHENTICATED, reason=end.reason)
            return
        await socket.accept()
        self._open += 1
        self._metrics.live_connections.inc()
        try:
            session = LiveSession(
                _SocketWire(socket),
                self._bus,
                self._authenticator,
                self._metrics,
                self._limits,
                changed=self._changes(),
            )
            await session.serve(access)
        except Closed as end:
            if end.code is not None:
                await socket.close(code=end.code, reason=end.reason)
        finally:
            self._open -= 1
            self._metrics.live_connections.dec()

    async def _admit(self, socket: Socket) -> Access | None:
        """Return what the `Authorization` header or the panel's cookie says; None for a client without either.

        Raises `WebSocketException`, which refuses the handshake with 403, and `Closed`.
        """
        origin = socket.headers.get("origin")
        if origin is not None and origin not in self._origins and not _is_own(origin, socket.headers.get("host", "")):
            self._metrics.auth_failures.labels("origin").inc()
            self._metrics.live_refused.labels("origin").inc()
            raise WebSocketException(detail="this site may not connect", code=CLOSE_FORBIDDEN)
        if self._open >= self._limits.connections:
            raise WebSocketException(detail="too many live connections", code=CLOSE_TRY_LATER)
        if "authorization" not in socket.headers:
            return await self._by_cookie(socket)
        try:
            access = await self._authenticator.authenticate(bearer_token(socket.scope))
        except InvalidToken as error:
            self._metrics.auth_failures.labels("token").inc()
            self._metrics.live_refused.labels("token").inc()
            raise WebSocketException(detail="the token is not valid", code=CLOSE_UNAUTHENTICATED) from error
        if not may_listen(access):
            raise WebSocketException(detail="this key may not read conversations", code=CLOSE_FORBIDDEN)
        return access

    async def _by_cookie(self, socket: Socket) -> Access | None:
        """Return what the cookie of a page of the panel says; a page of any other site is as if it had none.

        The page cannot read its token, so it could not bring a fresh one: it stays until its session ends.

        Raises `Closed`.
        """
        if self._cookies is None:
            return None
        token = self._cookies.access_token(socket.scope)
        if token is None or not self._cookies.is_own_origin(
            socket.headers.get("origin"), socket.headers.get("host", "")
        ):
            return None
        try:
            access = await self._authenticator.authenticate(token)
        except InvalidToken as error:
            raise Closed(CLOSE_UNAUTHENTICATED, "the session must be continued first") from error
        return msgspec.structs.replace(access, expires_at=access.session_ends_at or access.expires_at)


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
