from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.conversations.models import turns
from app.core.db import Database
from app.core.ids import new_id
from app.outbound.controllers import OutboundController
from app.outbound.leaving import Leaving, start
from app.outbound.models import outbound_messages
from app.outbound.outcomes import Outcome, save
from app.outbound.states import State
from app.outbound.statuses import Told, record_statuses
from app.whatsapp.content import Template
from app.whatsapp.inbound import DeliveryStatus
from app.whatsapp.pacing import LocalPacer
from tests.builders.api import BOTH, Desk, RecordingWake, desk, either_database
from tests.builders.pipeline import Pipeline

QUEUE = "/api/outbound"
DAY = timedelta(hours=24)


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with either_database(request, tmp_path) as database:
        yield database


@pytest.fixture
def rows(database: Database) -> Pipeline:
    return Pipeline(database)


@pytest.fixture
def wake() -> RecordingWake:
    return RecordingWake()


@pytest.fixture
def panel(database: Database, wake: RecordingWake) -> Desk:
    return desk([OutboundController], {"database": database, "wake": wake})


async def decide(panel: Desk, outbound: UUID, decision: str) -> Any:
    return await panel.call("POST", f"{QUEUE}/{outbound}/resolve", role="supervisor", json={"decision": decision})


async def leave(database: Database) -> list[Leaving]:
    async with database.write() as connection:
        return await start(connection, LocalPacer(), 10, now=await database.now(connection))


async def tell(database: Database, row: Any, word: str, *, wamid: str, attempt_id: UUID) -> None:
    """What WhatsApp says about an attempt, matched by our tracker."""
    status = DeliveryStatus(
        phone_number_id="1",
        business_account_id="1",
        message_id=wamid,
        status=word,
        at=datetime.now(UTC),
        key=f"{wamid}.{word}",
        payload=b"{}",
        tracker=f"ob:{attempt_id}",
    )
    async with database.write() as connection:
        now = await database.now(connection)
        await record_statuses(connection, [Told(row.channel_id, new_id(), status)], now=now)


async def unconfirmed(rows: Pipeline, **values: Any) -> tuple[UUID, UUID]:
    """An answer of which nobody knows whether it left, and its turn."""
    conversation = await rows.conversation()
    turn = await rows.turn(conversation, state="sending")
    given = {"turn_id": turn, "state": "unknown", "attempt": 1, "attempt_id": new_id(), "control_version": 1}
    return await rows.outbound(conversation, **{**given, **values}), turn


async def test_the_queue_is_listed_newest_first_and_filtered(rows: Pipeline, panel: Desk) -> None:
    one, other = await rows.conversation(), await rows.conversation()
    waits = await rows.outbound(one)
    lost = await rows.outbound(one, state="unknown", origin="person", reason="not confirmed: timeout", attempt=1)
    gone = await rows.outbound(other, state="sent")
    channel = (await rows.row(outbound_messages, gone)).channel_id

    async def listed(**query: Any) -> list[str]:
        return [item["id"] for item in await panel.all_pages(QUEUE, limit=1, **query)]

    assert await listed() == [str(gone), str(lost), str(waits)]
    assert await listed(state="unknown") == [str(lost)]
    assert await listed(conversation_id=str(one)) == [str(lost), str(waits)]
    assert await listed(channel_id=str(channel)) == [str(gone)]
    assert await listed(state="retry") == []


async def test_a_message_is_shown_with_its_content_and_reason(rows: Pipeline, panel: Desk) -> None:
    lost = await rows.outbound(
        await rows.conversation(), state="unknown", reason="not confirmed: timeout", error_code=131000, attempt=1
    )
    shown = await panel.get(f"{QUEUE}/{lost}")
    assert (shown["content"], shown["kind"], shown["text"]) == (
        {"type": "text", "body": "At nine."}, "text", "At nine.",
    )  # fmt: skip
    assert (shown["delivery"]["tick"], shown["delivery"]["reason"], shown["delivery"]["error_code"]) == (
        "not_confirmed", "not confirmed: timeout", 131000,
    )  # fmt: skip


