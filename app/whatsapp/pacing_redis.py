"""Pacing shared by all processes through Redis, with the local pacer as a floor under it.

Each decision is one Lua script, so it is atomic, and it runs on the clock of the Redis server. If Redis does not
answer, this process goes on with what it knows itself: alone it keeps within the limits, several processes together may
not, and WhatsApp's own throttle then tells them.
"""

import hashlib
import time
from collections.abc import Callable, Sequence

import structlog
from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from app.whatsapp.errors import SendRejected
from app.whatsapp.pacing import (
    MOST_LEVELS,
    PAIR_CAPACITY,
    PAIR_REFILL_SECONDS,
    PER_SECOND,
    RESOLUTION_SECONDS,
    SLOWEST_PER_SECOND,
    WINDOW_SECONDS,
    LocalPacer,
    Place,
    hold_for,
)

__all__ = ["RedisPacer"]

log = structlog.get_logger()

_PAUSE_SECONDS = 1.0

# Times are microseconds. KEYS: sends of the number, bucket of the pair, throttle of the number, throttle of the pair.
_CLOCK = """
local now = tonumber(ARGV[1])
if now < 0 then
  local t = redis.call('TIME')
  now = t[1] * 1000000 + t[2]
end
"""

# Answers the wait in microseconds; 0 takes a place. The list keeps the newest sends of the number first.
_TAKE = (
    _CLOCK
    + """
local per_second, window = tonumber(ARGV[2]), tonumber(ARGV[3])
local capacity, refill, slowest = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local wait, rate = 0, per_second
local number = redis.call('HMGET', KEYS[3], 'level', 'not_before')
if number[1] then
  rate = math.max(slowest, math.floor(per_second / 2 ^ tonumber(number[1])))
  wait = math.max(wait, tonumber(number[2]) - now)
end
local pair = redis.call('HGET', KEYS[4], 'not_before')
if pair then wait = math.max(wait, tonumber(pair) - now) end
local tokens = capacity
local bucket = redis.call('HMGET', KEYS[2], 'tokens', 'at')
if bucket[1] then
  tokens = math.min(capacity, tonumber(bucket[1]) + math.max(0, now - tonumber(bucket[2])) / refill)
end
if tokens < 1 then wait = math.max(wait, (1 - tokens) * refill) end
local earlier = redis.call('LINDEX', KEYS[1], rate - 1)
if earlier then wait = math.max(wait, tonumber(earlier) + window - now) end
if wait > tonumber(ARGV[7]) then return math.ceil(wait) end
redis.call('LPUSH', KEYS[1], string.format('%d', now))
redis.call('LTRIM', KEYS[1], 0, per_second - 1)
redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000) + 1000)
redis.call('HSET', KEYS[2], 'tokens', string.format('%.9f', tokens - 1), 'at', string.format('%d', now))
redis.call('PEXPIRE', KEYS[2], math.ceil(capacity * refill / 1000) + 1000)
return 0
"""
)

# KEYS: the throttle. Answers for how long nothing leaves, in microseconds. An expired throttle starts at level 0.
_HOLD = (
    _CLOCK
    + """
local first, factor, longest, most = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local known = redis.call('HMGET', KEYS[1], 'level', 'not_before')
local level = tonumber(known[1] or '0')
local wait = math.min(longest, first * factor ^ level)
local not_before = math.max(tonumber(known[2] or '0'), now + wait)
redis.call('HSET', KEYS[1], 'level', math.min(level + 1, most), 'not_before', string.format('%d', not_before))
redis.call('PEXPIRE', KEYS[1], math.ceil((not_before - now + math.max(60000000, 2 * wait)) / 1000))
return math.ceil(not_before - now)
"""
)

_MICRO = 1_000_000
_SERVER_CLOCK = -1


