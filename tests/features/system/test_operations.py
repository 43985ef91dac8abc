"""What waits, who works, and what was given up: seen by an admin, tried again, or put away with a reason."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.audit.models import audit_entries
from app.conversations.events import ControlChanged
from app.conversations.models import conversations, turns
from app.core.db import Database
from app.core.db.events import record
from app.core.ids import new_id
from app.core.jobs import Job, register
from app.core.queue.queues import JobQueues
from app.outbound.models import outbound_messages
from app.system.backlog import DatabaseBacklog
from app.system.operations_controllers import OperationsController
from app.system.queries import write_beat
from app.whatsapp.models import inbound_events, media
from tests.builders.api import BOTH, Desk, RecordingWake, desk, either_database
from tests.builders.pipeline import Pipeline

LETTERS = "/api/system/dead-letters"
KINDS = ("webhook", "turn", "outbound", "media")
HOUR = timedelta(hours=1)


@dataclass
class Operations:
    desk: Desk
    database: Database
    pipeline: Pipeline
    wake: RecordingWake

    async def letters(self, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.desk.all_pages(LETTERS, role="admin", **query)
        return found

    async def act(self, verb: str, kind: str, letter_id: UUID, *, expected: int = 204, **body: Any) -> Any:
        answer = await self.desk.call("POST", f"{LETTERS}/{kind}/{letter_id}/{verb}", role="admin", json=body)
        assert answer.status_code == expected, answer.text
        return answer.json() if answer.content else None

    async def give_up(self, kind: str) -> UUID:
        """Make one dead letter of a kind."""
        if kind == "webhook":
            return await self.pipeline.event(state="dead", reason="an item could not be stored", claims=3)
        conversation_id = await self.pipeline.conversation()
        if kind == "turn":
            return await self.failed_turn(conversation_id)
        if kind == "outbound":
            return await self.pipeline.outbound(conversation_id, state="failed", origin="person", reason="131026: no")
        return await self.pipeline.file(await self.pipeline.message(conversation_id), state="failed", reason="gone")

    async def failed_turn(self, conversation_id: UUID, reason: str = "too_many_attempts", **values: Any) -> UUID:
        ended_at = datetime.now(UTC)
        return await self.pipeline.turn(
            conversation_id,
            **{"state": "failed", "reason": reason, "failures": 9, "claims": 4, "ended_at": ended_at} | values,
        )


@pytest.fixture(params=BOTH)
async def operations(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Operations]:
    async def nothing() -> None: ...

    jobs = [Job(name="tidy", run=nothing, queue="media", timeout_seconds=5, retries=2, ttl_seconds=60)]
    queues = JobQueues(register(jobs), redis_url=None)
    wake = RecordingWake()
    async with either_database(request, tmp_path) as database, queues:
        await queues.enqueue("tidy")
        things = {"database": database, "wake": wake, "queues": queues}
        yield Operations(desk([OperationsController], things), database, Pipeline(database), wake)


async def test_each_stage_says_what_is_due_under_way_and_for_later(operations: Operations) -> None:
    pipeline, now = operations.pipeline, datetime.now(UTC)
    conversation_id = await pipeline.conversation()
    await pipeline.event(due_at=now - HOUR)
    await pipeline.event(due_at=now + HOUR, claims=1)
    await pipeline.event(state="done")
    await pipeline.turn(conversation_id, due_at=now + HOUR)
    await pipeline.turn(await pipeline.conversation(), state="thinking", due_at=now + HOUR)
    await pipeline.outbound(conversation_id, due_at=now - HOUR)
    await pipeline.outbound(conversation_id, state="retry", due_at=now + HOUR)
    await pipeline.outbound(conversation_id, state="processing", due_at=now + HOUR)
    await pipeline.outbound(conversation_id, state="sent")
    async with operations.database.write() as connection:
        await record(connection, [ControlChanged(conversation_id=new_id(), control="bot", control_version=1)])

    found = {one["name"]: one for one in await operations.desk.get("/api/system/queues", role="admin")}

    assert list(found) == ["ingest", "answer", "deliver", "relay", "media", "jobs.media"]
    counted = {name: (one["pending"], one["in_flight"], one["scheduled"]) for name, one in found.items()}
    assert counted == {
        "ingest": (1, 1, 0),
        "answer": (0, 1, 1),
        "deliver": (1, 1, 1),
        "relay": (1, 0, 0),
        "media": (0, 0, 0),
        "jobs.media": (1, 0, 0),
    }
    assert 3595 < found["ingest"]["oldest_age_seconds"] < 3700
    assert (found["answer"]["oldest_age_seconds"], found["jobs.media"]["oldest_age_seconds"]) == (0, None)


async def test_the_processes_are_listed_with_whether_they_live(operations: Operations) -> None:
    async with operations.database.write() as connection:
        await write_beat(connection, process_id=new_id(), kind="jobs", host="a", pid=7, version="1")
    [process] = await operations.desk.get("/api/system/workers", role="admin")
    assert (process["kind"], process["pid"], process["alive"]) == ("jobs", 7, True)


async def test_dead_letters_of_every_kind_are_one_list_that_goes_on(operations: Operations) -> None:
    made = [(kind, await operations.give_up(kind)) for kind in (*KINDS, *KINDS)]
    await operations.pipeline.event()
    conversation_id = await operations.pipeline.conversation()
    await operations.failed_turn(conversation_id, reason="send_failed")
    await operations.pipeline.outbound(conversation_id, state="failed", reason="given up by a person")

    found = await operations.letters(limit=3)

    assert [(one["kind"], one["id"]) for one in found] == [(kind, str(letter)) for kind, letter in reversed(made)]
    assert {one["kind"]: one["reason"] for one in found} == {
        "webhook": "an item could not be stored",
        "turn": "too_many_attempts",
        "outbound": "131026: no",
        "media": "gone",
    }
    assert {one["kind"] for one in found if one["conversation_id"] is None} == {"webhook"}
    assert {one["kind"] for one in await operations.letters(kind="turn")} == {"turn"}


@pytest.mark.parametrize("kind", KINDS)
async def test_one_that_was_put_away_is_gone_from_list_and_count_and_says_why(
    operations: Operations, kind: str
) -> None:
    letter_id = await operations.give_up(kind)
    await operations.act("discard", kind, letter_id, reason="the customer has called")
    assert await operations.letters() == []
    assert set((await DatabaseBacklog(operations.database)()).dead.values()) == {0}
    again = await operations.act("discard", kind, letter_id, reason="twice", expected=404)
    retried = await operations.act("retry", kind, letter_id, expected=404)
    assert (again["code"], retried["code"]) == ("dead_letter_not_found", "dead_letter_not_found")
    async with operations.database.read() as connection:
        [row] = (await connection.execute(sa.select(audit_entries))).all()
    assert (row.action, row.target_kind, row.target_id) == ("dead_letter.discarded", kind, str(letter_id))
    assert "the customer has called" in row.after


@pytest.mark.parametrize("kind", KINDS)
async def test_one_that_is_tried_again_is_no_dead_letter_any_more(operations: Operations, kind: str) -> None:
    letter_id = await operations.give_up(kind)
    await operations.act("retry", kind, letter_id)
    assert await operations.letters() == []
    assert {"inbox", "turns", "outbox", "events"} <= set(operations.wake.topics)
    async with operations.database.read() as connection:
        assert list(await connection.scalars(sa.select(audit_entries.c.action))) == ["dead_letter.retried"]
    tables = {"webhook": inbound_events, "turn": turns, "outbound": outbound_messages, "media": media}
    row = await operations.pipeline.row(tables[kind], letter_id)
    assert row.state == {"webhook": "pending", "turn": "collecting", "outbound": "retry", "media": "pending"}[kind]
    assert row.due_at <= datetime.now(UTC) + timedelta(seconds=1)
    assert await operations.act("retry", kind, letter_id, expected=404)


async def test_a_turn_is_taken_up_as_if_it_had_just_arrived(operations: Operations) -> None:
    conversation_id = await operations.pipeline.conversation(attention="models_unavailable")
    turn_id = await operations.failed_turn(
        conversation_id, reason="models_unavailable", opened_at=datetime.now(UTC) - 5 * HOUR
    )
    await operations.act("retry", "turn", turn_id)
    turn = await operations.pipeline.row(turns, turn_id)
    assert (turn.reason, turn.failures, turn.claims, turn.ended_at) == (None, 0, 0, None)
    assert datetime.now(UTC) - turn.opened_at < timedelta(minutes=5), "or it would be given up at its first failure"
    assert (await operations.pipeline.row(conversations, conversation_id)).attention is None


@pytest.mark.parametrize("control", ["person", "nobody"])
async def test_a_turn_of_a_conversation_that_the_bot_does_not_hold_stays(operations: Operations, control: str) -> None:
    turn_id = await operations.failed_turn(await operations.pipeline.conversation(control=control))
    problem = await operations.act("retry", "turn", turn_id, expected=409)
    assert problem["code"] == "turn_not_reopened"


async def test_a_turn_stays_while_a_newer_one_is_open(operations: Operations) -> None:
    conversation_id = await operations.pipeline.conversation()
    turn_id = await operations.failed_turn(conversation_id)
    await operations.pipeline.turn(conversation_id)
    problem = await operations.act("retry", "turn", turn_id, expected=409)
    assert problem["code"] == "turn_not_reopened"


async def test_a_part_of_an_answer_is_sent_again_and_its_turn_with_it(operations: Operations) -> None:
    conversation_id = await operations.pipeline.conversation()
    turn_id = await operations.failed_turn(conversation_id, reason="send_failed")
    part_id = await operations.pipeline.outbound(
        conversation_id, state="failed", turn_id=turn_id, control_version=1, failed_at=datetime.now(UTC)
    )
    await operations.act("retry", "outbound", part_id)
    turn = await operations.pipeline.row(turns, turn_id)
    assert (turn.state, turn.reason, turn.ended_at) == ("sending", None, None)
    part = await operations.pipeline.row(outbound_messages, part_id)
    assert (part.state, part.failed_at, part.error_code) == ("retry", None, None)


async def test_a_message_that_would_not_leave_is_not_tried_again(operations: Operations) -> None:
    day_ago = datetime.now(UTC) - 25 * HOUR
    conversation_id = await operations.pipeline.conversation(last_inbound_at=day_ago)
    letter_id = await operations.pipeline.outbound(conversation_id, state="failed", origin="person")
    problem = await operations.act("retry", "outbound", letter_id, expected=409)
    assert problem["code"] == "window_closed"
    assert [one["id"] for one in await operations.letters()] == [str(letter_id)]


async def test_a_kind_that_does_not_exist_is_refused(operations: Operations) -> None:
    listed = await operations.desk.call("GET", LETTERS, role="admin", params={"kind": "pigeon"})
    assert (listed.status_code, listed.json()["errors"][0]["field"]) == (422, "kind")
    problem = await operations.act("retry", "pigeon", new_id(), expected=422)
    assert problem["errors"][0]["field"] == "kind"


async def test_only_admins_look_and_act(operations: Operations) -> None:
    for method, path in (
        ("GET", "/api/system/queues"),
        ("GET", "/api/system/workers"),
        ("GET", LETTERS),
        ("POST", f"{LETTERS}/turn/{new_id()}/retry"),
        ("POST", f"{LETTERS}/turn/{new_id()}/discard"),
    ):
        assert (await operations.desk.call(method, path, role="supervisor", json={})).status_code == 403
