"""The router's state in Redis, so that several processes share pauses and budgets.

Redis is a convenience, not a condition: when it does not answer, this process goes on with its own `MemoryState` and
its share of each budget, and looks again after five seconds.
"""

import asyncio
import hashlib
from collections.abc import Awaitable
from typing import Any, TypeVar

import msgspec
import redis.asyncio
import structlog
from redis.exceptions import RedisError

from app.ai.llm.clock import Clock
from app.ai.llm.limits import pacific_date, seconds_to_pacific_midnight
from app.ai.llm.state import STICKY_SECONDS, BudgetLeft, MemoryState, Pause, Taken

__all__ = ["RedisState"]

Answer = TypeVar("Answer")
log = structlog.get_logger()

_TIMEOUT_SECONDS = 0.5
_LOOK_AGAIN_SECONDS = 5.0
_LOG_EVERY_SECONDS = 60.0
_REFRESH_SECONDS = 1.0

# KEYS: minute list, day counter. ARGV: allowed in a minute, entries to keep, allowed in a day (0: no limit), day's TTL.
# The list holds the last request times in ms, newest first, by the server's clock, which all processes share.
_TAKE = """
local day = tonumber(ARGV[3])
if day > 0 and tonumber(redis.call('GET', KEYS[2]) or '0') >= day then return {2, 0} end
local allowed = tonumber(ARGV[1])
if allowed > 0 then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local oldest = redis.call('LINDEX', KEYS[1], allowed - 1)
  if oldest and now - tonumber(oldest) < 60000 then return {1, 60000 - (now - tonumber(oldest))} end
  redis.call('LPUSH', KEYS[1], now)
  redis.call('LTRIM', KEYS[1], 0, tonumber(ARGV[2]) - 1)
  redis.call('PEXPIRE', KEYS[1], 61000)
end
if day > 0 then
  redis.call('INCR', KEYS[2])
  redis.call('EXPIRE', KEYS[2], tonumber(ARGV[4]))
end
return {0, 0}
"""