class RedisPacer:
    """See `Pacer`. Give a client whose time-outs are short (a second): a message waits for the answer.

    `prefix` separates installations on one server. `server_clock` replaces the clock of the Redis server, in seconds;
    `clock` is this process's own.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        prefix: str = "mostrador:pace",
        clock: Callable[[], float] = time.monotonic,
        server_clock: Callable[[], float] | None = None,
    ) -> None:
        self._local = LocalPacer(clock)
        self._clock = clock
        self._server_clock = server_clock
        self._prefix = prefix
        self._redis = redis
        self._take = redis.register_script(_TAKE)
        self._hold = redis.register_script(_HOLD)
        self._ask_again_at = 0.0

    async def take(self, number: str, recipient: str, *, per_second: int = PER_SECOND) -> float:
        (wait_seconds,) = await self.take_all([Place(number, recipient, per_second)])
        return wait_seconds

    async def take_all(self, wanted: Sequence[Place]) -> list[float]:
        waits: list[float] = []
        asked: list[tuple[int, Place]] = []
        for number, place in enumerate(wanted):
            waits.append(self._local.wait_seconds(place.number, place.recipient, place.per_second))
            if waits[-1] == 0:
                # Taken here first: the answer from Redis is awaited, and others must not slip in meanwhile.
                self._local.record(place.number, place.recipient)
                asked.append((number, place))
        answers = await self._ask(
            self._take,
            [(self._keys(place.number, place.recipient), self._limits(place.per_second)) for _, place in asked],
        )
        for (number, place), shared_seconds in zip(asked, answers or (), strict=False):
            if shared_seconds > 0:
                self._local.give_back(place.number, place.recipient)
                waits[number] = shared_seconds
        return waits

    def _limits(self, per_second: int) -> list[float]:
        return [
            self._now(),
            per_second,
            int(WINDOW_SECONDS * _MICRO),
            PAIR_CAPACITY,
            int(PAIR_REFILL_SECONDS * _MICRO),
            SLOWEST_PER_SECOND,
            RESOLUTION_SECONDS * _MICRO,
        ]

    async def hold(self, number: str, recipient: str, refusal: SendRejected) -> float:
        held = hold_for(refusal)
        if held is None:
            return 0.0
        local_seconds = self._local.rise(number, recipient, held)
        keys = self._keys(number, recipient)
        how_long = [
            self._now(),
            int(held.first_seconds * _MICRO),
            held.factor,
            int(held.longest_seconds * _MICRO),
            MOST_LEVELS,
        ]
        shared = await self._ask(self._hold, [([keys[3] if held.pair else keys[2]], how_long)])
        return max(local_seconds, *(shared or [0.0]))

    async def _ask(self, script: AsyncScript, calls: Sequence[tuple[list[str], Sequence[float]]]) -> list[float] | None:
        """Run a script for each (keys, arguments), in one round trip; return the seconds that each run answers.

        `None` if Redis does not answer, and then it is left alone for a second.
        """
        if not calls or self._clock() < self._ask_again_at:
            return None
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for keys, arguments in calls:
                    await script(keys=keys, args=arguments, client=pipeline)
                answers = await pipeline.execute()
        except (RedisError, OSError, TimeoutError) as error:
            self._ask_again_at = self._clock() + _PAUSE_SECONDS
            log.warning("pacing.redis_unavailable", error=type(error).__name__)
            return None
        return [int(microseconds) / _MICRO for microseconds in answers]

    def _now(self) -> int:
        return _SERVER_CLOCK if self._server_clock is None else int(self._server_clock() * _MICRO)

    def _keys(self, number: str, recipient: str) -> list[str]:
        """Name the keys; the braces keep those of a number on one node of a cluster, and no phone number is in them."""
        base = f"{self._prefix}:{{{number}}}"
        person = hashlib.blake2b(recipient.encode(), digest_size=12).hexdigest()
        return [f"{base}:sent", f"{base}:bucket:{person}", f"{base}:held", f"{base}:held:{person}"]
