"""The judge: the simulator's ledger against the rows of the database. It never asks the product.

What is checked after every fault, by the letters of the reliability plan:

A  what was acknowledged is stored: every webhook that got a 200, every message in it, each once
B  nothing reached a customer twice
C  answers reached each customer in the order of their turns
D  every acknowledged message has an end
E  what is shown as sent is what was received, and nothing that is unconfirmed was received
F  nothing is held any more
"""

import re
from collections import Counter
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.conversations.models import messages, turns
from app.outbound.models import outbound_messages
from app.simulator.ledger import Acknowledged, Received, Undelivered, Wrote, read_ledger
from app.whatsapp.models import inbound_events
from tests.builders.journeys import Journey

ENDED = ("done", "handed_off", "ignored", "failed", "superseded")
WRITTEN = re.compile(r"m\d+x\d+")  # what customers write in these tests, and what the model echoes


class Judge:
    """Reads the ledger once, at its making; `check` fails with what is wrong."""

    def __init__(self, journey: Journey) -> None:
        self._journey = journey
        records = list(read_ledger(journey.house.meta.ledger))
        self.received = [record for record in records if isinstance(record, Received)]
        self.undelivered = [record for record in records if isinstance(record, Undelivered)]
        self.wrote = [record for record in records if isinstance(record, Wrote)]
        self.webhooks = [record for record in records if isinstance(record, Acknowledged)]
        self.acknowledged = {wamid for record in self.webhooks for wamid in record.messages}

    async def check(self, *, written: int | None = None) -> dict[str, object]:
        """Check A to F, and return the figures. `written` is how many messages customers wrote, where that is known."""
        inbound = {row.wamid: row for row in await self._rows(messages, messages.c.author == "customer")}
        outbound = {row.id: row for row in await self._rows(outbound_messages)}
        turn = {row.id: row for row in await self._rows(turns)}
        if written is not None:
            assert len(self.acknowledged) == written, "Meta gave up on some"
        assert set(inbound) >= self.acknowledged, "A: acknowledged, but not stored"
        assert set(inbound) == self.acknowledged, "A: stored, but never acknowledged"
        await self._every_body_is_there()
        self._nobody_was_answered_twice()
        self._every_answer_has_its_question(inbound, outbound)
        self._order_was_kept(outbound, turn)
        for row in inbound.values():
            assert _has_an_end(row, turn, outbound), ("D", row.text, turn.get(row.turn_id))
        self._the_ledger_says_what_the_database_says(outbound)
        assert not [row.state for row in outbound.values() if row.state == "processing"], "F: a send is held"
        assert not [row.state for row in turn.values() if row.state == "thinking"], "F: a turn is held"
        parked = sum(row.state == "unknown" for row in outbound.values())
        return {
            "messages": len(inbound),
            "answers": len(self.received),
            "turns": len(turn),
            "lost": len(self.acknowledged - set(inbound)),
            "duplicates": 0,
            "parked": parked,
            "webhooks_repeated": sum(record.attempts > 1 for record in self.webhooks),
            **self.latency(),
        }

    def latency(self) -> dict[str, object]:
        """How long customers waited for the answer to each of their messages, by the simulator's clock."""
        answered_at: dict[str, datetime] = {}
        for entry in self.received:
            for text in WRITTEN.findall(entry.body):
                answered_at.setdefault(text, entry.at)
        waits = sorted(
            (answered_at[one.text] - one.at).total_seconds() for one in self.wrote if one.text in answered_at
        )
        if not waits:
            return {}
        return {
            "answered_after_p50_seconds": round(waits[len(waits) // 2], 2),
            "answered_after_p95_seconds": round(waits[len(waits) * 95 // 100], 2),
            "answered_after_max_seconds": round(waits[-1], 2),
        }

    async def _every_body_is_there(self) -> None:
        stored = {row.digest.hex() for row in await self._journey.rows(sa.select(inbound_events.c.digest))}
        missing = [record.sha256 for record in self.webhooks if record.sha256 not in stored]
        assert missing == [], "A: bodies that got a 200 are not stored"

    def _nobody_was_answered_twice(self) -> None:
        answered = Counter(text for entry in self.received for text in WRITTEN.findall(entry.body))
        assert [text for text, count in answered.items() if count > 1] == [], "B: answered twice"
        trackers = Counter(entry.tracker for entry in self.received)
        assert [tracker for tracker, count in trackers.items() if count > 1] == [], "B: received twice"

    def _every_answer_has_its_question(self, inbound: dict[str, Any], outbound: dict[UUID, Any]) -> None:
        asked = {row.turn_id for row in inbound.values()}
        turn_of = {row.attempt_id: row.turn_id for row in outbound.values()}
        answered = {turn_of.get(attempt_of(entry)) for entry in self.received} - {None}
        assert answered <= asked, "B: a turn was answered whose messages another turn answers"

    def _order_was_kept(self, outbound: dict[UUID, Any], turn: dict[UUID, Any]) -> None:
        answers = [row for row in outbound.values() if row.turn_id is not None]
        place_of = {row.attempt_id: (turn[row.turn_id].opened_at, row.part) for row in answers}
        by_customer: dict[str, list[tuple[datetime, int]]] = {}
        for entry in self.received:
            if (place := place_of.get(attempt_of(entry))) is not None:
                by_customer.setdefault(entry.to, []).append(place)
        for customer, places in by_customer.items():
            assert places == sorted(places), f"C: answers to {customer} out of the order of their turns"

    def _the_ledger_says_what_the_database_says(self, outbound: dict[UUID, Any]) -> None:
        sent = {row.attempt_id for row in outbound.values() if row.state == "sent"}
        assert sent == {attempt_of(entry) for entry in self.received}, "E: also: nothing unconfirmed had been received"

    async def _rows(self, table: sa.Table, *where: sa.ColumnElement[bool]) -> list[Any]:
        return await self._journey.rows(sa.select(*table.c).where(*where))


def attempt_of(entry: Received) -> UUID | None:
    return UUID(entry.tracker.removeprefix("ob:")) if entry.tracker else None


def _has_an_end(row: Any, turn: dict[UUID, Any], outbound: dict[UUID, Any]) -> bool:
    found = turn.get(row.turn_id)
    if found is None:
        return False
    is_parked = any(one.turn_id == found.id and one.state == "unknown" for one in outbound.values())
    return found.state == "done" or is_parked or (found.state in ENDED and found.reason is not None)
