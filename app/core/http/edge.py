"""What surrounds every request, including those that match no route: correlation id, security headers, metrics.

Litestar runs application middleware only for matched routes, and counts errors of inner middleware wrongly; these stand
outside its router instead (`install_edge`).
"""

import re
import time
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from litestar.utils import normalize_path

from app.core.log import correlation
from app.core.metrics import Metrics

_UUID = re.compile(rb"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_FORBIDDEN: Final = "403"

# For the panel and every other page: our own files only, no inline script, and no way to turn text into script.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
# What the API answers is data: nothing in it may be run, shown in a frame or sent anywhere.
API_CONTENT_SECURITY_POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
PERMISSIONS_POLICY: Final = (
    "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), "
    "microphone=(self), midi=(), payment=(), serial=(), usb=()"
)


def install_edge(app: Litestar, middleware: Sequence[ASGIMiddleware]) -> None:
    """Put `middleware` around the whole application, the first one outermost."""
    for layer in reversed(middleware):
        app.asgi_handler = layer(app.asgi_handler)


class RequestContext(ASGIMiddleware):
    """Bind a correlation id for the time of the request and return it as `X-Request-ID`.

    The client's own `X-Request-ID` is kept if it is a UUID; otherwise a new one is made.
    """

    scopes = (ScopeType.HTTP, ScopeType.WEBSOCKET)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        with correlation(_given_id(scope)) as correlation_id:
            header = (b"x-request-id", str(correlation_id).encode())

            async def send_with_id(message: Message) -> None:
                if message["type"] == "http.response.start":
                    message["headers"] = [*message["headers"], header]
                await send(message)

            await next_app(scope, receive, send_with_id)


def _given_id(scope: Scope) -> UUID | None:
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return UUID(given.decode()) if _UUID.fullmatch(given) else None


class SecurityHeaders(ASGIMiddleware):
    """Add the headers every answer carries (ASVS 3.4); a handler's own value for one of them wins.

    Answers of the API and to webhooks are stored nowhere, and nothing in them may be run.

    `https` adds Strict-Transport-Security; say so only when the public address is https.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, *, https: bool) -> None:
        headers = {
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "referrer-policy": "no-referrer",
            "permissions-policy": PERMISSIONS_POLICY,
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "content-security-policy": CONTENT_SECURITY_POLICY,
        }
        if https:
            headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
        self._everywhere = _encoded(headers)
        self.of_api = _encoded(
            headers | {"content-security-policy": API_CONTENT_SECURITY_POLICY, "cache-control": "no-store"}
        )

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        headers = self.of_api if _is_api(scope["path"]) else self._everywhere

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(pair for pair in headers if pair[0] not in own)]
            await send(message)

        await next_app(scope, receive, send_with_headers)


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def _is_api(path: str) -> bool:
    normal = normalize_path(path)
    return normal == "/api" or normal.startswith(("/api/", "/webhooks/"))


class RequestMetrics(ASGIMiddleware):
    """Count and time every HTTP request by method, route template and status.

    A request that matched no route counts as route `unmatched`, one whose client left before an answer as status
    `aborted`, so that strangers cannot make up labels.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        status = "aborted"

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        started = time.perf_counter()
        self._metrics.http_in_progress.inc()
        try:
            await next_app(scope, receive, note_status)
        finally:
            self._metrics.http_in_progress.dec()
            if status == _FORBIDDEN:
                self._metrics.authz_denied.inc()
            route = str(scope.get("path_template", "unmatched"))
            method = str(scope.get("method")) if route != "unmatched" else "any"
            self._metrics.http_duration.labels(method, route, status).observe(time.perf_counter() - started)