# KEYS: pauses. ARGV: route id, pause as JSON, seconds. The longer pause holds; passed ones are cleared away.
_PAUSE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if tonumber(string.match(all[i + 1], '^%d+')) <= now then redis.call('HDEL', KEYS[1], all[i]) end
end
local untilms = now + math.floor(tonumber(ARGV[3]) * 1000)
local held = redis.call('HGET', KEYS[1], ARGV[1])
if not held or tonumber(string.match(held, '^%d+')) < untilms then
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', untilms) .. ' ' .. ARGV[2])
end
return 0
"""


class RedisState:
    """Shared state. `processes` is how many share a budget while Redis is away; keys start with `prefix`.

    The Redis client stays the caller's: it is not closed here.
    """

    def __init__(
        self, client: redis.asyncio.Redis, clock: Clock, *, processes: int = 1, prefix: str = "mostrador:llm:"
    ) -> None:
        self._client = client
        self._clock = clock
        self._processes = processes
        self._prefix = prefix
        self._take_script = client.register_script(_TAKE)
        self._pause_script = client.register_script(_PAUSE)
        self._local = MemoryState(clock)
        self._away_until = 0.0
        self._logged_at: float | None = None
        self._shared_pauses: dict[str, tuple[float, Pause]] = {}
        self._refreshed_at: float | None = None
        self._anyone_sticky = False

    async def pauses(self) -> dict[str, Pause]:
        now = self._clock.monotonic()
        if self._refreshed_at is None or now - self._refreshed_at >= _REFRESH_SECONDS:
            self._refreshed_at = now
            await self._refresh()
        found = {
            route_id: Pause(reason=pause.reason, seconds=until - now, kind=pause.kind)
            for route_id, (until, pause) in self._shared_pauses.items()
            if until > now
        }
        return found | await self._local.pauses()

    async def pause(self, route_id: str, pause: Pause) -> None:
        await self._local.pause(route_id, pause)
        call = self._pause_script(
            keys=[self._prefix + "pauses"], args=[route_id, msgspec.json.encode(pause), pause.seconds]
        )
        await self._ask(call)

    async def resume(self, route_id: str) -> None:
        await self._local.resume(route_id)
        self._shared_pauses.pop(route_id, None)
        pipeline = self._client.pipeline(transaction=False)
        pipeline.hdel(self._prefix + "pauses", route_id)
        await self._ask(pipeline.execute())

    async def take(
        self, route_id: str, requests_per_minute: int | None, requests_per_day: int | None, reserve: int
    ) -> Taken:
        if requests_per_minute is None and requests_per_day is None:
            return Taken(True)
        now = self._clock.now()
        day = pacific_date(now)
        to_midnight = seconds_to_pacific_midnight(now)
        allowed = max(1, requests_per_minute - reserve) if requests_per_minute is not None else 0
        arguments = [allowed, requests_per_minute or 0, requests_per_day or 0, int(to_midnight) + 3600]
        keys = [self._minute_key(route_id), self._day_key(route_id, day)]
        answer = await self._ask(self._take_script(keys=keys, args=arguments))
        if answer is None:
            return await self._local.take(
                route_id, self._share(requests_per_minute), self._share(requests_per_day), reserve
            )
        match answer:
            case [1, wait_ms]:
                return Taken(False, "minute_budget", wait_ms / 1000)
            case [2, _]:
                return Taken(False, "day_budget", to_midnight)
        # Counted here too, so that a budget does not start afresh when Redis goes away.
        self._local.note(route_id, requests_per_minute, day if requests_per_day is not None else "")
        return Taken(True)

    async def used(self, route_id: str) -> BudgetLeft:
        day = pacific_date(self._clock.now())
        pipeline = self._client.pipeline(transaction=False)
        pipeline.lrange(self._minute_key(route_id), 0, -1)
        pipeline.get(self._day_key(route_id, day))
        pipeline.time()
        answer = await self._ask(pipeline.execute())
        if answer is None:
            return await self._local.used(route_id)
        sent, today, (seconds, microseconds) = answer
        start_ms = seconds * 1000 + microseconds // 1000 - 60_000
        recent = sum(1 for moment in sent if int(moment) > start_ms)
        return BudgetLeft(used_this_minute=recent, used_today=int(today or 0))

    async def sticky_route(self, conversation_key: str) -> str | None:
        if not self._anyone_sticky:
            return await self._local.sticky_route(conversation_key)
        answer = await self._ask(self._client.get(self._sticky_key(conversation_key)))
        if answer is None:
            return await self._local.sticky_route(conversation_key)
        return answer.decode() if isinstance(answer, bytes) else str(answer)

    async def stick(self, conversation_key: str, route_id: str | None) -> None:
        await self._local.stick(conversation_key, route_id)
        if route_id is None:
            await self._ask(self._client.delete(self._sticky_key(conversation_key)))
            return
        seconds = int(STICKY_SECONDS)
        pipeline = self._client.pipeline(transaction=False)
        pipeline.set(self._sticky_key(conversation_key), route_id, ex=seconds)
        pipeline.set(self._prefix + "anyone_sticky", 1, ex=seconds)
        await self._ask(pipeline.execute())
        self._anyone_sticky = True

    async def _refresh(self) -> None:
        pipeline = self._client.pipeline(transaction=False)
        pipeline.time()
        pipeline.hgetall(self._prefix + "pauses")
        pipeline.exists(self._prefix + "anyone_sticky")
        answer = await self._ask(pipeline.execute())
        if answer is None:
            self._anyone_sticky = False
            return
        (seconds, microseconds), held, anyone_sticky = answer
        self._anyone_sticky = bool(anyone_sticky)
        server_ms = seconds * 1000 + microseconds // 1000
        now = self._clock.monotonic()
        self._shared_pauses = {
            _text(route_id): (now + (until_ms - server_ms) / 1000, pause)
            for route_id, (until_ms, pause) in ((key, _held(value)) for key, value in held.items())
        }

    async def _ask(self, question: Awaitable[Any]) -> Any | None:
        """Return Redis's answer; None when it has none to give now, whatever the reason."""
        if self._clock.monotonic() < self._away_until:
            _drop(question)
            return None
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                return await question
        except (RedisError, OSError) as error:  # TimeoutError is an OSError
            now = self._clock.monotonic()
            self._away_until = now + _LOOK_AGAIN_SECONDS
            if self._logged_at is None or now - self._logged_at >= _LOG_EVERY_SECONDS:
                self._logged_at = now
                log.warning("llm.state_redis_away", error=type(error).__name__)
            return None

    def _share(self, limit: int | None) -> int | None:
        return None if limit is None else max(1, limit // self._processes)

    def _minute_key(self, route_id: str) -> str:
        return f"{self._prefix}minute:{route_id}"

    def _day_key(self, route_id: str, day: str) -> str:
        return f"{self._prefix}day:{day}:{route_id}"

    def _sticky_key(self, conversation_key: str) -> str:
        return f"{self._prefix}sticky:{hashlib.sha256(conversation_key.encode()).hexdigest()[:24]}"


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _held(value: bytes | str) -> tuple[int, Pause]:
    until_ms, _, pause = _text(value).partition(" ")
    return int(until_ms), msgspec.json.decode(pause, type=Pause)


def _drop(question: Awaitable[Any]) -> None:
    if asyncio.iscoroutine(question):
        question.close()
