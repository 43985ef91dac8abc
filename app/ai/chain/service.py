"""The routes in force in every process: what settings and panel configured, arranged as the operator wished."""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

import msgspec
import structlog
from msgspec import UNSET
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ai.chain import queries, stored
from app.ai.chain.addresses import Addresses
from app.ai.chain.describing import Origin, described, unused
from app.ai.chain.errors import ChainChanged, ProviderKnown, ProviderOfEnvironment, RouteNotFound
from app.ai.chain.order import arrange, check, public_id
from app.ai.chain.schemas import (
    CallsOfRoute,
    LastHour,
    ProviderChange,
    ProviderList,
    ProviderRoute,
    ProviderToAdd,
    RouteChoice,
    RouteTest,
    StoredOrder,
)
from app.ai.chain.stored import StoredProvider, seal_key
from app.ai.llm.provider import Route
from app.ai.llm.providers.registry import PROVIDERS
from app.ai.llm.router import Router
from app.ai.llm.routes import configured_routes, route_of
from app.audit.service import AuditEntry, record
from app.business import service as business
from app.core.db import Database
from app.core.security.cipher import Cipher
from app.core.security.ssrf import OutsideRules
from settings.ai import AiSettings

log = structlog.get_logger()

_NO_CALLS = CallsOfRoute()
_NO_HOUR = LastHour()
_COSTS_FRESH_SECONDS = 10.0  # so long a daily limit may be exceeded


