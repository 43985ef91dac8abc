"""For which host names this server answers: a name that is not ours would turn up in links and caches (ASVS 4.1.1)."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from app.core.http.problems import send_problem

__all__ = ["AllowedHosts", "allowed_hosts"]

_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")

# Load balancers and container engines ask these by address. Their answers hold no link, and none is stored.
_PROBES: Final = frozenset({"/livez", "/readyz", "/healthz", "/metrics"})
_HOST = re.compile(rb"(?P<name>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?")


class AllowedHosts(ASGIMiddleware):
    """Refuse requests whose `Host` is not one of `hosts`: 400, or a refused handshake for a WebSocket.

    The port does not matter: a published port is often another one than ours. No other header can name a host.
    """

    scopes = (ScopeType.HTTP, ScopeType.WEBSOCKET)

    def __init__(self, hosts: Iterable[str]) -> None:
        self._hosts = frozenset(_plain(host.encode()) for host in hosts)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if self._is_ours(scope) or scope["path"] in _PROBES:
            await next_app(scope, receive, send)
        elif scope["type"] == ScopeType.WEBSOCKET:
            await send({"type": "websocket.close", "code": 4400, "reason": "this host is not served here"})
        else:
            await send_problem(
                scope,
                send,
                status=400,
                code="unknown_host",
                detail="This server does not answer for this host name; PUBLIC_URL or ALLOWED_HOSTS can add it.",
            )

    def _is_ours(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name == b"host"]
        if len(given) != 1:
            return False
        match = _HOST.fullmatch(given[0])
        return match is not None and _plain(match["name"]) in self._hosts


def allowed_hosts(public_url: str, also: Iterable[str], *, development: bool) -> frozenset[str]:
    """Return the host of our public address, what `also` names, and while developing this machine's own names."""
    own = urlsplit(public_url).hostname or ""
    return frozenset({f"[{own}]" if ":" in own else own, *also, *(_LOOPBACK if development else ())})


def _plain(host: bytes) -> bytes:
    return host.lower().rstrip(b".")
