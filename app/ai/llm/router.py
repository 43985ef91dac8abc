"""Chooses who answers: the routes in their order, what is known of each, and each question through a `Chain`."""

import random
from collections.abc import Callable, Sequence

import msgspec
import structlog

from app.ai.llm.attempts import Answered, Attempt, ChainFailed
from app.ai.llm.chain import Chain, Surroundings
from app.ai.llm.chat import ChatRequest, UserMessage
from app.ai.llm.clock import Clock, SystemClock
from app.ai.llm.health import RouteHealth, RouteStatus
from app.ai.llm.provider import Route
from app.ai.llm.state import MemoryState, Pause, RouteState
from app.core.http_client import HttpClient

__all__ = ["Router"]

log = structlog.get_logger()

_TEST = ChatRequest(system="Answer with the single word: ok", messages=(UserMessage.of("ok?"),), max_output_tokens=256)
_TEST_SECONDS = 21.0


class Router:
    """The one door to language models.

    Every question goes along the routes until one gives a usable reply, within `deadline_seconds` altogether (one
    second of them is kept for the caller) and at most five calls. Routes that are paused, ill, out of budget or unable
    are passed over without a request. `outside` calls addresses that a user set: `client` unless given. `jitter`
    returns a number from 0 to 1.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        *,
        client: HttpClient,
        state: RouteState,
        outside: HttpClient | None = None,
        clock: Clock | None = None,
        deadline_seconds: float = 25.0,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._routes = tuple(routes)
        self._clock = clock or SystemClock()
        self._state = state
        self._deadline_seconds = deadline_seconds
        self._jitter = jitter
        self._health: dict[str, RouteHealth] = {}
        self._around = Surroundings(client, outside or client, state, self._clock, self._health_of, jitter)

    @property
    def routes(self) -> tuple[Route, ...]:
        return self._routes

    def use(self, routes: Sequence[Route]) -> None:
        """Ask these routes from the next question on; questions under way keep the order they began with.

        What is known of a route stays, as long as its id does.
        """
        self._routes = tuple(routes)

    async def answer(
        self,
        request: ChatRequest,
        *,
        conversation_key: str | None,
        deadline_seconds: float | None = None,
        trace: list[Attempt] | None = None,
    ) -> Answered:
        """Answer one question. A conversation stays for 30 minutes with a fallback route that answered it.

        `trace` gets every attempt as it is made, for whoever may be cancelled meanwhile.

        Raises:
            ChainFailed: no route gave a usable reply; its `attempts` hold every cause.

        """
        routes = self._routes
        sticky = await self._state.sticky_route(conversation_key) if conversation_key is not None else None
        order = _with_first(routes, sticky)
        ends_at = self._clock.monotonic() + (deadline_seconds or self._deadline_seconds)
        try:
            done = await Chain(self._around, request, order, ends_at, trace).run()
        except ChainFailed as error:
            log.warning("llm.chain_failed", causes=[attempt.kind or attempt.skipped for attempt in error.attempts])
            raise
        if conversation_key is not None:
            await self._stick(conversation_key, routes, done.answered_by.route_id, sticky)
        return done

    async def test(self, route: Route) -> Attempt:
        """Make one small real call, whatever is known of the route; success ends its pauses."""
        try:
            return (await self.ask_only(route, _TEST, seconds=_TEST_SECONDS)).answered_by
        except ChainFailed as error:
            return error.attempts[-1]

    async def ask_only(self, route: Route, request: ChatRequest, *, seconds: float) -> Answered:
        """Put a question to one route, whatever is known of it and its budgets; success ends its pauses.

        Raises:
            ChainFailed: it gave no usable reply within `seconds`.

        """
        health = self._health_of(route)
        ends_at = self._clock.monotonic() + seconds
        unlimited = msgspec.structs.replace(
            route, is_enabled=True, is_spent=False, requests_per_minute=None, requests_per_day=None
        )
        fresh = RouteHealth(1, self._clock, self._jitter)
        fresh.dropped = health.dropped
        around = msgspec.structs.replace(self._around, state=MemoryState(self._clock), health=lambda _: fresh)
        try:
            done = await Chain(around, request, (unlimited,), ends_at).run()
        except ChainFailed:
            health.last_error, health.last_error_at = fresh.last_error, fresh.last_error_at
            raise
        health.dropped = fresh.dropped
        health.breaker.close()
        health.note_answer(done.answered_by.milliseconds)
        await self._state.resume(route.id)
        return done

    async def status(self) -> tuple[RouteStatus, ...]:
        """Describe every route, in the order they are asked."""
        pauses = await self._state.pauses()
        return tuple([await self._status_of(route, pauses.get(route.id)) for route in self._routes])

    async def _status_of(self, route: Route, pause: Pause | None) -> RouteStatus:
        health = self._health_of(route)
        used = await self._state.used(route.id)
        error = health.last_error
        return RouteStatus(
            route_id=route.id,
            provider=route.provider.name,
            model=route.model,
            is_enabled=route.is_enabled,
            is_local=route.provider.is_local,
            breaker=health.breaker.state,
            paused=pause.reason if pause else None,
            paused_seconds=pause.seconds if pause else 0.0,
            paused_kind=pause.kind if pause else "",
            requests_per_minute=health.requests_per_minute(route),
            requests_per_day=health.requests_per_day(route),
            used_this_minute=used.used_this_minute,
            used_today=used.used_today,
            in_flight=health.in_flight,
            dropped_parameters=tuple(sorted(health.dropped)),
            last_error_kind=error.kind if error else None,
            last_error_message=error.message if error else "",
            last_error_at=health.last_error_at,
            last_answer_at=health.last_answer_at,
            last_answer_milliseconds=health.last_answer_milliseconds,
        )

    async def _stick(self, key: str, routes: Sequence[Route], answered_by: str, sticky: str | None) -> None:
        """Keep a conversation with the fallback that answered it (tone, prompt cache), but not with the offline one."""
        is_fallback = any(
            route.id == answered_by and route.provider.answer is None for route in routes if route is not routes[0]
        )
        if is_fallback:
            await self._state.stick(key, answered_by)
        elif sticky is not None:
            await self._state.stick(key, None)

    def _health_of(self, route: Route) -> RouteHealth:
        health = self._health.get(route.id)
        if health is None:
            health = self._health[route.id] = RouteHealth(route.concurrency, self._clock, self._jitter)
        return health


def _with_first(routes: tuple[Route, ...], route_id: str | None) -> tuple[Route, ...]:
    if route_id is None:
        return routes
    first = tuple(route for route in routes if route.id == route_id)
    return first + tuple(route for route in routes if route.id != route_id)
