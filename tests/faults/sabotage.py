"""Six broken promises, to see that the fault tests notice: each is done to the product before it starts.

A test that cannot fail proves nothing. `gate/test_sabotage.py` runs the product with each of these and wants a failure.
"""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import sqlalchemy as sa


def acknowledge_before_commit() -> None:
    """Answer 200 first and store afterwards."""
    from app.whatsapp.intake import Intake, RawEvent

    save = Intake.save
    later: set[asyncio.Task[bool]] = set()

    async def save_later(self: Intake, event: RawEvent, *, within_seconds: float | None = None) -> bool:
        async def store() -> bool:
            await asyncio.sleep(0.3)
            return await save(self, event, within_seconds=within_seconds)

        task = asyncio.create_task(store())
        later.add(task)
        task.add_done_callback(later.discard)
        return True

    Intake.save = save_later  # type: ignore[method-assign]


def resend_blindly() -> None:
    """Send again what was being sent when its process ended."""
    from app.core.db import db_now
    from app.outbound import delivery
    from app.outbound.models import outbound_messages

    async def sweep(connection: Any) -> list[UUID]:
        o = outbound_messages.c
        over = sa.update(outbound_messages).where(o.state == "processing", o.due_at <= db_now())
        await connection.execute(over.values(state="retry"))
        return []

    delivery.sweep = sweep  # type: ignore[attr-defined]  # as it imported it


def no_fencing() -> None:
    """Write a turn's conclusion whoever holds the turn by now, and claim it again and again."""
    from app.ai.replies import conclude
    from app.conversations.answering import Held

    async def hold(connection: Any, claimed: Any) -> dict[tuple[UUID, int], Held]:
        del connection
        return {(turn_id, token): Held("bot", 1) for _, turn_id, token in claimed}

    conclude.hold = hold  # type: ignore[attr-defined]  # as it imported it


def no_unique_key() -> None:
    """Know no key of a message: the test takes the constraint away, which is all that the product has."""


def overwrite_statuses() -> None:
    """Let the last status that comes be the state, whatever came before."""
    from app.core.db import Statement
    from app.outbound import statuses
    from app.outbound.models import outbound_messages

    o = outbound_messages.c
    says_failed = sa.bindparam("failed_at", type_=o.failed_at.type).is_not(None)
    statuses._WRITE_FACTS = Statement(
        sa.update(outbound_messages)
        .where(o.id == sa.bindparam("outbound"))
        .values(
            wamid=sa.func.coalesce(o.wamid, sa.bindparam("known_as", type_=o.wamid.type)),
            pricing=sa.func.coalesce(sa.bindparam("price", type_=o.pricing.type), o.pricing),
            sent_at=sa.func.coalesce(o.sent_at, sa.bindparam("sent_at", type_=o.sent_at.type)),
            delivered_at=sa.func.coalesce(o.delivered_at, sa.bindparam("delivered_at", type_=o.sent_at.type)),
            read_at=sa.func.coalesce(o.read_at, sa.bindparam("read_at", type_=o.sent_at.type)),
            failed_at=sa.func.coalesce(o.failed_at, sa.bindparam("failed_at", type_=o.sent_at.type)),
            reason=sa.case((says_failed, sa.bindparam("why", type_=o.reason.type)), else_=o.reason),
            state=sa.case((says_failed, "failed"), else_="sent"),
        )
    )


def pause_without_a_barrier() -> None:
    """Send an answer although a person has taken the conversation meanwhile."""
    from app.ai.replies import conclude
    from app.outbound import leaving
    from app.outbound.leaving import Verdict

    judge = leaving.judge

    def judge_without(row: Any, content: Any, now: Any) -> Verdict | None:
        verdict = judge(row, content, now)
        return None if verdict is not None and verdict.reason == "held_by_person" else verdict

    leaving.judge = judge_without
    take = conclude._Writes.take

    def take_always(self: Any, one: Any, *, still_ours: bool) -> None:
        del still_ours
        take(self, one, still_ours=True)

    conclude._Writes.take = take_always  # type: ignore[method-assign]


SABOTAGES: dict[str, Callable[[], None]] = {
    sabotage.__name__: sabotage
    for sabotage in (
        acknowledge_before_commit,
        resend_blindly,
        no_fencing,
        no_unique_key,
        overwrite_statuses,
        pause_without_a_barrier,
    )
}
