"""Answer turns: gate, question, model, conclusion. No transaction is held while a model thinks."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ai.llm.attempts import Attempt, ChainFailed
from app.ai.llm.models import model_calls
from app.ai.llm.router import Router
from app.ai.llm.trace import trace_rows
from app.ai.replies import prompt, texts
from app.ai.replies.conclude import Again, Answer, Conclusion, GiveUp, HandOver, conclude
from app.ai.replies.gate import gate
from app.ai.replies.metering import count
from app.business import service as business
from app.business.schemas import StoredProfile
from app.conversations import answering
from app.conversations.answering import ClaimedTurn
from app.conversations.turns import Pace, Reason
from app.core.db import Database, GroupCommit
from app.core.errors import Unavailable
from app.core.failpoints import reach
from app.core.log import correlation
from app.core.metrics import Metrics
from app.whatsapp.channels import Channels
from app.whatsapp.content import Text
from app.whatsapp.markup import to_whatsapp_markup
from app.whatsapp.split import split_text
from app.whatsapp.transport import Transport
from app.whatsapp.typing import show_reading

log = structlog.get_logger()

TURNS = "turns"  # the wake-up topic of whoever answers

_PROFILE_FRESH_SECONDS = 1.0
_PATIENCE_SECONDS = 10.0  # for a database that is away: an answer that is not stored is paid for twice
_COURTESY_AFTER_SECONDS = 0.5  # an answer that comes sooner needs no "typing…" before it
_GIVE_UP_AFTER_SECONDS = 3600.0
_RETRY_SECONDS = (15.0, 30.0, 60.0, 120.0, 240.0)
_MOST_PICTURES_BYTES = 8 * 1024 * 1024


class Replies:
    """`claim`, `handle` and `extend` for the answer dispatcher. An async context manager.

    `media_dir` holds the stored media; `pace` is that of the conversations' bursts.
    """

    def __init__(
        self,
        database: Database,
        router: Router,
        channels: Channels,
        transports: Mapping[str, Transport],
        metrics: Metrics,
        *,
        pace: Pace,
        media_dir: Path,
    ) -> None:
        self._database = database
        self._router = router
        self._channels = channels
        self._transports = transports
        self._metrics = metrics
        self._queue_stage = metrics.turn_stage.labels("queue")
        self._llm_stage = metrics.turn_stage.labels("llm")
        self._pace = pace
        self._media_dir = media_dir
        self._profile: StoredProfile | None = None
        self._profile_read_at = 0.0
        self._reading = asyncio.Lock()
        self._courtesies: set[asyncio.Task[None]] = set()
        self._traces: set[asyncio.Task[None]] = set()
        self._conclusions: GroupCommit[Conclusion, bool] = GroupCommit(
            database, self._conclude, patience_seconds=_PATIENCE_SECONDS
        )

    async def __aenter__(self) -> Self:
        await self._conclusions.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        for courtesy in self._courtesies:
            courtesy.cancel()
        await asyncio.gather(*self._courtesies, *self._traces, return_exceptions=True)
        await self._conclusions.__aexit__(*error)

    async def claim(self, limit: int) -> list[ClaimedTurn]:
        async with self._database.write() as connection:
            claimed = await answering.claim(connection, limit)
        if claimed:
            reach("answer.claimed")
        return claimed

    async def extend(self, turns: Sequence[ClaimedTurn]) -> set[UUID]:
        async with self._database.write() as connection:
            return await answering.extend(connection, {turn.id: turn.token for turn in turns})

    async def handle(self, turn: ClaimedTurn) -> None:
        """Decide about one turn and write the conclusion. What is logged meanwhile carries the webhook's id."""
        with correlation(turn.event_id):
            waited = (datetime.now(UTC) - turn.opened_at).total_seconds()
            self._queue_stage.observe(max(0.0, waited))
            trace: list[Attempt] = []
            try:
                conclusion = await self._decide(turn, trace)
            except asyncio.CancelledError:  # the turn was superseded or lost, or the process stops
                self._keep_trace(turn, trace)
                raise
            reach("answer.decided")
            count(self._metrics, conclusion.attempts)
            ours = await self._conclusions.save(conclusion)
            reach("answer.committed")
            if not ours:
                self._metrics.fenced_writes.inc()
            decision = type(conclusion.decision).__name__
            log.info("turn.concluded", turn_id=str(turn.id), decision=decision, ours=ours)

    def _keep_trace(self, turn: ClaimedTurn, trace: Sequence[Attempt]) -> None:
        """Write down the calls that were made for nothing: they cost money all the same."""
        count(self._metrics, trace)
        rows = trace_rows(trace, turn_id=turn.id, token=turn.token)
        if any(attempt.outcome != "skipped" for attempt in trace):
            task = asyncio.create_task(self._write_trace(rows))
            self._traces.add(task)
            task.add_done_callback(self._traces.discard)

    async def _write_trace(self, rows: Sequence[Mapping[str, Any]]) -> None:
        try:
            async with self._database.write() as connection:
                await connection.execute(model_calls.insert(), rows)
        except Unavailable as error:
            log.warning("turn.trace_lost", calls=len(rows), code=error.code)

    async def _decide(self, turn: ClaimedTurn, trace: list[Attempt]) -> Conclusion:
        stored = await self._current_profile()
        now = datetime.now(UTC)  # business hours are kept by the wall clock, leases by the database's
        decision = gate(turn, stored.profile, now)
        if decision is not None:
            return Conclusion(turn, decision)
        started = time.perf_counter()
        courtesy = asyncio.get_running_loop().call_later(_COURTESY_AFTER_SECONDS, self._show_reading, turn)
        try:
            answered = await self._router.answer(
                prompt.build(turn, stored, await self._pictures(turn), now),
                conversation_key=str(turn.conversation_id),
                trace=trace,
            )
        except ChainFailed as failure:
            return self._failed(turn, stored, failure, now)
        finally:
            courtesy.cancel()
            self._llm_stage.observe(time.perf_counter() - started)
        parts = tuple(Text(part) for part in split_text(to_whatsapp_markup(answered.reply.text)))
        if not parts:
            return Conclusion(turn, self._hand_over(stored, Reason.MODEL_REFUSED), answered.attempts)
        return Conclusion(turn, Answer(parts), answered.attempts)

    def _failed(self, turn: ClaimedTurn, stored: StoredProfile, failure: ChainFailed, now: datetime) -> Conclusion:
        if failure.was_refused:
            return Conclusion(turn, self._hand_over(stored, Reason.MODEL_REFUSED), failure.attempts)
        if (now - turn.opened_at).total_seconds() > _GIVE_UP_AFTER_SECONDS:
            return Conclusion(turn, GiveUp(Reason.MODELS_UNAVAILABLE), failure.attempts)
        seconds = _RETRY_SECONDS[min(turn.failures, len(_RETRY_SECONDS) - 1)]
        text = Text(texts.MODELS_UNAVAILABLE[stored.profile.language])
        log.warning("turn.models_unavailable", turn_id=str(turn.id), failures=turn.failures + 1)
        return Conclusion(turn, Again(seconds, text), failure.attempts)

    def _hand_over(self, stored: StoredProfile, reason: Reason) -> HandOver:
        return HandOver(reason, Text(texts.HANDED_OVER[stored.profile.language]))

    async def _current_profile(self) -> StoredProfile:
        async with self._reading:  # when it is time again, one reads for all the turns that wait
            if self._profile is None or time.monotonic() - self._profile_read_at > _PROFILE_FRESH_SECONDS:
                async with self._database.read() as connection:
                    self._profile = await business.get(connection)
                self._profile_read_at = time.monotonic()
            return self._profile

    async def _pictures(self, turn: ClaimedTurn) -> dict[str, bytes]:
        names = [said.picture for said in turn.questions if said.picture and said.kind == "image"]
        return await asyncio.to_thread(_read_pictures, self._media_dir, names) if names else {}

    def _show_reading(self, turn: ClaimedTurn) -> None:
        """Show who waits that the message is read and an answer is coming. A courtesy: it may fail or be skipped."""
        wamid = turn.questions[-1].wamid if turn.questions else None
        if wamid is None or len(self._courtesies) >= _MOST_COURTESIES:
            return
        task = asyncio.create_task(show_reading(self._channels, self._transports, turn.channel_id, wamid))
        self._courtesies.add(task)
        task.add_done_callback(self._courtesies.discard)

    async def _conclude(self, connection: AsyncConnection, conclusions: Sequence[Conclusion]) -> list[bool]:
        now = await self._database.now(connection)
        held = await conclude(connection, conclusions, now=now, pace=self._pace)
        reach("answer.concluded")
        return held


_MOST_COURTESIES = 200


def _read_pictures(directory: Path, names: Sequence[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    room = _MOST_PICTURES_BYTES
    for name in names:
        path = directory / name
        if path.is_file() and path.stat().st_size <= room:
            found[name] = path.read_bytes()
            room -= len(found[name])
    return found
