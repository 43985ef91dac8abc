"""How often the API and the webhooks may be called (ASVS 2.4.1), and the headers that say what is left.

Who has come in is counted by account or API key, whatever address they come from; everybody else, and every request
that was refused before it reached a route, by address. Two layers do it: `ChargeRequests` stands behind authentication,
where it is known who asks and nothing has been done yet, and `RateLimits` stands around everything, sends the headers,
and counts what never got that far (401, 404, 405). A bad credential among colleagues behind one address therefore
does not lock the others out.
"""

import asyncio
from contextvars import ContextVar
from typing import Final

import msgspec
from litestar.enums import ScopeType
from litestar.exceptions import WebSocketException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from litestar.utils import normalize_path

from app.core.errors import TooManyRequests
from app.core.http.problems import send_problem
from app.core.metrics import Metrics
from app.core.security.actor import Actor
from app.core.security.client_address import address_key
from app.core.security.rate_limit import Limit, RateLimiter, Taken, TokenBuckets

__all__ = ["ChargeRequests", "LimitRules", "RateLimits", "WebhookLimit"]

_TOO_MANY: Final = "too many requests: wait as long as Retry-After says"
_WEBHOOKS: Final = "/webhooks/"
_CLOSE_TOO_MANY: Final = 4429

# Open to strangers, and not worth guessing at: what they take cannot be guessed, and every open panel calls them.
_USUAL_AUTH_ROUTES: Final = frozenset({"/api/auth/refresh", "/api/auth/logout"})


class LimitRules(msgspec.Struct, frozen=True, kw_only=True):
    """`sign_in` is for each open door of `/api/auth` and address, `system` for `/api/system`, `api` for the rest."""

    api: Limit
    sign_in: Limit
    system: Limit

    def bucket_of(self, scope: Scope) -> tuple[str, Limit]:
        """Return the key and the limit that this request is counted under."""
        route = _route(scope)
        actor = scope.get("user")
        who = (
            _principal(actor)
            if isinstance(actor, Actor)
            else address_key(scope["client"][0] if scope["client"] else None)
        )
        if route.startswith("/api/system/"):
            return f"system:{who}", self.system
        if route.startswith("/api/auth/") and not isinstance(actor, Actor) and _is_guessed_at(scope, route):
            return f"sign-in:{route}:{who}", self.sign_in
        return f"api:{who}", self.api


class _Charge:
    """What the request that is running now was counted as; None until it is."""

    __slots__ = ("taken",)

    def __init__(self) -> None:
        self.taken: Taken | None = None


_current: ContextVar[_Charge | None] = ContextVar("rate limit of this request", default=None)


class RateLimits(ASGIMiddleware):
    """The outer layer, around the router. Preflights (OPTIONS) are free: they do nothing and need no credential."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, limiter: RateLimiter, rules: LimitRules, metrics: Metrics) -> None:
        self._limiter = limiter
        self._rules = rules
        self._metrics = metrics

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if scope.get("method") == "OPTIONS" or not normalize_path(scope["path"]).startswith("/api/"):
            await next_app(scope, receive, send)
            return
        charge = _Charge()
        refused = False

        async def send_counted(message: Message) -> None:
            nonlocal refused
            if refused:
                return
            if message["type"] == "http.response.start":
                if charge.taken is None:
                    charge.taken = await self._limiter.take(*self._rules.bucket_of(scope))
                    refused = not charge.taken.allowed
                if refused:
                    await self._refuse(scope, send, charge.taken)
                    return
                message["headers"] = [*message["headers"], *_headers(charge.taken)]
            await send(message)

        token = _current.set(charge)
        try:
            await next_app(scope, receive, send_counted)
        finally:
            _current.reset(token)
            if charge.taken is not None and not charge.taken.allowed:
                self._metrics.rate_limited.labels("api").inc()

    async def _refuse(self, scope: Scope, send: Send, taken: Taken) -> None:
        retry_after = (b"retry-after", str(taken.retry_after_seconds).encode())
        await send_problem(
            scope,
            send,
            status=TooManyRequests.status,
            code=TooManyRequests.code,
            detail=_TOO_MANY,
            try_again=True,
            headers=[retry_after, *_headers(taken)],
        )


class ChargeRequests(ASGIMiddleware):
    """The inner layer, right behind authentication: counts the request before anything is done for it."""

    scopes = (ScopeType.HTTP, ScopeType.WEBSOCKET)

    def __init__(self, limiter: RateLimiter, rules: LimitRules) -> None:
        self._limiter = limiter
        self._rules = rules

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if _route(scope).startswith("/api/"):
            taken = await self._limiter.take(*self._rules.bucket_of(scope))
            if (charge := _current.get()) is not None:
                charge.taken = taken
            if not taken.allowed and scope["type"] == ScopeType.WEBSOCKET:
                raise WebSocketException(detail=_TOO_MANY, code=_CLOSE_TOO_MANY)
            if not taken.allowed:
                raise TooManyRequests(_TOO_MANY, retry_after_seconds=taken.retry_after_seconds)
        await next_app(scope, receive, send)


class WebhookLimit(ASGIMiddleware):
    """A bucket for each webhook address, far above any real rate; 503 beyond it, so that Meta delivers again.

    It is not by client: Meta sends from many addresses. It keeps one channel's flood from taking the process away
    from the others, and costs a few microseconds.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, buckets: TokenBuckets, metrics: Metrics) -> None:
        self._buckets = buckets
        self._metrics = metrics

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        path = scope["path"]
        if path.startswith(_WEBHOOKS):
            wait_seconds = self._buckets.take(path)
            if wait_seconds > 0:
                self._metrics.rate_limited.labels("webhook").inc()
                await asyncio.sleep(0)  # a flood of refusals must not hold the loop
                await send_problem(
                    scope,
                    send,
                    status=503,
                    code="webhook_flood",
                    detail="too many webhooks for this address: deliver again",
                    try_again=True,
                    headers=[(b"retry-after", b"1")],
                )
                return
        await next_app(scope, receive, send)


def _headers(taken: Taken) -> list[tuple[bytes, bytes]]:
    return [
        (b"x-ratelimit-limit", str(taken.limit).encode()),
        (b"x-ratelimit-remaining", str(taken.remaining).encode()),
        (b"x-ratelimit-reset", str(taken.retry_after_seconds).encode()),
    ]


def _route(scope: Scope) -> str:
    """Return the route's template once there is one, so that no way of writing a path leads to another bucket."""
    return str(scope.get("path_template") or normalize_path(scope["path"]))


def _is_guessed_at(scope: Scope, route: str) -> bool:
    return scope.get("method") == "POST" and route not in _USUAL_AUTH_ROUTES


def _principal(actor: Actor) -> str:
    return f"key:{actor.api_key_id}" if actor.api_key_id is not None else f"account:{actor.user_id}"
