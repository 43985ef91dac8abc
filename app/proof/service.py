"""Make a proof, keep what the checks found, and tell health and metrics."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import structlog

from app.core.db import Database
from app.core.errors import InvalidInput
from app.core.metrics import Metrics
from app.proof import queries
from app.proof.invariants import INVARIANTS
from app.proof.ledger import ledger
from app.proof.queries import EXAMPLES
from app.proof.reading import reread
from app.proof.schemas import Invariant, InvariantList, Ledger, Proof
from app.whatsapp.channels import Channels

CHECK_SECONDS: Final = 300
DAY: Final = timedelta(days=1)
_LONGEST: Final = timedelta(days=31)
_EARLIEST_YEAR, _LATEST_YEAR = 2000, 9000

log = structlog.get_logger()


class Prover:
    """Proves from the rows and the stored webhooks; nothing that the message path remembers is asked."""

    def __init__(self, database: Database, channels: Channels) -> None:
        self._database = database
        self._channels = channels

    async def prove(self, since: datetime | None = None, until: datetime | None = None, *, keep: bool = True) -> Proof:
        """Look at everything now. `keep` stores what the invariants said, as the regular check does.

        Raises `InvalidInput` for a time that cannot be looked at.
        """
        started = time.monotonic()
        now, since, until = await self._span(since, until)
        found = await self._find(now, everything=True)
        if keep:
            await self._store(found, now)
        what_became = await self._ledger(since, until)
        reading = await reread(self._database, self._channels, since, until)
        invariants = await self._told(found, now)
        return Proof(
            holds=not what_became.unexplained and not reading.missing and not any(one.violations for one in invariants),
            made_at=now,
            milliseconds=int((time.monotonic() - started) * 1000),
            ledger=what_became,
            reading=reading,
            invariants=invariants,
        )

    async def ledger(self, since: datetime | None = None, until: datetime | None = None) -> Ledger:
        """Say what became of every message of that time; of the last day unless told otherwise.

        Raises `InvalidInput` for a time that cannot be looked at.
        """
        _, since, until = await self._span(since, until)
        return await self._ledger(since, until)

    async def check(self) -> None:
        """Check what is due to be checked, and keep what was found."""
        now = await self._now()
        found = await self._find(now, everything=False)
        await self._store(found, now)
        violated = {name: len(ids) for name, ids in found.items() if ids}
        if violated:
            log.error("invariants.violated", **violated)

    async def invariants(self) -> InvariantList:
        """Return the last check of every invariant."""
        async with self._database.read() as connection:
            items = await queries.stored(connection)
        return InvariantList(holds=all(one.checked_at is not None and not one.violations for one in items), items=items)

    async def set_gauges(self, metrics: Metrics) -> None:
        for one in (await self.invariants()).items:
            metrics.invariant_violations.labels(one.name).set(one.violations)

    async def _find(self, now: datetime, *, everything: bool) -> dict[str, list[str]]:
        last = {one.name: one.checked_at for one in (await self.invariants()).items}
        due = [one for one in INVARIANTS if everything or (at := last.get(one.name)) is None or now - at >= one.every]
        return {one.name: await one.find(self._database, now) for one in due}

    async def _store(self, found: dict[str, list[str]], now: datetime) -> None:
        async with self._database.write() as connection:
            await queries.write(connection, found, now)

    async def _told(self, found: dict[str, list[str]], now: datetime) -> list[Invariant]:
        return [
            msgspec.structs.replace(
                one, violations=len(found[one.name]), examples=found[one.name][:EXAMPLES], checked_at=now
            )
            for one in (await self.invariants()).items
        ]

    async def _ledger(self, since: datetime, until: datetime) -> Ledger:
        async with self._database.read() as connection:
            return await ledger(connection, since, until)

    async def _now(self) -> datetime:
        async with self._database.read() as connection:
            return await self._database.now(connection)

    async def _span(self, since: datetime | None, until: datetime | None) -> tuple[datetime, datetime, datetime]:
        now = await self._now()
        until = _aware(until, "until") or now + timedelta(milliseconds=1)
        since = _aware(since, "since") or until - DAY
        if since >= until:
            raise InvalidInput("since must lie before until", "since")
        if until - since > _LONGEST:
            raise InvalidInput(f"at most {_LONGEST.days} days can be looked at together", "since")
        return now, since, until


def _aware(given: datetime | None, name: str) -> datetime | None:
    if given is None:
        return None
    if given.tzinfo is None:
        raise InvalidInput("say the time zone, as in 2026-11-28T09:00:00Z", name)
    if not _EARLIEST_YEAR <= given.year < _LATEST_YEAR:
        raise InvalidInput("no message is from that time", name)
    return given.astimezone(UTC)
