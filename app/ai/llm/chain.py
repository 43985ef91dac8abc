"""One question walked along the routes: admission, calls, repairs, waiting, under one deadline and one retry loop."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import msgspec

from app.ai.llm.attempts import Answered, Attempt, ChainFailed, answered, failed, skipped
from app.ai.llm.chat import ChatReply, ChatRequest
from app.ai.llm.classify import classify
from app.ai.llm.clock import Clock
from app.ai.llm.errors import CallFailed, Failure, failure_of_http_error
from app.ai.llm.fitting import continued, ends_a_sentence, fitted, shortened, up_to_last_sentence
from app.ai.llm.health import RouteHealth, cool_down_of
from app.ai.llm.limits import limits_of_headers
from app.ai.llm.provider import Route
from app.ai.llm.state import Pause, RouteState
from app.core.http_client import HttpClient, HttpError, HttpResponse

__all__ = ["Chain", "Surroundings"]

_MOST_CALLS = 5
_KEPT_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 8.0
_MOST_REFUSALS = 2
_RESERVED_FOR_REPLIES = 2
_OVERLOAD_WAIT_SECONDS = 0.5


class Surroundings(msgspec.Struct, frozen=True):
    """What every question shares. `outside` calls addresses that a user set; `jitter` returns a number from 0 to 1."""

    client: HttpClient
    outside: HttpClient
    state: RouteState
    clock: Clock
    health: Callable[[Route], RouteHealth]
    jitter: Callable[[], float]


class Chain:
    """One question. `order` is the routes in the order they are to be asked; `ends_at` is on the monotonic clock.

    `trace` gets every attempt as it is made, so that it is there for a caller who does not wait for the end.
    """

    def __init__(
        self,
        around: Surroundings,
        request: ChatRequest,
        order: Sequence[Route],
        ends_at: float,
        trace: list[Attempt] | None = None,
    ) -> None:
        self._around = around
        self._request = request
        self._order = order
        self._ends_at = ends_at
        self._attempts: list[Attempt] = [] if trace is None else trace
        self._skips: dict[str, Attempt] = {}
        self._given_up: set[str] = set()
        self._calls = 0
        self._refusals = 0
        self._is_over = False

    async def run(self) -> Answered:
        """Return the first usable reply.

        Raises:
            ChainFailed: there is none, with every cause.

        """
        may_queue = len(self._order) == 1
        while True:
            self._skips.clear()
            reply = await self._walk(may_queue=may_queue)
            if reply is not None:
                return Answered(reply, tuple(self._attempts))
            if not may_queue and any(attempt.skipped == "busy" for attempt in self._skips.values()):
                may_queue = True
            elif not await self._wait_for_room():
                raise ChainFailed(self._attempts)

    async def _walk(self, *, may_queue: bool) -> ChatReply | None:
        """Ask each route that has not failed yet, once around."""
        pauses = await self._around.state.pauses()
        for route in self._order:
            if self._is_over or self._calls >= _MOST_CALLS or self._remaining_seconds() <= 0:
                return None
            if route.id in self._given_up:
                continue
            request = self._admitted(route, pauses)
            if isinstance(request, Attempt):
                self._skip(request)
                continue
            reply = await self._in_slot(route, request, may_queue=may_queue)
            if reply is not None:
                return reply
        return None

    def _admitted(self, route: Route, pauses: Mapping[str, Pause]) -> ChatRequest | Attempt:
        """Return the request as this route takes it, or why it is passed over. Costs no I/O."""
        can = route.target.capabilities
        if not route.is_enabled:
            return skipped(route, "disabled")
        if route.is_spent:
            return skipped(route, "money_budget")
        if not can.images and self._request.has_images:
            return skipped(route, "no_images")
        if (pause := pauses.get(route.id)) is not None:
            return skipped(route, pause.reason, pause.seconds)
        if (wait_seconds := self._around.health(route).breaker.wait_seconds()) > 0:
            return skipped(route, "breaker_open", wait_seconds)
        return fitted(self._request, can.context_tokens) or skipped(route, "context_too_small")

    async def _in_slot(self, route: Route, request: ChatRequest, *, may_queue: bool) -> ChatReply | None:
        """Take a place among the calls under way, then a request from the budget, then ask.

        The place comes first, so that no budget is spent on a call that then does not go out.
        """
        health = self._around.health(route)
        must_queue = health.slots.locked()
        if must_queue and not may_queue:
            self._skip(skipped(route, "busy"))
            return None
        try:
            async with asyncio.timeout(max(0.0, self._remaining_seconds())):
                await health.slots.acquire()
        except TimeoutError:
            self._skip(skipped(route, "busy"))
            self._is_over = True
            return None
        health.in_flight += 1
        try:
            # While we stood in the queue the provider may have fallen ill or asked for a pause.
            if must_queue and isinstance(now := self._admitted(route, await self._around.state.pauses()), Attempt):
                self._skip(now)
                return None
            return await self._ask_within_budget(route, request, health)
        finally:
            health.in_flight -= 1
            health.slots.release()

    async def _ask_within_budget(self, route: Route, request: ChatRequest, health: RouteHealth) -> ChatReply | None:
        is_probe = health.breaker.starts()
        try:
            return await self._ask(route, request, health) if await self._take(route, health) else None
        finally:
            if is_probe:
                health.breaker.abandoned()

    async def _take(self, route: Route, health: RouteHealth) -> bool:
        per_minute, per_day = health.requests_per_minute(route), health.requests_per_day(route)
        if per_minute is None and per_day is None:
            return True
        reserve = _RESERVED_FOR_REPLIES if self._request.priority == "background" else 0
        taken = await self._around.state.take(route.id, per_minute, per_day, reserve)
        if not taken.ok and taken.scope:
            self._skip(skipped(route, taken.scope, taken.wait_seconds))
        return taken.ok

    def _skip(self, attempt: Attempt) -> None:
        """Note a route that was passed over; the same reason is told once, however often we come around."""
        self._skips[attempt.route_id] = attempt
        if not any(told.route_id == attempt.route_id and told.skipped == attempt.skipped for told in self._attempts):
            self._attempts.append(attempt)

    async def _ask(self, route: Route, request: ChatRequest, health: RouteHealth) -> ChatReply | None:
        """Call the route, and once more after each repair that a failure allows."""
        repaired: set[str] = set()
        while True:
            left_out = health.dropped
            outcome = await self._call(route, request, health)
            if isinstance(outcome, ChatReply):
                return await self._whole(route, request, outcome, health)
            if outcome.kind == "param":
                again = request if health.drops(outcome.parameter, left_out) else None
            else:
                again = None if outcome.kind in repaired else self._repair(route, request, outcome)
            repaired.add(outcome.kind)
            if again is None or not await self._may_call_again(route, outcome, health):
                break
            request = again
        self._give_up(route, outcome)
        return None

    def _repair(self, route: Route, request: ChatRequest, failure: Failure) -> ChatRequest | None:
        """Return what to send to the same route instead; None when asking it again would not help."""
        match failure.kind:
            case "context":
                return shortened(request)
            case "network":
                return request
            case "overload" if self._is_last(route):
                return request
            case _:
                return None

    async def _may_call_again(self, route: Route, failure: Failure, health: RouteHealth) -> bool:
        if self._calls >= _MOST_CALLS or self._remaining_seconds() <= 0 or health.breaker.wait_seconds() > 0:
            return False
        if failure.kind == "overload":
            pause_seconds = failure.retry_after_seconds or _OVERLOAD_WAIT_SECONDS * (1 + self._around.jitter())
            if pause_seconds > min(_LONGEST_WAIT_SECONDS, self._remaining_seconds()):
                return False
            await self._around.clock.sleep(pause_seconds)
        return await self._take(route, health)

    def _give_up(self, route: Route, failure: Failure) -> None:
        self._given_up.add(route.id)
        self._refusals += failure.kind == "refusal"
        # The next provider would only hide a mistake of ours, and a third one that refuses changes nothing.
        self._is_over = failure.kind == "bad_request" or self._refusals >= _MOST_REFUSALS

    async def _whole(self, route: Route, request: ChatRequest, reply: ChatReply, health: RouteHealth) -> ChatReply:
        """Complete an answer that was cut off inside a sentence: one continuation, else up to the last sentence."""
        if reply.finish != "length" or ends_a_sentence(reply.text):
            return reply
        if self._calls < _MOST_CALLS and self._remaining_seconds() > 0 and await self._take(route, health):
            rest = await self._call(route, continued(request, reply), health)
            if isinstance(rest, ChatReply) and not rest.tool_calls:
                space = "" if rest.text[:1] in ".,;:!?" else " "
                return msgspec.structs.replace(rest, text=f"{reply.text}{space}{rest.text}")
        return msgspec.structs.replace(reply, text=up_to_last_sentence(reply.text))

    async def _call(self, route: Route, request: ChatRequest, health: RouteHealth) -> ChatReply | Failure:
        """Make one call and note everything that follows from it."""
        self._calls += 1
        clock = self._around.clock
        started = clock.monotonic()
        outcome: ChatReply | Failure
        if route.provider.answer is not None:
            outcome = route.provider.answer(request)
        else:
            try:
                outcome = await self._over_http(route, request, health)
            except asyncio.CancelledError:
                unwanted = Failure(kind="cancelled", message="nobody waited for the answer any more")
                self._attempts.append(failed(route, unwanted, round((clock.monotonic() - started) * 1000)))
                raise
        milliseconds = round((clock.monotonic() - started) * 1000)
        if isinstance(outcome, Failure):
            return await self._note_failure(route, outcome, health, failed(route, outcome, milliseconds))
        flaw = _flaw(outcome, request)
        if flaw is not None:
            return await self._note_failure(route, flaw, health, failed(route, flaw, milliseconds, outcome.usage))
        health.note_answer(milliseconds)
        self._attempts.append(answered(route, milliseconds, outcome.usage))
        return outcome

    async def _over_http(self, route: Route, request: ChatRequest, health: RouteHealth) -> ChatReply | Failure:
        target = route.target
        if health.dropped:
            target = msgspec.structs.replace(target, dropped=health.dropped)
        call = route.provider.build(request, target)
        client = self._around.outside if route.is_outside else self._around.client
        try:
            response = await client.request(
                "POST",
                call.url,
                headers=call.headers,
                content=call.body,
                timeout_seconds=min(route.attempt_timeout_seconds, self._remaining_seconds()),
                connect_timeout_seconds=route.connect_timeout_seconds,
            )
        except HttpError as error:
            return failure_of_http_error(error)
        return _read(route, response, health)

    async def _note_failure(self, route: Route, failure: Failure, health: RouteHealth, attempt: Attempt) -> Failure:
        self._attempts.append(attempt)
        health.learn_limits(failure.limits)
        pauses = (health.note_failure(failure), cool_down_of(failure, self._around.clock.now()))
        for pause in pauses:
            if pause is not None:
                await self._around.state.pause(route.id, pause)
        return failure

    async def _wait_for_room(self) -> bool:
        """Wait for the earliest slot of a full minute if it is near; False if there is nothing to wait for."""
        waits = [
            attempt.wait_seconds
            for attempt in self._skips.values()
            if attempt.skipped == "minute_budget" and attempt.wait_seconds is not None
        ]
        if not waits or self._is_over or self._calls >= _MOST_CALLS:
            return False
        seconds = min(waits)
        if seconds > min(_LONGEST_WAIT_SECONDS, self._remaining_seconds()):
            return False
        await self._around.clock.sleep(seconds)
        return True

    def _is_last(self, route: Route) -> bool:
        return all(other.id == route.id or other.id in self._given_up for other in self._order)

    def _remaining_seconds(self) -> float:
        """Seconds left for calls; one is kept for whoever has to tell the customer."""
        return self._ends_at - self._around.clock.monotonic() - _KEPT_SECONDS


def _read(route: Route, response: HttpResponse, health: RouteHealth) -> ChatReply | Failure:
    if not 200 <= response.status < 300:  # noqa: PLR2004 - the 2xx class of RFC 9110
        return _without_key(route, classify(response.status, response.headers, response.body))
    health.learn_limits(limits_of_headers(response.headers))
    try:
        return route.provider.parse(response.body)
    except CallFailed as error:
        return _without_key(route, error.failure)


def _without_key(route: Route, failure: Failure) -> Failure:
    """Blot out our key, which some servers repeat in their refusal; messages are stored and shown."""
    key = route.target.api_key.reveal() if route.target.api_key is not None else ""
    if not key or key not in failure.message:
        return failure
    return msgspec.structs.replace(failure, message=failure.message.replace(key, "***"))


def _flaw(reply: ChatReply, request: ChatRequest) -> Failure | None:
    """Say why a reply that arrived in good order is still no answer."""
    if reply.finish == "refusal":
        return Failure(kind="refusal", message=reply.text[:300] or "the model would not answer", status=200)
    if not reply.text and not reply.tool_calls:
        return Failure(kind="malformed", message=f"the answer is empty (finish {reply.finish})", status=200)
    if request.output is not None and not reply.tool_calls:
        try:
            msgspec.json.decode(reply.text)
        except (msgspec.DecodeError, RecursionError):
            return Failure(kind="malformed", message="the answer is not the JSON that was asked for", status=200)
    return None
