"""Deny by default: everything under /api needs a valid access token, except what is named here."""

from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Guard, Receive, Scope, Send

from app.core.errors import Forbidden
from app.core.metrics import Metrics
from app.core.security.actor import Actor, Role
from app.core.security.tokens import AccessTokens, InvalidToken

# Method and route template of everything under /api that is open to strangers. The live channel is here because
# browsers cannot send headers with a WebSocket: it reads the token from the first message and closes without one.
PUBLIC_ROUTES: Final = frozenset({("POST", "/api/auth/login"), ("WEBSOCKET", "/api/live")})

Connection = ASGIConnection[Any, Any, Any, Any]


class RequireAccessToken(ASGIMiddleware):
    """Set `request.user` (an `Actor`) from `Authorization: Bearer`, and refuse requests under /api without one.

    It looks at the route's template, not at the path as sent, so that no way of writing a path leads around it.
    """

    scopes = (ScopeType.HTTP, ScopeType.WEBSOCKET, ScopeType.ASGI)

    def __init__(self, tokens: AccessTokens, metrics: Metrics) -> None:
        self._tokens = tokens
        self._metrics = metrics

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if _needs_token(scope):
            try:
                access = self._tokens.verify(bearer_token(scope))
            except InvalidToken:
                self._metrics.auth_failures.labels("token").inc()
                raise
            scope["user"] = access.actor
            scope["auth"] = access
        await next_app(scope, receive, send)


def bearer_token(scope: Scope) -> str:
    """Return the token of the `Authorization` header.

    Raises `InvalidToken` when there is none.
    """
    given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    scheme, _, token = given.decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise InvalidToken("send an access token as `Authorization: Bearer <token>`")
    return token.strip()


def _needs_token(scope: Scope) -> bool:
    template = str(scope.get("path_template", scope["path"]))
    if template != "/api" and not template.startswith("/api/"):
        return False
    method = str(scope.get("method", "WEBSOCKET"))
    return (method, template) not in PUBLIC_ROUTES


def at_least(role: Role) -> Guard:
    """Return a guard for routes that need `role` or a higher one (admin > supervisor > agent > viewer)."""

    def guard(connection: Connection, _: BaseRouteHandler) -> None:
        actor = connection.scope.get("user")
        if not isinstance(actor, Actor):
            raise InvalidToken("send an access token as `Authorization: Bearer <token>`")
        if not actor.is_at_least(role):
            raise RoleTooLow(f"this needs the role {role}")

    return guard


class RoleTooLow(Forbidden):
    """The caller is known, and not allowed."""

    code = "role_too_low"