@pytest.mark.parametrize("state", ["pending", "retry"])
async def test_what_waits_can_be_withdrawn_and_ends_its_turn(
    rows: Pipeline, panel: Desk, wake: RecordingWake, database: Database, state: str
) -> None:
    conversation = await rows.conversation()
    turn = await rows.turn(conversation, state="ready")
    waits = await rows.outbound(conversation, turn_id=turn, state=state, control_version=1)

    answer = await panel.call("POST", f"{QUEUE}/{waits}/cancel", role="supervisor")

    assert (answer.status_code, answer.json()["delivery"]["state"]) == (200, "cancelled")
    ended = await rows.row(turns, turn)
    assert (ended.state, ended.reason) == ("ignored", "cancelled")
    assert ended.ended_at is not None
    assert wake.topics == ["outbox", "events"]
    assert await leave(database) == []


async def test_a_turn_waits_for_the_other_parts_of_its_answer(rows: Pipeline, panel: Desk) -> None:
    conversation = await rows.conversation()
    turn = await rows.turn(conversation, state="ready")
    first = await rows.outbound(conversation, turn_id=turn, part=0)
    await rows.outbound(conversation, turn_id=turn, part=1)
    await panel.call("POST", f"{QUEUE}/{first}/cancel", role="supervisor")
    assert (await rows.row(turns, turn)).state == "ready"


@pytest.mark.parametrize("state", ["processing", "sent", "failed", "cancelled", "superseded", "expired", "unknown"])
async def test_what_does_not_wait_any_more_cannot_be_withdrawn(rows: Pipeline, panel: Desk, state: str) -> None:
    outbound = await rows.outbound(await rows.conversation(), state=state)
    answer = await panel.call("POST", f"{QUEUE}/{outbound}/cancel", role="supervisor")
    assert (answer.status_code, answer.json()["code"]) == (409, "too_late")
    assert (await rows.row(outbound_messages, outbound)).state == state


@pytest.mark.parametrize(
    ("decision", "state", "turn_state", "tick"),
    [("mark_sent", "sent", "done", "sent"), ("discard", "failed", "failed", "failed")],
)
async def test_a_person_settles_what_is_not_confirmed(
    rows: Pipeline, panel: Desk, decision: str, state: str, turn_state: str, tick: str
) -> None:
    lost, turn = await unconfirmed(rows)
    answer = await decide(panel, lost, decision)
    assert answer.status_code == 200
    assert (answer.json()["delivery"]["state"], answer.json()["delivery"]["tick"]) == (state, tick)
    assert (await rows.row(turns, turn)).state == turn_state


async def test_what_a_person_gave_up_still_shows_that_it_arrived(
    rows: Pipeline, panel: Desk, database: Database
) -> None:
    lost, _ = await unconfirmed(rows)
    await decide(panel, lost, "discard")
    row = await rows.row(outbound_messages, lost)
    await tell(database, row, "delivered", wamid="wamid.1", attempt_id=row.attempt_id)
    delivery = (await panel.get(f"{QUEUE}/{lost}"))["delivery"]
    assert (delivery["state"], delivery["tick"]) == ("sent", "delivered")


async def test_a_message_sent_again_leaves_as_a_new_attempt(
    rows: Pipeline, panel: Desk, database: Database, wake: RecordingWake
) -> None:
    lost, turn = await unconfirmed(rows)
    old = (await rows.row(outbound_messages, lost)).attempt_id

    answer = await decide(panel, lost, "resend")

    assert (answer.json()["delivery"]["state"], answer.json()["delivery"]["tick"]) == ("retry", "queued")
    assert wake.topics == ["outbox", "events"]
    assert (await rows.row(outbound_messages, lost)).attempt_id == old
    (leaving,) = await leave(database)
    assert (leaving.id, leaving.attempt) == (lost, 2)
    assert leaving.attempt_id != old
    async with database.write() as connection:
        await save(connection, [Outcome(leaving, State.SENT, wamid="wamid.2")], now=datetime.now(UTC))
    assert (await rows.row(turns, turn)).state == "done"


