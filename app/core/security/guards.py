"""Deny by default: everything under /api needs a valid credential, except what is named here; guards ask for more."""

from typing import Any, Final, Protocol

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Guard, Receive, Scope, Send

from app.core.errors import Forbidden
from app.core.metrics import Metrics
from app.core.security.actor import Actor
from app.core.security.permissions import Permission
from app.core.security.session_cookies import SessionCookies
from app.core.security.tokens import Access, InvalidToken

# Method and route template of everything under /api that is open to strangers. What brings a secret of its own (a
# refresh token, a one-time link) is checked where it is used. The live channel is here because browsers cannot send
# headers with a WebSocket: it reads the cookie, or the token from the first message, and closes without one.
PUBLIC_ROUTES: Final = frozenset(
    {
        ("POST", "/api/auth/login"),
        ("POST", "/api/auth/refresh"),
        ("POST", "/api/auth/links/look-up"),
        ("POST", "/api/auth/links/accept"),
        ("WEBSOCKET", "/api/live"),
    }
)

_SIGN_IN: Final = "send an access token as `Authorization: Bearer <token>`"

Connection = ASGIConnection[Any, Any, Any, Any]


class Authenticator(Protocol):
    """Knows who a credential speaks for, and whether it still does."""

    async def authenticate(self, credential: str) -> Access:
        """Return who acts.

        Raises `InvalidToken` whatever is wrong with the credential, and `Unavailable` when that cannot be known now.
        """

    async def is_valid(self, access: Access) -> bool:
        """Tell whether the session or the API key still stands. The token's own expiry is the caller's to watch."""


class RequireAccessToken(ASGIMiddleware):
    """Set `request.user` (an `Actor`) from the credential, and refuse requests under /api without one.

    The credential is that of `Authorization: Bearer`, or else with `cookies` the panel's cookie; a request that would
    change something must then come from the panel itself. It looks at the route's template, not at the path as sent,
    so that no way of writing a path leads around it.
    """

    scopes = (ScopeType.HTTP, ScopeType.WEBSOCKET, ScopeType.ASGI)

    def __init__(
        self, authenticator: Authenticator, metrics: Metrics, *, cookies: SessionCookies | None = None
    ) -> None:
        self._authenticator = authenticator
        self._metrics = metrics
        self._cookies = cookies

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if _needs_token(scope):
            try:
                access = await self._authenticator.authenticate(self._credential(scope))
            except InvalidToken:
                self._metrics.auth_failures.labels("token").inc()
                raise
            scope["user"] = access.actor
            scope["auth"] = access
        await next_app(scope, receive, send)

    def _credential(self, scope: Scope) -> str:
        if self._cookies is None or any(name == b"authorization" for name, _ in scope["headers"]):
            return bearer_token(scope)
        token = self._cookies.access_token(scope)
        if token is None:
            raise InvalidToken(_SIGN_IN)
        self._cookies.check_origin(scope)
        return token


def bearer_token(scope: Scope) -> str:
    """Return the token of the `Authorization` header.

    Raises `InvalidToken` when there is none.
    """
    given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    scheme, _, token = given.decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise InvalidToken(_SIGN_IN)
    return token.strip()


def _needs_token(scope: Scope) -> bool:
    template = str(scope.get("path_template", scope["path"]))
    if template != "/api" and not template.startswith("/api/"):
        return False
    method = str(scope.get("method", "WEBSOCKET"))
    return (method, template) not in PUBLIC_ROUTES


def needs(permission: Permission) -> Guard:
    """Return a guard for routes that need `permission` (`app/core/security/permissions.py` says who has it)."""

    def guard(connection: Connection, _: BaseRouteHandler) -> None:
        actor = connection.scope.get("user")
        if not isinstance(actor, Actor):
            raise InvalidToken(_SIGN_IN)
        if not actor.may(permission):
            raise NotAllowed(f"this needs the permission {permission}")

    return guard


class NotAllowed(Forbidden):
    """The caller is known, and neither their role nor their API key allows this."""

    code = "not_allowed"
