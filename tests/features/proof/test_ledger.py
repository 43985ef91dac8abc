"""What came in, and what became of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.core.errors import InvalidInput
from app.core.ids import new_id
from app.proof.schemas import Ledger
from app.proof.service import Prover
from tests.builders.pipeline import Pipeline


async def asked(rows: Pipeline, turn: dict[str, Any], *parts: str, then: str | None = None) -> str:
    """A message in a turn that has become so, with its answer's parts; `then` somebody wrote. Return its id."""
    conversation = await rows.conversation()
    turn_id = await rows.turn(conversation, **turn)
    message_id = await rows.message(conversation, turn_id=turn_id)
    for number, state in enumerate(parts):
        await rows.outbound(conversation, turn_id=turn_id, part=number, state=state)
    if then is not None:
        await rows.message(conversation, author=then, wamid=None)
    return str(message_id)


def lines(ledger: Ledger) -> dict[tuple[str, str | None], int]:
    return {(line.fate, line.reason): line.count for line in ledger.lines}


CASES: list[tuple[dict[str, Any], list[str], str | None, str, str | None]] = [
    ({"state": "done"}, ["sent"], None, "answered", None),
    ({"state": "done"}, ["superseded", "sent"], None, "answered", None),
    ({"state": "collecting"}, [], None, "pending", "turn"),
    ({"state": "thinking"}, [], None, "pending", "turn"),
    ({"state": "ready"}, ["pending"], None, "pending", "outbox"),
    ({"state": "sending"}, ["sent", "retry"], None, "pending", "outbox"),
    ({"state": "sending"}, ["sent", "unknown"], None, "pending", "unconfirmed"),
    ({"state": "handed_off", "reason": "model_refused"}, [], None, "pending", "person"),
    ({"state": "handed_off", "reason": "model_refused"}, [], "person", "by_person", "model_refused"),
    ({"state": "ignored", "reason": "held_by_person"}, [], None, "pending", "person"),
    ({"state": "ignored", "reason": "held_by_person"}, [], "phone", "by_person", "held_by_person"),
    ({"state": "ignored", "reason": "held_by_person"}, [], "customer", "pending", "person"),
    ({"state": "ignored", "reason": "paused"}, [], None, "ignored", "paused"),
    ({"state": "failed", "reason": "send_failed"}, ["failed"], None, "failed", "send_failed"),
    ({"state": "done"}, [], None, "unexplained", "its turn is done, but nothing was sent"),
    ({"state": "done"}, ["failed"], None, "unexplained", "its turn is done, but nothing was sent"),
    ({"state": "ready"}, [], None, "unexplained", "its answer is missing"),
    ({"state": "superseded", "reason": "newer_message"}, [], None, "unexplained", "its turn ended as superseded"),
    ({"state": "ignored"}, [], None, "unexplained", "its turn ended as ignored"),
    ({"state": "failed"}, [], None, "unexplained", "its turn ended as failed"),
]


async def test_a_message_has_one_fate(rows: Pipeline, prover: Prover) -> None:
    expected = {await asked(rows, turn, *parts, then=then): (fate, reason) for turn, parts, then, fate, reason in CASES}

    lines = (await prover.ledger()).lines

    found = {str(example.message_id): (line.fate, line.reason) for line in lines for example in line.examples}
    assert {message_id: found[message_id] for message_id in expected} == expected


async def test_messages_outside_of_turns_wait_or_need_no_answer_or_are_unexplained(
    rows: Pipeline, prover: Prover
) -> None:
    conversation = await rows.conversation()
    await rows.message(conversation, awaits_turn=1)
    await rows.message(conversation, kind="reaction")
    await rows.message(conversation, turn_id=new_id())

    ledger = await prover.ledger()

    assert lines(ledger) == {
        ("pending", "turn"): 1,
        ("ignored", "nothing_to_answer"): 1,
        ("unexplained", "its turn is missing"): 1,
    }
    assert (ledger.received, ledger.pending, ledger.ignored, ledger.unexplained) == (3, 1, 1, 1)


async def test_the_fates_sum_up_to_what_was_received_and_what_we_said_is_not_counted(
    rows: Pipeline, prover: Prover
) -> None:
    for _ in range(7):
        await asked(rows, {"state": "done"}, "sent")
    await asked(rows, {"state": "failed", "reason": "window_closed"}, "expired")
    await asked(rows, {"state": "ignored", "reason": "paused"})

    ledger = await prover.ledger()

    assert ledger.received == 9
    assert (ledger.answered, ledger.failed, ledger.ignored) == (7, 1, 1)
    assert [len(line.examples) for line in ledger.lines if line.fate == "answered"] == [5]


async def test_webhooks_are_counted_by_their_state(rows: Pipeline, prover: Prover) -> None:
    for state in ("done", "done", "pending", "dead"):
        await rows.event(state=state)

    webhooks = (await prover.ledger()).webhooks

    assert (webhooks.received, webhooks.read, webhooks.pending, webhooks.dead) == (4, 2, 1, 1)


async def test_only_the_time_asked_for_is_counted(rows: Pipeline, prover: Prover) -> None:
    await asked(rows, {"state": "done"}, "sent")
    now = datetime.now(UTC)

    assert (await prover.ledger(now - timedelta(minutes=5), now + timedelta(minutes=5))).received == 1
    assert (await prover.ledger(now - timedelta(hours=2), now - timedelta(hours=1))).received == 0


async def test_a_time_that_makes_no_sense_is_refused(prover: Prover) -> None:
    now = datetime.now(UTC)
    for since, until in ((now, now - timedelta(days=1)), (now - timedelta(days=40), now)):
        with pytest.raises(InvalidInput):
            await prover.ledger(since, until)
    for year in (1521, 9999):
        with pytest.raises(InvalidInput, match="from that time"):
            await prover.ledger(until=datetime(year, 1, 1, tzinfo=UTC))
    with pytest.raises(InvalidInput, match="time zone"):
        await prover.ledger(datetime(2026, 1, 1))  # noqa: DTZ001 - that is what is refused