@pytest.mark.parametrize("word", ["sent", "delivered", "read"])
async def test_a_late_status_still_settles_a_message_that_waits_to_be_sent_again(
    rows: Pipeline, panel: Desk, database: Database, word: str
) -> None:
    lost, turn = await unconfirmed(rows)
    await decide(panel, lost, "resend")
    row = await rows.row(outbound_messages, lost)

    await tell(database, row, word, wamid="wamid.1", attempt_id=row.attempt_id)

    assert await leave(database) == []
    settled = await rows.row(outbound_messages, lost)
    assert (settled.state, settled.wamid) == ("sent", "wamid.1")
    assert (await rows.row(turns, turn)).state == "done"


async def test_an_old_template_lives_again_when_it_is_sent_again(
    rows: Pipeline, panel: Desk, database: Database
) -> None:
    long_ago = datetime.now(UTC) - 2 * DAY
    conversation = await rows.conversation(last_inbound_at=None)
    lost = await rows.outbound(
        conversation, Template("reminder", "es"), state="unknown", attempt_id=new_id(), scheduled_at=long_ago
    )
    await decide(panel, lost, "resend")
    assert [leaving.id for leaving in await leave(database)] == [lost]


@pytest.mark.parametrize(
    ("conversation", "code"),
    [({"last_inbound_at": datetime.now(UTC) - 2 * DAY}, "window_closed"), ({"control_version": 2}, "cannot_resend")],
)
async def test_what_would_not_leave_is_not_sent_again(
    rows: Pipeline, panel: Desk, conversation: dict[str, Any], code: str
) -> None:
    thread = await rows.conversation(**conversation)
    lost = await rows.outbound(thread, state="unknown", attempt_id=new_id(), control_version=1)
    answer = await decide(panel, lost, "resend")
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert (await rows.row(outbound_messages, lost)).state == "unknown"


@pytest.mark.parametrize("decision", ["mark_sent", "discard", "resend"])
async def test_only_what_is_not_confirmed_can_be_decided(rows: Pipeline, panel: Desk, decision: str) -> None:
    for state in ("pending", "sent", "failed"):
        outbound = await rows.outbound(await rows.conversation(), state=state)
        answer = await decide(panel, outbound, decision)
        assert (answer.status_code, answer.json()["code"]) == (409, "too_late")


async def test_a_decision_that_is_not_one_is_named(rows: Pipeline, panel: Desk) -> None:
    lost, _ = await unconfirmed(rows)
    answer = await decide(panel, lost, "perhaps")
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == ["decision"]


async def test_what_is_not_in_the_queue_is_not_found(panel: Desk) -> None:
    path = f"{QUEUE}/{new_id()}"
    for method, suffix in (("GET", ""), ("POST", "/cancel"), ("POST", "/resolve")):
        answer = await panel.call(method, path + suffix, role="supervisor", json={"decision": "discard"})
        assert (answer.status_code, answer.json()["code"]) == (404, "outbound_message_not_found")


async def test_an_agent_may_look_but_not_withdraw_or_decide(rows: Pipeline, panel: Desk) -> None:
    lost, _ = await unconfirmed(rows)
    for action in ("cancel", "resolve"):
        answer = await panel.call("POST", f"{QUEUE}/{lost}/{action}", role="agent", json={"decision": "discard"})
        assert answer.status_code == 403
    assert (await panel.call("GET", QUEUE, role=None)).status_code == 401
    assert (await rows.row(outbound_messages, lost)).state == "unknown"