class ModelChain:
    """Keeps the router of this process at what is stored; whoever stores something else need not tell it.

    An async context manager: inside it, a task looks every `look_every_seconds`. A database that does not answer
    leaves the routes as they are. `rules` say which addresses may be written in the panel.
    """

    def __init__(
        self,
        database: Database,
        router: Router,
        ai: AiSettings,
        *,
        cipher: Cipher,
        rules: OutsideRules,
        look_every_seconds: float = 2.0,
    ) -> None:
        self._database = database
        self._router = router
        self._ai = ai
        self._cipher = cipher
        self._addresses = Addresses(ai, rules)
        self._environment = tuple(route for route in configured_routes(ai) if route.provider.answer is None)
        self._look_every_seconds = look_every_seconds
        self._looking = asyncio.Lock()
        self._order = StoredOrder()
        self._stored: dict[str, StoredProvider] = {}
        self._costs: Mapping[tuple[str, str], Decimal] = {}
        self._costs_read_at: float | None = None
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

    def route(self, route_id: str) -> Route:
        """Return a route by the id that the API writes. Raises `RouteNotFound`."""
        route = next((route for route in self.routes if public_id(route) == route_id), None)
        if route is None:
            raise RouteNotFound
        return route

    async def refresh(self) -> None:
        """Use what is stored now."""
        async with self._looking:  # whoever looked earlier must not be believed later
            async with self._database.read() as connection:
                self._order = await queries.stored_order(connection)
                providers = await stored.stored_providers(connection)
                await self._look_at_costs(connection)
            self._use(providers)

    async def describe(self) -> ProviderList:
        """Return every route with its state, and what it did today and in the last hour."""
        await self.refresh()
        statuses = await self._router.status()
        async with self._database.read() as connection:
            calls = await queries.calls_since(connection, await _midnight(connection))
            hours = await queries.speed_since(connection, datetime.now(UTC) - timedelta(hours=1))
        routes = {route.id: route for route in self.routes}
        return ProviderList(
            version=self._order.version,
            updated_at=self._order.updated_at,
            updated_by=self._order.updated_by,
            routes=[
                described(
                    position,
                    routes[status.route_id],
                    self._origin(routes[status.route_id]),
                    status,
                    today=calls.get((status.provider, status.model), _NO_CALLS),
                    hour=hours.get((status.provider, status.model), _NO_HOUR),
                )
                for position, status in enumerate(statuses, start=1)
                if status.route_id in routes
            ],
            unused=unused(self._ai, routes.values()),
        )

    async def describe_one(self, provider: str, model: str) -> ProviderRoute:
        """Return the route to a model. Raises `RouteNotFound`, for one that was deleted meanwhile."""
        for route in (await self.describe()).routes:
            if (route.provider, route.model) == (provider, model):
                return route
        raise RouteNotFound

    async def reorder(
        self, choices: list[RouteChoice], *, expected_version: int, updated_by: UUID, audit: AuditEntry | None = None
    ) -> None:
        """Store an order in place of version `expected_version`, and use it; `audit` is recorded with it.

        Raises:
            ChainChanged: another version is stored by now.
            InvalidInput: a route is unknown, missing or named twice, or none is enabled.

        """
        await self.refresh()
        if expected_version != self._order.version:
            raise _changed()
        check(self.routes, choices)
        before = self._order
        async with self._database.write() as connection:
            written = await queries.replace_order(
                connection, choices, expected_version=expected_version, updated_by=updated_by
            )
            if written is not None and audit is not None:
                await record(connection, msgspec.structs.replace(audit, before={"order": before.choices}))
        if written is None:
            raise _changed()
        self._costs_read_at = None
        await self.refresh()

    async def add(self, wanted: ProviderToAdd, *, audit: AuditEntry) -> ProviderRoute:
        """Store a provider, and use it as the last one to be asked; `audit` is recorded with it.

        Raises:
            UnsafeAddress: it may not be called at that address.
            ProviderKnown: its model has a route already.

        """
        await self.refresh()
        self._addresses.check(wanted.provider, wanted.base_url)
        self._check_unknown(wanted.provider, wanted.model)
        values = {
            "provider": wanted.provider,
            "model": wanted.model,
            "base_url": wanted.base_url,
            "api_key": seal_key(wanted.api_key, self._cipher),
            "requests_per_minute": wanted.requests_per_minute,
            "requests_per_day": wanted.requests_per_day,
        }
        async with self._database.write() as connection:
            if not await stored.add(connection, values):
                raise ProviderKnown(wanted.provider, wanted.model)
            await record(connection, msgspec.structs.replace(audit, after=_audited(values)))
        return await self.describe_one(wanted.provider, wanted.model)

    async def change(self, route_id: str, wanted: ProviderChange, *, audit: AuditEntry) -> ProviderRoute:
        """Change a stored provider, and use it so; `audit` is recorded with it.

        Another address clears the key, unless a new one comes with it.

        Raises:
            RouteNotFound: there is no such route.
            ProviderOfEnvironment: it was not added here.
            UnsafeAddress: it may not be called at that address.
            ProviderKnown: the new model has a route already.

        """
        known = await self._stored_provider(route_id)
        values = {name: value for name, value in msgspec.structs.asdict(wanted).items() if value is not UNSET}
        if "base_url" in values:
            self._addresses.check(known.provider, values["base_url"])
        if values.get("model", known.model) != known.model:
            self._check_unknown(known.provider, values["model"])
        if "api_key" in values:
            values["api_key"] = seal_key(values["api_key"], self._cipher)
        elif "base_url" in values and _address(known.provider, values["base_url"]) != _address(
            known.provider, known.base_url
        ):
            values["api_key"] = None
        before = {name: getattr(known, name) for name in values}
        async with self._database.write() as connection:
            await stored.change(connection, known.id, values)
            await record(connection, msgspec.structs.replace(audit, before=_audited(before), after=_audited(values)))
        return await self.describe_one(known.provider, values.get("model", known.model))

    async def remove(self, route_id: str, *, audit: AuditEntry) -> None:
        """Delete a stored provider with its key; `audit` is recorded with it.

        Raises `RouteNotFound` and `ProviderOfEnvironment`.
        """
        known = await self._stored_provider(route_id)
        async with self._database.write() as connection:
            await stored.remove(connection, known.id)
            before = {"provider": known.provider, "model": known.model, "base_url": known.base_url}
            await record(connection, msgspec.structs.replace(audit, before=before))
        await self.refresh()

    async def test(self, route_id: str) -> RouteTest:
        """Make one small real call, whether or not the route is enabled. Raises `RouteNotFound`."""
        attempt = await self._router.test(self.route(route_id))
        return RouteTest(
            ok=attempt.outcome == "answered",
            milliseconds=attempt.milliseconds,
            error_kind=attempt.kind or attempt.skipped,
            error_message=attempt.message,
        )

    def _use(self, providers: tuple[StoredProvider, ...]) -> None:
        """Arrange the configured routes, and ask them from now on if that is something new."""
        configured = {route.id: route for route in self._environment}
        self._stored = {}
        for provider in providers:
            route = self._route_of(provider)
            if route.id not in configured:
                configured[route.id] = route
                self._stored[route.id] = provider
        arranged = arrange(tuple(configured.values()), self._order.choices, self._costs)
        if arranged != self.routes:
            self._router.use(arranged)
            log.info("chain.used", version=self._order.version, routes=len(arranged))

    def _route_of(self, provider: StoredProvider) -> Route:
        return route_of(
            provider.provider,
            provider.settings(self._cipher),
            requests_per_minute=provider.requests_per_minute,
            requests_per_day=provider.requests_per_day,
            is_outside=self._addresses.is_outside(provider.provider, provider.base_url),
        )

    async def _stored_provider(self, route_id: str) -> StoredProvider:
        await self.refresh()
        provider = self._stored.get(self.route(route_id).id)
        if provider is None:
            raise ProviderOfEnvironment
        return provider

    def _check_unknown(self, provider: str, model: str) -> None:
        if any((route.provider.name, route.model) == (provider, model) for route in self.routes):
            raise ProviderKnown(provider, model)

    def _origin(self, route: Route) -> Origin:
        if route.provider.answer is not None:
            return "built_in"
        return "stored" if route.id in self._stored else "environment"

    async def _look_at_costs(self, connection: AsyncConnection) -> None:
        """Read what today cost, from time to time, and only where that matters."""
        if all(choice.daily_limit_usd is None for choice in self._order.choices):
            return
        now = time.monotonic()
        if self._costs_read_at is None or now - self._costs_read_at >= _COSTS_FRESH_SECONDS:
            self._costs = await queries.costs_since(connection, await _midnight(connection))
            self._costs_read_at = now

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


def _address(provider: str, base_url: str | None) -> str:
    return PROVIDERS[provider].root(base_url)


def _audited(values: Mapping[str, Any]) -> dict[str, object]:
    """Leave of a key only that there is one."""
    return {
        ("has_key" if name == "api_key" else name): (value is not None if name == "api_key" else value)
        for name, value in values.items()
    }


async def _midnight(connection: AsyncConnection) -> datetime:
    """Return when today began where the business is."""
    hours = (await business.get(connection)).profile.hours
    now = datetime.now(UTC if hours is None else hours.zone)
    return now.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
