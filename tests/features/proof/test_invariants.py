"""What must always be true: each invariant sees what contradicts it, and nothing else."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.audit.models import audit_entries
from app.audit.service import AuditEntry, record
from app.core.db import Database
from app.core.ids import first_id
from app.core.metrics import Metrics
from app.outbound.models import delivery_statuses
from app.outbound.statuses import TRACKER_PREFIX
from app.proof.invariants import INVARIANTS
from app.proof.models import invariant_checks
from app.proof.probe import InvariantsProbe
from app.proof.service import Prover
from tests.builders.pipeline import Pipeline

AGO = timedelta(minutes=20)
TWO_HOURS = timedelta(hours=2)


def past(age: timedelta) -> datetime:
    return datetime.now(UTC) - age


async def webhook_left_lying(rows: Pipeline) -> None:
    await rows.event(due_at=past(AGO), received_at=past(AGO))


async def message_left_lying(rows: Pipeline) -> None:
    conversation = await rows.conversation()
    await rows.message(conversation, id=first_id(past(AGO)), awaits_turn=1)


async def message_unexplained(rows: Pipeline) -> None:
    conversation = await rows.conversation()
    turn = await rows.turn(conversation, state="done", ended_at=past(AGO))
    await rows.message(conversation, turn_id=turn)


async def turn_late(rows: Pipeline) -> None:
    await rows.turn(await rows.conversation(), due_at=past(AGO))


async def answer_missing(rows: Pipeline) -> None:
    conversation = await rows.conversation()
    turn = await rows.turn(conversation, state="ready")
    await rows.outbound(conversation, turn_id=turn, state="sent", wamid="wamid.1")


async def send_overdue(rows: Pipeline) -> None:
    await rows.outbound(await rows.conversation(), state="processing", due_at=past(AGO))


async def send_unconfirmed(rows: Pipeline) -> None:
    await rows.outbound(await rows.conversation(), state="unknown", processing_at=past(TWO_HOURS))


async def sent_without_id(rows: Pipeline) -> None:
    await rows.outbound(await rows.conversation(), state="sent")


async def status_orphaned(rows: Pipeline) -> None:
    await orphan(rows, f"{TRACKER_PREFIX}1", past(TWO_HOURS))


async def audit_chain_broken(rows: Pipeline) -> None:
    async with rows.database.write() as connection:
        await record(connection, AuditEntry("a.done", "thing", "1"))
    async with rows.database.write() as connection:
        await connection.execute(sa.update(audit_entries).values(action="b.done"))


async def orphan(rows: Pipeline, tracker: str, at: datetime) -> None:
    values = {"wamid": "wamid.1", "status": "sent", "participant": "", "tracker": tracker, "at": at, "received_at": at}
    async with rows.database.write() as connection:
        await connection.execute(delivery_statuses.insert().values(channel_id=first_id(at), **values))


CONTRADICTIONS: list[Callable[[Pipeline], Awaitable[None]]] = [
    webhook_left_lying,
    message_left_lying,
    message_unexplained,
    turn_late,
    answer_missing,
    send_overdue,
    send_unconfirmed,
    sent_without_id,
    status_orphaned,
    audit_chain_broken,
]


async def violated(prover: Prover) -> dict[str, int]:
    return {one.name: one.violations for one in (await prover.invariants()).items if one.violations}


async def test_all_of_them_are_seen_together(rows: Pipeline, prover: Prover) -> None:
    for contradict in CONTRADICTIONS:
        await contradict(rows)

    await prover.check()

    assert set(await violated(prover)) == {contradict.__name__ for contradict in CONTRADICTIONS}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("contradict", CONTRADICTIONS, ids=lambda contradict: contradict.__name__)
async def test_an_invariant_sees_what_contradicts_it(
    rows: Pipeline, prover: Prover, contradict: Callable[[Pipeline], Awaitable[None]]
) -> None:
    await contradict(rows)

    await prover.check()

    assert await violated(prover) == {contradict.__name__: 1}
    (found,) = [one for one in (await prover.invariants()).items if one.violations]
    assert len(found.examples) == 1
    assert found.violated_since is not None


async def test_what_the_schema_forbids_is_seen_where_the_schema_is_not_ours(rows: Pipeline, prover: Prover) -> None:
    async with rows.database.write() as connection:
        for table, columns in (("messages", "channel_id, wamid"), ("outbound_messages", "turn_id, part")):
            await drop_unique(connection, table, columns)
    conversation = await rows.conversation()
    turn = await rows.turn(conversation, state="done")
    for _ in range(2):
        await rows.message(conversation, wamid="wamid.twice")
        await rows.outbound(conversation, turn_id=turn, state="sent", wamid="wamid.out")

    await prover.check()

    assert await violated(prover) == {"message_doubled": 1, "reply_doubled": 1}


async def drop_unique(connection: Any, table: str, columns: str) -> None:
    """Take a unique constraint away; on SQLite by making the table anew."""
    name = f"uq_{table}_{columns.replace(', ', '_')}"
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
        return
    found: sa.Select[Any] = (
        sa.select(sa.column("sql")).select_from(sa.table("sqlite_master")).where(sa.column("name") == table)
    )
    made_by = str((await connection.execute(found)).scalar_one())
    without = made_by.replace(f"CONSTRAINT {name} UNIQUE ({columns})", "CHECK (1)").replace(table, f"new_{table}", 1)
    await connection.execute(sa.text(without))
    await connection.execute(sa.text(f"DROP TABLE {table}"))
    await connection.execute(sa.text(f"ALTER TABLE new_{table} RENAME TO {table}"))


async def test_work_in_its_usual_course_contradicts_nothing(rows: Pipeline, prover: Prover) -> None:
    conversation = await rows.conversation()
    thinking = await rows.turn(conversation, state="thinking")
    await rows.message(conversation, turn_id=thinking)
    await rows.message(conversation, id=first_id(past(AGO)), awaits_turn=1)  # waits for that very turn
    await rows.event()
    other = await rows.conversation()
    turn = await rows.turn(other, state="sending")
    await rows.outbound(other, turn_id=turn, state="unknown", processing_at=past(AGO))
    await orphan(rows, "somebody-else", past(TWO_HOURS))

    await prover.check()

    invariants = await prover.invariants()
    assert (await violated(prover), invariants.holds) == ({}, True)
    assert len(invariants.items) == len(INVARIANTS)


async def test_how_long_it_has_been_so_is_kept_until_it_is_so_no_more(rows: Pipeline, prover: Prover) -> None:
    event = await rows.event(due_at=past(AGO))
    await prover.check()
    (first,) = [one for one in (await prover.invariants()).items if one.violations]
    await rows.event(due_at=past(AGO))
    await prover.check()
    (second,) = [one for one in (await prover.invariants()).items if one.violations]

    assert (second.violations, second.violated_since) == (2, first.violated_since)
    assert str(event) in second.examples
    async with rows.database.write() as connection:
        await connection.execute(sa.text("UPDATE inbound_events SET state = 'done'"))
    await prover.check()
    assert await violated(prover) == {}
    assert {one.violated_since for one in (await prover.invariants()).items} == {None}


async def test_the_long_walk_along_the_audit_trail_is_made_once_an_hour(rows: Pipeline, prover: Prover) -> None:
    await prover.check()
    await audit_chain_broken(rows)
    await prover.check()
    assert await violated(prover) == {}
    async with rows.database.write() as connection:
        await connection.execute(sa.update(invariant_checks).values(checked_at=past(TWO_HOURS)))
    await prover.check()
    assert await violated(prover) == {"audit_chain_broken": 1}


async def test_health_and_metrics_tell_what_was_found(rows: Pipeline, prover: Prover, database: Database) -> None:
    probe, metrics = InvariantsProbe(prover, database), Metrics()
    assert (await probe.check()).status == "ok", "a check that was never made says nothing"
    await send_overdue(rows)

    await prover.check()
    await prover.set_gauges(metrics)

    assert (await probe.check()).detail == "Not true here: send_overdue."
    text = metrics.render().decode()
    assert 'wa_invariant_violations{name="send_overdue"} 1.0' in text
    assert 'wa_invariant_violations{name="reply_doubled"} 0.0' in text


async def test_a_check_that_is_long_overdue_degrades_health(prover: Prover, database: Database) -> None:
    await prover.check()
    async with database.write() as connection:
        await connection.execute(sa.update(invariant_checks).values(checked_at=past(TWO_HOURS)))

    assert (await InvariantsProbe(prover, database).check()).status == "degraded"
