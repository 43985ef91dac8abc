"""The order in force: the router of every process asks the routes as the operator arranged them."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Self
from uuid import UUID

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ai.chain import queries
from app.ai.chain.errors import ChainChanged, RouteNotFound
from app.ai.chain.order import arrange, check, public_id
from app.ai.chain.schemas import (
    CallsOfRoute,
    ProviderList,
    ProviderRoute,
    RouteChoice,
    RouteTest,
    StoredOrder,
    UnusedProvider,
)
from app.ai.llm.health import RouteStatus
from app.ai.llm.provider import Route
from app.ai.llm.router import Router
from app.ai.llm.routes import configured_routes
from app.audit.service import AuditEntry, record
from app.business import service as business
from app.core.db import Database
from settings.ai import CLOUD_PROVIDERS, PROVIDERS, AiSettings

log = structlog.get_logger()

_SHORTEST_SHOWN_KEY = 16
_NO_CALLS = CallsOfRoute()


class ModelChain:
    """Keeps the router of this process at the stored order; whoever stores another one need not tell it.

    An async context manager: inside it, a task looks every `look_every_seconds`. A database that does not answer
    leaves the order as it is.
    """

    def __init__(self, database: Database, router: Router, ai: AiSettings, *, look_every_seconds: float = 2.0) -> None:
        self._database = database
        self._router = router
        self._ai = ai
        self._configured = configured_routes(ai)
        self._look_every_seconds = look_every_seconds
        self._stored = StoredOrder()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.refresh()
        self._task = asyncio.create_task(self._follow(), name="model-chain")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes in force, in the order in which they are asked."""
        return self._router.routes

    async def refresh(self) -> None:
        """Use the newest stored order."""
        async with self._database.read() as connection:
            stored = await queries.stored_order(connection)
        self._use(stored)

    async def describe(self) -> ProviderList:
        """Return every route with its state, and what it did today."""
        await self.refresh()
        statuses = await self._router.status()
        async with self._database.read() as connection:
            calls = await queries.calls_since(connection, await _midnight(connection))
        routes = {route.id: route for route in self._router.routes}
        return ProviderList(
            version=self._stored.version,
            updated_at=self._stored.updated_at,
            updated_by=self._stored.updated_by,
            routes=[
                _described(position, routes[status.route_id], status, calls.get((status.provider, status.model)))
                for position, status in enumerate(statuses, start=1)
                if status.route_id in routes
            ],
            unused=_unused(self._ai, routes.values()),
        )

    async def reorder(
        self, choices: list[RouteChoice], *, expected_version: int, updated_by: UUID, audit: AuditEntry | None = None
    ) -> None:
        """Store an order in place of version `expected_version`, and use it; `audit` is recorded with it.

        Raises:
            ChainChanged: another version is stored by now.
            InvalidInput: a route is unknown, missing or named twice, or none is enabled.

        """
        await self.refresh()
        if expected_version != self._stored.version:
            raise _changed()
        check(self._router.routes, choices)
        async with self._database.write() as connection:
            stored = await queries.replace_order(
                connection, choices, expected_version=expected_version, updated_by=updated_by
            )
            if stored is not None and audit is not None:
                await record(connection, msgspec.structs.replace(audit, before={"order": self._stored.choices}))
        if stored is None:
            raise _changed()
        self._use(stored)

    async def test(self, route_id: str) -> RouteTest:
        """Make one small real call, whether or not the route is enabled. Raises `RouteNotFound`."""
        route = next((route for route in self._router.routes if public_id(route) == route_id), None)
        if route is None:
            raise RouteNotFound("there is no such route")
        attempt = await self._router.test(route)
        return RouteTest(
            ok=attempt.outcome == "answered",
            milliseconds=attempt.milliseconds,
            error_kind=attempt.kind or attempt.skipped,
            error_message=attempt.message,
        )

    def _use(self, stored: StoredOrder) -> None:
        if stored.version > self._stored.version:
            self._stored = stored
            self._router.use(arrange(self._configured, stored.choices))
            log.info("chain.order_used", version=stored.version)

    async def _follow(self) -> None:
        failing = False
        while True:
            await asyncio.sleep(self._look_every_seconds)
            try:
                await self.refresh()
                failing = False
            except Exception as error:  # noqa: BLE001 - outermost loop of its task: a look that fails is repeated
                if not failing:
                    log.warning("chain.order_unknown", error=repr(error))
                failing = True


def _changed() -> ChainChanged:
    return ChainChanged("somebody else has changed the order: load it again and repeat your change")


async def _midnight(connection: AsyncConnection) -> datetime:
    """Return when today began where the business is."""
    hours = (await business.get(connection)).profile.hours
    now = datetime.now(UTC if hours is None else hours.zone)
    return now.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _described(position: int, route: Route, status: RouteStatus, traced: CallsOfRoute | None) -> ProviderRoute:
    today = traced or _NO_CALLS
    # The trace also knows what other processes met; this process also knows what tests of the route met.
    traced_is_newer = today.last_error_at is not None and (
        status.last_error_at is None or today.last_error_at > status.last_error_at
    )
    return ProviderRoute(
        route_id=public_id(route),
        provider=status.provider,
        model=status.model,
        enabled=status.is_enabled,
        position=position,
        local=status.is_local,
        base_url=route.target.base_url,
        key_last4=_last4(route),
        breaker=status.breaker,
        paused=status.paused,
        paused_seconds=status.paused_seconds,
        requests_per_minute=status.requests_per_minute,
        requests_left_this_minute=_left(status.requests_per_minute, status.used_this_minute),
        requests_per_day=status.requests_per_day,
        requests_left_today=_left(status.requests_per_day, status.used_today),
        in_flight=status.in_flight,
        calls_today=today.calls,
        failed_today=today.failed,
        cost_today_usd=today.cost_usd,
        unpriced_today=today.unpriced,
        last_error_kind=today.last_error_kind if traced_is_newer else status.last_error_kind,
        last_error_message=today.last_error_message if traced_is_newer else status.last_error_message,
        last_error_at=today.last_error_at if traced_is_newer else status.last_error_at,
        last_answer_at=max(filter(None, (today.last_answer_at, status.last_answer_at)), default=None),
    )


def _left(limit: int | None, used: int) -> int | None:
    return None if limit is None else max(0, limit - used)


def _last4(route: Route) -> str | None:
    key = route.target.api_key
    return key.reveal()[-4:] if key is not None and len(key.reveal()) >= _SHORTEST_SHOWN_KEY else None


def _unused(ai: AiSettings, routes: Iterable[Route]) -> list[UnusedProvider]:
    used = {route.provider.name for route in routes}
    return [
        UnusedProvider(provider=name, configured=name in ai.providers, setting=_setting(name, ai))
        for name in PROVIDERS
        if name not in used
    ]


def _setting(name: str, ai: AiSettings) -> str:
    if name in ai.providers:
        return "AI_FALLBACK_ORDER"
    return f"{name.upper()}_API_KEY" if name in CLOUD_PROVIDERS else f"{name.upper()}_BASE_URL"
