"""How fast messages may leave: per number, and per pair of number and recipient (whatsapp.md A2, limits).

A number sends at most 80 messages in any second (20 with coexistence); a pair has a bucket of 45 messages that refills
with one every 6 seconds. After WhatsApp has said "too fast" (130429 for a number, 131056 for a pair) nothing leaves for
that key before its `not_before`, which grows with every further refusal, and the number starts again at half its rate.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from app.whatsapp.error_codes import Scope
from app.whatsapp.errors import SendRejected

__all__ = ["PAIR_CAPACITY", "PAIR_REFILL_SECONDS", "PER_SECOND", "Hold", "LocalPacer", "Pacer", "Place", "hold_for"]

PER_SECOND = 80
WINDOW_SECONDS = 1.0
PAIR_CAPACITY = 45
PAIR_REFILL_SECONDS = 6.0
SLOWEST_PER_SECOND = 1
RESOLUTION_SECONDS = 2e-6
"""Shorter waits are none: who waited as long as was said must not be sent away for a rounding error."""
MOST_LEVELS = 6
_SWEEP_EVERY = 4096


class Place(msgspec.Struct, frozen=True):
    """What a message needs to leave."""

    number: str
    recipient: str
    per_second: int = PER_SECOND


class Pacer(Protocol):
    """Says when a message may leave. `number` is the phone number id, `recipient` any stable name of the person."""

    async def take(self, number: str, recipient: str, *, per_second: int = PER_SECOND) -> float:
        """Take one place. Return 0 if the message may leave now, else how many seconds to wait before asking again.

        Only an answer of 0 takes a place.
        """

    async def take_all(self, wanted: Sequence[Place]) -> list[float]:
        """Take several places in order; return for each what `take` would return."""

    async def hold(self, number: str, recipient: str, refusal: SendRejected) -> float:
        """Note that WhatsApp refused with a throttle; return for how many seconds nothing leaves for that key.

        Refusals that are no throttle change nothing and return 0.
        """


class Hold(msgspec.Struct, frozen=True):
    """What a throttle stops (`pair` or the whole number) and for how long: `first * factor ** level` seconds."""

    pair: bool
    first_seconds: float
    factor: float
    longest_seconds: float

    def seconds(self, level: int) -> float:
        """Return the wait after `level` earlier throttles in a row."""
        return float(min(self.longest_seconds, self.first_seconds * self.factor ** min(level, MOST_LEVELS)))


def hold_for(refusal: SendRejected) -> Hold | None:
    """Return what a refusal stops; `None` for one that stops only its own message, or nothing."""
    policy = refusal.rule.retry
    if refusal.retry_after_seconds is None or policy is None or refusal.scope is Scope.MESSAGE:
        return None
    first_seconds = max(policy.first_seconds, refusal.retry_after_seconds)
    longest_seconds = max(policy.longest_seconds, refusal.retry_after_seconds)
    return Hold(refusal.scope is Scope.PAIR, first_seconds, policy.factor, longest_seconds)


class Bucket(msgspec.Struct):
    """A token bucket: `tokens` at the moment `at` (seconds of the pacer's clock)."""

    tokens: float
    at: float

    def wait_seconds(self, now: float) -> float:
        """Return how long until a token is there."""
        missing = 1.0 - self._available(now)
        return max(0.0, missing * PAIR_REFILL_SECONDS)

    def spend(self, now: float) -> None:
        self.tokens, self.at = self._available(now) - 1.0, now

    def _available(self, now: float) -> float:
        return min(float(PAIR_CAPACITY), self.tokens + max(0.0, now - self.at) / PAIR_REFILL_SECONDS)


class Throttle(msgspec.Struct):
    """How often in a row WhatsApp has said "too fast"; forgotten twice the last wait (at least 60 s) after it."""

    level: int = 0
    not_before: float = 0.0
    forgotten_at: float = 0.0

    def wait_seconds(self, now: float) -> float:
        return max(0.0, self.not_before - now)

    def current_level(self, now: float) -> int:
        return self.level if now < self.forgotten_at else 0

    def rise(self, hold: Hold, now: float) -> float:
        level = self.current_level(now)
        seconds = hold.seconds(level)
        self.level = min(level + 1, MOST_LEVELS)
        self.not_before = max(self.not_before, now + seconds)
        self.forgotten_at = self.not_before + max(60.0, 2 * seconds)
        return self.not_before - now


def slowed(per_second: int, level: int) -> int:
    """Return the rate of a number that has been throttled `level` times in a row: halved each time."""
    return max(SLOWEST_PER_SECOND, per_second >> level)


class LocalPacer:
    """Paces the messages of this process, in memory. `clock` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sent: dict[str, deque[float]] = {}
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._numbers: dict[str, Throttle] = {}
        self._pairs: dict[tuple[str, str], Throttle] = {}
        self._taken = 0

    async def take(self, number: str, recipient: str, *, per_second: int = PER_SECOND) -> float:
        wait_seconds = self.wait_seconds(number, recipient, per_second)
        if wait_seconds == 0:
            self.record(number, recipient)
        return wait_seconds

    async def take_all(self, wanted: Sequence[Place]) -> list[float]:
        return [await self.take(one.number, one.recipient, per_second=one.per_second) for one in wanted]

    async def hold(self, number: str, recipient: str, refusal: SendRejected) -> float:
        held = hold_for(refusal)
        return 0.0 if held is None else self.rise(number, recipient, held)

    def wait_seconds(self, number: str, recipient: str, per_second: int) -> float:
        """Return what `take` would return, without taking a place."""
        now = self._clock()
        throttle = self._numbers.get(number, _NO_THROTTLE)
        waits = [throttle.wait_seconds(now), self._pairs.get((number, recipient), _NO_THROTTLE).wait_seconds(now)]
        bucket = self._buckets.get((number, recipient))
        if bucket is not None:
            waits.append(bucket.wait_seconds(now))
        rate = slowed(per_second, throttle.current_level(now))
        sent = self._sent.get(number, ())
        if len(sent) >= rate:
            waits.append(max(0.0, sent[-rate] + WINDOW_SECONDS - now))
        wait_seconds = max(waits)
        return wait_seconds if wait_seconds > RESOLUTION_SECONDS else 0.0

    def record(self, number: str, recipient: str) -> None:
        """Take a place, whether there is one or not."""
        now = self._clock()
        sent = self._sent.setdefault(number, deque())
        while sent and sent[0] <= now - WINDOW_SECONDS:
            sent.popleft()
        sent.append(now)
        self._buckets.setdefault((number, recipient), Bucket(float(PAIR_CAPACITY), now)).spend(now)
        self._taken += 1
        if self._taken % _SWEEP_EVERY == 0:
            self._sweep(now)

    def give_back(self, number: str, recipient: str) -> None:
        """Return a place that was taken a moment ago and not used."""
        self._sent[number].pop()
        self._buckets[number, recipient].tokens += 1.0

    def rise(self, number: str, recipient: str, held: Hold) -> float:
        """Stop a pair or a number; return for how many seconds."""
        now = self._clock()
        if held.pair:
            return self._pairs.setdefault((number, recipient), Throttle()).rise(held, now)
        return self._numbers.setdefault(number, Throttle()).rise(held, now)

    def _sweep(self, now: float) -> None:
        """Forget full buckets and throttles that are over, so that memory follows the recent traffic."""
        full_after = PAIR_CAPACITY * PAIR_REFILL_SECONDS
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if now - bucket.at < full_after}
        self._pairs = {key: throttle for key, throttle in self._pairs.items() if now < throttle.forgotten_at}


_NO_THROTTLE = Throttle()
