"""Webhooks on their way to the product: batched, signed, posted, and repeated until they are answered with 200.

At least once and in no promised order, like Meta. Statuses that wait while all connections are busy travel together, so
a slow product gets fewer and larger webhooks.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

import msgspec
import structlog

from app.core.http_client import HttpClient, HttpError
from app.simulator.batches import Batches, Webhook
from app.simulator.config import SimulatedNumber, SimulatorConfig
from app.simulator.faults import FaultMenu
from app.simulator.wire import WireContact, WireMessage, WireStatus

__all__ = ["Deliveries", "DeliveryListener"]

_log = structlog.get_logger()

# How long a webhook that was to be overtaken waits when nothing else is on its way.
_LONE_REORDERED_SECONDS = 0.05


class DeliveryListener(Protocol):
    """Who wants to know. `messages` of the webhook are pairs of customer and message id."""

    def acknowledged(self, webhook: Webhook) -> None: ...

    def unix_time(self) -> int: ...


class Deliveries:
    """Owns the queue of webhooks and the tasks that post it (`run`)."""

    def __init__(
        self, config: SimulatorConfig, http: HttpClient, faults: FaultMenu, listener: DeliveryListener
    ) -> None:
        self._config = config
        self._http = http
        self._faults = faults
        self._listener = listener
        self._batches = Batches(config, listener.unix_time)
        self._sealed: deque[Webhook] = deque()
        self._overtaken: list[tuple[int, Webhook]] = []
        self._ready = asyncio.Event()
        self._slots = asyncio.Semaphore(config.webhook_connections)
        self._timers: set[asyncio.TimerHandle] = set()
        self._linger: asyncio.TimerHandle | None = None
        self._held = False
        self._promised = 0
        self._idle_waiters: list[asyncio.Future[None]] = []
        self._generation = 0

    def message(self, channel: str, customer: str, contact: WireContact | None, message: WireMessage) -> None:
        """Promise a customer's message."""
        self._promised += 1
        self._batches.add_message(channel, customer, contact, message)
        self._ready.set()

    def status(self, channel: str, make: Callable[[], WireStatus], after_seconds: float) -> None:
        """Promise a status; `make` is called when it is due."""
        self._promised += 1
        if after_seconds > 0:
            self._later(after_seconds, lambda: self._status_is_due(channel, make()))
        else:
            self._status_is_due(channel, make())

    def change(self, number: SimulatedNumber, field: str, value: msgspec.Raw) -> None:
        """Promise a webhook of another field."""
        self._promised += 1
        self._seal(self._batches.of_change(number, field, value))

    def release_or_hold(self) -> None:
        """Look at the fault menu again: hold everything back while `hold_webhooks` is in force, else let it go."""
        self._held = any(fault.kind == "hold_webhooks" for fault in self._faults.active())
        if not self._held:
            self._ready.set()

    async def idle(self) -> None:
        """Return when every promise is kept: no webhook is queued, due later, under way or to be repeated."""
        if self._promised == 0:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._idle_waiters.append(waiter)
        await waiter

    @property
    def promised(self) -> int:
        """How many messages, statuses and changes are not acknowledged yet."""
        return self._promised

    def forget(self) -> None:
        """Drop everything that is queued or due; what is under way ends as it may and no longer counts."""
        self._generation += 1
        self._cancel_timers()
        self._sealed.clear()
        self._overtaken.clear()
        self._batches.clear()
        self._settle(self._promised)

    async def run(self) -> None:
        """Post webhooks until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    await self._ready.wait()
                    await self._slots.acquire()
                    webhook = None if self._held else self._next()
                    if webhook is None:
                        self._ready.clear()
                        self._slots.release()
                    else:
                        tasks.create_task(self._deliver(webhook, self._generation))
        finally:
            self._cancel_timers()

    def _status_is_due(self, channel: str, status: WireStatus) -> None:
        is_full = self._batches.add_status(channel, status)
        linger = self._config.status_linger_seconds
        if linger <= 0 or is_full:
            self._ready.set()
        elif self._linger is None:
            self._linger = asyncio.get_running_loop().call_later(linger, self._end_linger)

    def _end_linger(self) -> None:
        self._linger = None
        self._ready.set()

    def _next(self) -> Webhook | None:
        """Return the next webhook to post; the faults that delay, double or reorder it strike here."""
        while (webhook := self._take()) is not None:
            if webhook.is_fresh:
                webhook.is_fresh = False
                if self._is_put_off(webhook):
                    continue
                self._double(webhook)
            self._let_overtake()
            return webhook
        return None

    def _is_put_off(self, webhook: Webhook) -> bool:
        late = self._faults.strike("late_webhook", webhook.customer)
        if late is not None:
            self._later(late.seconds or 0.0, lambda: self._seal(webhook))
            return True
        reorder = self._faults.strike("reorder_webhooks", webhook.customer)
        if reorder is not None:
            overtaken_by = self._faults.stream("reorder_webhooks").randint(1, 3)
            self._overtaken.append((overtaken_by, webhook))
            # When nothing else comes that could overtake it, it goes after a moment.
            self._later(reorder.seconds or _LONE_REORDERED_SECONDS, lambda: self._end_overtaking(webhook))
        return reorder is not None

    def _let_overtake(self) -> None:
        """Count one more webhook that overtakes the ones put off for that."""
        waiting, self._overtaken = self._overtaken, []
        for left, webhook in waiting:
            if left > 1:
                self._overtaken.append((left - 1, webhook))
            else:
                self._sealed.append(webhook)

    def _end_overtaking(self, webhook: Webhook) -> None:
        still = [entry for entry in self._overtaken if entry[1] is webhook]
        for entry in still:
            self._overtaken.remove(entry)
            self._seal(webhook)

    def _double(self, webhook: Webhook) -> None:
        fault = self._faults.strike("duplicate_webhook", webhook.customer)
        for _ in range(0 if fault is None else fault.copies):
            self._promised += 1
            self._sealed.append(msgspec.structs.replace(webhook, promises=1))

    def _take(self) -> Webhook | None:
        if self._sealed:
            return self._sealed.popleft()
        return self._batches.take(only_full=self._linger is not None)

    def _seal(self, webhook: Webhook) -> None:
        self._sealed.append(webhook)
        self._ready.set()

    async def _deliver(self, webhook: Webhook, generation: int) -> None:
        try:
            webhook.attempts += 1
            is_taken = await self._post(webhook)
        finally:
            self._slots.release()
            # Another webhook may have waited for this connection.
            self._ready.set()
        if generation != self._generation:
            return
        retries = self._config.retries
        if is_taken:
            self._listener.acknowledged(webhook)
            self._settle(webhook.promises)
        elif webhook.attempts >= retries.give_up_after_attempts:
            _log.warning("simulator.webhook_given_up", attempts=webhook.attempts)
            self._settle(webhook.promises)
        else:
            self._later(retries.delay_seconds(webhook.attempts), lambda: self._seal(webhook))

    async def _post(self, webhook: Webhook) -> bool:
        headers = {"content-type": "application/json", "x-hub-signature-256": webhook.signature}
        try:
            response = await self._http.request(
                "POST",
                self._config.webhook_url,
                headers=headers,
                content=webhook.body,
                timeout_seconds=self._config.retries.timeout_seconds,
            )
        except HttpError as error:
            _log.debug("simulator.webhook_failed", reason=error.reason, attempts=webhook.attempts)
            return False
        return response.status == HTTPStatus.OK

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        """Call `act` after that time, unless everything is forgotten or stopped before."""

        def fire() -> None:
            self._timers.discard(timer)
            act()

        timer = asyncio.get_running_loop().call_later(seconds, fire)
        self._timers.add(timer)

    def _cancel_timers(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None

    def _settle(self, promises: int) -> None:
        self._promised -= promises
        if self._promised == 0:
            waiters, self._idle_waiters = self._idle_waiters, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)
