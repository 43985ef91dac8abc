"""The deliver dispatcher: claim what may leave, hand it to its transport, write down what became of it."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.db import Database, GroupCommit
from app.core.failpoints import reach
from app.core.log import correlation
from app.core.metrics import Metrics
from app.outbound.failover import choose_ways
from app.outbound.files import Files
from app.outbound.leaving import Leaving, pacing_key, start, sweep
from app.outbound.outcomes import Outcome, another_waits, save
from app.outbound.recall import recalled
from app.outbound.states import State
from app.outbound.statuses import tracker
from app.whatsapp.channels import ChannelNotFound, Channels
from app.whatsapp.error_codes import ErrorAction
from app.whatsapp.errors import SendNotAttempted, SendRejected, SendUnknown
from app.whatsapp.pacing import Pacer
from app.whatsapp.transport import Transport

log = structlog.get_logger()

OUTBOX = "outbox"  # the wake-up topic of whoever delivers

SEND_TIMEOUT_SECONDS = 15.0
_LATEST_START_SECONDS = 6.0  # lease 30 s > this + its file 3.5 s + time-out + 5 s: a send never outlives its lease
_SWEEP_SECONDS = 2.0
_PATIENCE_SECONDS = 10.0  # for a database that is away: an outcome that is not stored makes an `unknown`
_NOT_ATTEMPTED_WAIT_SECONDS = 5.0


class Delivery:
    """`claim` and `handle` for the deliver dispatcher. An async context manager.

    `transports` by channel kind. Outcomes are committed in groups; `tell` is called when another message of one of
    their conversations may leave now. `failover_after` is how long a channel is down before its messages leave through
    the other transport; None lets them wait.
    """

    def __init__(
        self,
        database: Database,
        channels: Channels,
        transports: Mapping[str, Transport],
        pacer: Pacer,
        files: Files,
        metrics: Metrics,
        *,
        tell: Callable[[], None],
        failover_after: timedelta | None = None,
    ) -> None:
        self._database = database
        self._channels = channels
        self._transports = transports
        self._pacer = pacer
        self._files = files
        self._metrics = metrics
        self._replied = metrics.turn_duration.labels("replied")
        self._send_stage = metrics.turn_stage.labels("send")
        self._claimed_at: dict[UUID, float] = {}
        self._swept_at = 0.0
        self._sending: set[asyncio.Task[None]] = set()
        self._tell = tell
        self._failover_after = failover_after
        self._another_waits = False
        self._outcomes: GroupCommit[Outcome, bool] = GroupCommit(
            database, self._save, then=self._saved, patience_seconds=_PATIENCE_SECONDS
        )

    async def __aenter__(self) -> Self:
        await self._outcomes.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await asyncio.gather(*self._sending, return_exceptions=True)
        await self._files.aclose()
        await self._outcomes.__aexit__(*error)

    async def claim(self, limit: int) -> list[Leaving]:
        """Flip up to `limit` messages to `processing`, committed before any of them is sent."""
        started = time.monotonic()
        is_time_to_sweep = started - self._swept_at > _SWEEP_SECONDS
        if is_time_to_sweep:
            self._swept_at = started
            await self._recall()
        async with self._database.write() as connection:
            now = await self._database.now(connection)
            if is_time_to_sweep:
                parked = await sweep(connection)
                if parked:
                    log.warning("outbound.parked", count=len(parked))
            if self._failover_after is not None:
                await choose_ways(connection, self._failover_after, limit, now=now)
            leaving = await start(connection, self._pacer, limit, now=now)
            if leaving:
                reach("deliver.flipped")
        if leaving:
            reach("deliver.claimed")
        for one in leaving:
            self._claimed_at[one.attempt_id] = started
        return leaving

    async def handle(self, leaving: Leaving) -> None:
        """Send one message and store what became of it. A stop waits for both: half of it would be an `unknown`."""
        task = asyncio.create_task(self._send_and_record(leaving))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        await asyncio.shield(task)

    async def _send_and_record(self, leaving: Leaving) -> None:
        with correlation(leaving.event_id):
            outcome = await self._attempt(leaving)
            reach("deliver.sent")
            ours = await self._outcomes.save(outcome)
            reach("deliver.committed")
            if not ours:
                self._metrics.fenced_writes.inc()
            log.info(
                "outbound.attempted",
                outbound_id=str(leaving.id),
                state=outcome.state,
                attempt=leaving.attempt,
                code=outcome.error_code,
                ours=ours,
            )
        if outcome.state is State.SENT and leaving.opened_at is not None:
            seconds = (datetime.now(UTC) - leaving.opened_at).total_seconds()
            self._replied.observe(max(0.0, seconds))

    async def _recall(self) -> None:
        """Settle what was not confirmed, as far as transports can say by now."""
        for outcome in await recalled(self._database, self._channels, self._transports):
            if await self._outcomes.save(outcome):
                log.info("outbound.recalled", outbound_id=str(outcome.leaving.id), state=outcome.state)

    async def _attempt(self, leaving: Leaving) -> Outcome:
        waited = time.monotonic() - self._claimed_at.pop(leaving.attempt_id)
        try:
            channel = await self._channels.get(leaving.channel_id)
        except ChannelNotFound:
            return Outcome(leaving, State.FAILED, reason="its channel is gone")
        if channel.access is None:
            return Outcome(leaving, State.RETRY, reason=channel.stopped_reason, retry_seconds=60)
        if channel.kind not in self._transports:
            return Outcome(leaving, State.RETRY, reason=f"this process serves no {channel.kind}", retry_seconds=60)
        if waited > _LATEST_START_SECONDS:
            return Outcome(leaving, State.RETRY, reason="this process was paused before it could send", retry_seconds=0)
        transport = self._transports[channel.kind]
        started = time.perf_counter()
        reach("deliver.sending")
        try:
            accepted = await transport.send(
                channel.access,
                leaving.recipient,
                await self._files.resolve(leaving, channel.access, transport),
                tracker=tracker(leaving.attempt_id),
                reply_to=leaving.reply_to,
                key=leaving.id,
                timeout_seconds=SEND_TIMEOUT_SECONDS,
            )
        except SendNotAttempted as error:
            asked_seconds = error.retry_after_seconds
            wait_seconds = (
                _NOT_ATTEMPTED_WAIT_SECONDS * min(leaving.attempt, 6) if asked_seconds is None else asked_seconds
            )
            outcome = Outcome(leaving, State.RETRY, reason=f"not sent: {error.reason}", retry_seconds=wait_seconds)
        except SendUnknown as error:
            outcome = Outcome(leaving, State.UNKNOWN, reason=f"not confirmed: {error.reason}", error_code=error.code)
        except SendRejected as error:
            outcome = await self._rejected(leaving, channel.phone_number_id, error)
        else:
            outcome = Outcome(leaving, State.SENT, wamid=accepted.message_id)
        self._metrics.send.labels(channel.kind, outcome.state, _code_class(outcome)).inc()
        self._send_stage.observe(time.perf_counter() - started)
        return outcome

    async def _rejected(self, leaving: Leaving, number: str, error: SendRejected) -> Outcome:
        """Decide by the error's rule: try again later, wait until the channel is mended, or give up."""
        reason = f"{error.title} {error.details}".strip()
        rule = error.rule
        if rule.action is ErrorAction.STOP_CHANNEL:
            # The message is not at fault: it waits, and leaves when somebody has mended the channel.
            return Outcome(leaving, State.RETRY, reason=reason, error_code=error.code, stop_channel=True)
        policy = rule.retry
        may_retry = rule.action is ErrorAction.RETRY and policy is not None
        if may_retry and policy is not None and (policy.most_tries is None or leaving.attempt < policy.most_tries):
            self._metrics.send_ratelimited.labels(rule.scope).inc()
            held_seconds = await self._pacer.hold(number, pacing_key(leaving.recipient), error)
            wait_seconds = max(
                held_seconds, error.retry_after_seconds or 0.0, policy.delay_seconds(leaving.attempt - 1)
            )
            return Outcome(leaving, State.RETRY, reason=reason, error_code=error.code, retry_seconds=wait_seconds)
        return Outcome(leaving, State.FAILED, reason=reason, error_code=error.code)

    async def _save(self, connection: AsyncConnection, outcomes: Sequence[Outcome]) -> list[bool]:
        now = await self._database.now(connection)
        written = await save(connection, outcomes, now=now)
        self._another_waits = await another_waits(connection, {one.leaving.conversation_id for one in outcomes})
        reach("deliver.recorded")
        return written

    def _saved(self, _: Sequence[bool]) -> None:
        if self._another_waits:
            self._tell()


def _code_class(outcome: Outcome) -> str:
    return "none" if outcome.error_code is None else f"{outcome.error_code // 1000}xxx"
