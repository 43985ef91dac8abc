import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.conversations.models import conversations, messages
from app.core.db import Database
from app.core.ids import new_id
from app.outbound.controllers import MessagesController
from app.outbound.models import outbound_messages
from app.whatsapp.content import Flow as QueuedFlow
from app.whatsapp.content import decode_content
from tests.builders.api import BOTH, Desk, RecordingWake, desk, either_database
from tests.builders.pipeline import Pipeline

TEXT = {"type": "text", "body": "I am on my way."}
TEMPLATE = {"type": "template", "name": "reminder", "language": "es"}


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
    return desk([MessagesController], {"database": database, "wake": wake})


def thread(conversation: UUID) -> str:
    return f"/api/conversations/{conversation}/messages"


async def count(database: Database, table: sa.Table) -> int:
    async with database.read() as connection:
        return int(await connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


async def test_a_thread_shows_both_sides_newest_first(rows: Pipeline, panel: Desk) -> None:
    mine = await rows.conversation()
    turn = await rows.turn(mine, state="sending")
    asked = await rows.message(mine, "open?", turn_id=turn, wamid="wamid.A", reply_to="wamid.0")
    file = await rows.file(asked, filename="door.jpg", size_bytes=1234, state="stored")
    told = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
    answered = await rows.outbound(
        mine, turn_id=turn, state="sent", attempt=2, wamid="wamid.B", accepted_at=told, sent_at=told,
        delivered_at=told, pricing='{"billable":true}',
    )  # fmt: skip
    await rows.message(await rows.conversation())

    first, second = await panel.all_pages(thread(mine), limit=1)

    assert (first["id"], first["author"], first["wamid"], first["turn_id"]) == (
        str(answered), "bot", "wamid.B", str(turn),
    )  # fmt: skip
    assert (first["delivery"]["state"], first["delivery"]["tick"], first["delivery"]["attempt"]) == (
        "sent", "delivered", 2,
    )  # fmt: skip
    assert first["delivery"]["delivered_at"] == "2026-05-04T12:00:00Z"
    assert first["delivery"]["pricing"] == {"billable": True}
    assert (second["id"], second["text"], second["wamid"], second["reply_to"]) == (
        str(asked), "open?", "wamid.A", "wamid.0",
    )  # fmt: skip
    assert second["media"] == {
        "id": str(file), "kind": "image", "mime_type": "image/jpeg", "filename": "door.jpg", "state": "stored",
        "size_bytes": 1234,
    }  # fmt: skip
    assert second["delivery"] is None
    assert first["payload"] is second["payload"] is None


async def test_the_payload_is_shown_when_asked_for(rows: Pipeline, panel: Desk) -> None:
    mine = await rows.conversation()
    await rows.message(mine, payload='{"type":"text","text":{"body":"hello"}}')
    await rows.outbound(mine)

    sent, received = (await panel.get(thread(mine), raw=True))["items"]

    assert received["payload"] == {"type": "text", "text": {"body": "hello"}}
    assert sent["payload"] == {"type": "text", "body": "At nine."}


@pytest.mark.parametrize(
    ("state", "facts", "tick"),
    [
        ("pending", [], "queued"), ("processing", [], "queued"), ("retry", [], "queued"), ("sent", [], "sent"),
        ("sent", ["delivered_at"], "delivered"), ("sent", ["delivered_at", "read_at"], "read"),
        ("failed", [], "failed"), ("failed", ["failed_at", "read_at"], "read"), ("unknown", [], "not_confirmed"),
        ("expired", [], "failed"), ("cancelled", [], "failed"), ("superseded", [], "failed"),
        ("cancelled", ["delivered_at"], "delivered"),
    ],
)  # fmt: skip
async def test_the_tick_shows_the_best_that_is_known(
    rows: Pipeline, panel: Desk, state: str, facts: list[str], tick: str
) -> None:
    mine = await rows.conversation()
    sent = await rows.outbound(mine, state=state)
    if facts:
        await rows.change(outbound_messages, sent, **dict.fromkeys(facts, datetime.now(UTC)))
    assert (await panel.get(thread(mine)))["items"][0]["delivery"]["tick"] == tick


async def test_a_person_writes_and_holds_the_conversation(rows: Pipeline, panel: Desk, wake: RecordingWake) -> None:
    await rows.user("ana", id=panel.agent_id)
    mine = await rows.conversation(attention="model_refused", control="nobody")
    await rows.message(mine, wamid="wamid.A")

    answer = await panel.call("POST", thread(mine), json={"content": TEXT, "reply_to": "wamid.A", "priority": 5})

    written = answer.json()
    assert answer.status_code == 201
    assert (written["author"], written["text"], written["reply_to"]) == ("person", "I am on my way.", "wamid.A")
    assert (written["delivery"]["state"], written["delivery"]["tick"]) == ("pending", "queued")
    assert written["written_by"] == {"id": str(panel.agent_id), "name": "ana"}
    conversation = await rows.row(conversations, mine)
    assert (conversation.control, conversation.held_by, conversation.control_version) == ("person", panel.agent_id, 2)
    assert conversation.attention is None
    queued = await rows.row(outbound_messages, UUID(written["id"]))
    assert (queued.origin, queued.priority, queued.reply_to, queued.control_version) == ("person", 5, "wamid.A", None)
    assert wake.topics == ["outbox", "events"]


async def test_writing_where_one_holds_already_still_clears_the_attention(rows: Pipeline, panel: Desk) -> None:
    mine = await rows.conversation(control="person", held_by=panel.agent_id, attention="send_failed")
    await panel.call("POST", thread(mine), json={"content": TEXT})
    conversation = await rows.row(conversations, mine)
    assert (conversation.attention, conversation.control_version) == (None, 1)


async def test_the_same_key_and_body_write_once(rows: Pipeline, panel: Desk, database: Database) -> None:
    mine = await rows.conversation()
    body = {"content": TEXT, "priority": 1}
    first = await panel.call("POST", thread(mine), json=body, headers={"Idempotency-Key": "k-1"})
    await rows.change(outbound_messages, UUID(first.json()["id"]), state="sent", wamid="wamid.B")

    second = await panel.call("POST", thread(mine), json=body, headers={"Idempotency-Key": "k-1"})

    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["id"] == first.json()["id"]
    assert second.json()["delivery"]["state"] == "sent"
    assert await count(database, outbound_messages) == 1


async def test_requests_with_one_key_that_come_together_write_once(
    rows: Pipeline, panel: Desk, database: Database
) -> None:
    mine = await rows.conversation()
    answers = await asyncio.gather(
        *(panel.call("POST", thread(mine), json={"content": TEXT}, headers={"Idempotency-Key": "k"}) for _ in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await count(database, messages) == 1


async def test_a_key_is_good_for_a_schedule_that_has_passed(rows: Pipeline, panel: Desk) -> None:
    mine = await rows.conversation()
    later = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    body = {"content": TEXT, "scheduled_at": later}
    first = await panel.call("POST", thread(mine), json=body, headers={"Idempotency-Key": "k"})
    assert (await rows.row(outbound_messages, UUID(first.json()["id"]))).due_at == datetime.fromisoformat(later)
    # The window may have closed since as well: what was accepted once is not judged again.
    await rows.change(conversations, mine, last_inbound_at=datetime.now(UTC) - timedelta(days=2))

    second = await panel.call("POST", thread(mine), json=body, headers={"Idempotency-Key": "k"})

    assert (second.status_code, second.json()["id"]) == (200, first.json()["id"])


@pytest.mark.parametrize(
    "other",
    [{"content": {"type": "text", "body": "Another."}}, {"content": TEXT, "priority": 2},
     {"content": TEXT, "scheduled_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()},
     {"content": TEXT, "reply_to": "wamid.A"}],
)  # fmt: skip
async def test_the_same_key_with_another_body_is_a_conflict(
    rows: Pipeline, panel: Desk, database: Database, other: dict[str, Any]
) -> None:
    mine = await rows.conversation()
    await rows.message(mine, wamid="wamid.A")
    await panel.call("POST", thread(mine), json={"content": TEXT}, headers={"Idempotency-Key": "k"})

    answer = await panel.call("POST", thread(mine), json=other, headers={"Idempotency-Key": "k"})

    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
    assert await count(database, outbound_messages) == 1


async def test_the_same_key_for_another_conversation_is_a_conflict(rows: Pipeline, panel: Desk) -> None:
    for status in (201, 409):
        mine = await rows.conversation()
        answer = await panel.call("POST", thread(mine), json={"content": TEXT}, headers={"Idempotency-Key": "k"})
        assert answer.status_code == status


async def test_two_people_may_use_the_same_key(rows: Pipeline, panel: Desk) -> None:
    mine = await rows.conversation()
    for _ in range(2):
        answer = await panel.call(
            "POST", thread(mine), json={"content": TEXT}, headers={"Idempotency-Key": "k"}, user_id=new_id()
        )
        assert answer.status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 129, "two words"])
async def test_a_bad_key_is_refused(rows: Pipeline, panel: Desk, key: str) -> None:
    mine = await rows.conversation()
    answer = await panel.call("POST", thread(mine), json={"content": TEXT}, headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == ["idempotency_key"]


@pytest.mark.parametrize("last_inbound", [None, timedelta(hours=24, seconds=1)])
async def test_after_24_hours_only_a_template_may_be_written(
    rows: Pipeline, panel: Desk, database: Database, last_inbound: timedelta | None
) -> None:
    said_at = datetime.now(UTC) - last_inbound if last_inbound else None
    mine = await rows.conversation(last_inbound_at=said_at)

    refused = await panel.call("POST", thread(mine), json={"content": TEXT})

    assert (refused.status_code, refused.json()["code"]) == (409, "window_closed")
    assert (await rows.row(conversations, mine)).control == "bot"
    assert await count(database, outbound_messages) == 0
    assert (await panel.call("POST", thread(mine), json={"content": TEMPLATE})).status_code == 201


async def test_a_message_for_after_the_window_is_refused_at_once(rows: Pipeline, panel: Desk) -> None:
    mine = await rows.conversation()
    tomorrow = (datetime.now(UTC) + timedelta(hours=25)).isoformat()
    answer = await panel.call("POST", thread(mine), json={"content": TEXT, "scheduled_at": tomorrow})
    assert (answer.status_code, answer.json()["code"]) == (409, "window_closed")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"content": {"type": "text", "body": " "}}, "content.body"),
        ({"content": {"type": "text", "body": "x" * 4097}}, "content.body"),
        ({"content": {"type": "buttons", "body": "?", "buttons": [{"id": "1", "title": "x" * 21}]}},
         "content.buttons[0].title"),
        ({"content": {"type": "image"}}, "content.media_id"),
        ({"content": {"type": "text"}}, "content.body"),
        ({"content": {"type": "text", "body": "a", "colour": 1}}, "content.colour"),
        ({"content": {"type": "poll"}}, "content.type"),
        ({"content": {}}, "content.type"),
        ({}, "content"),
        ({"content": TEXT, "prioritty": 1}, "prioritty"),
        ({"content": TEXT, "priority": 10}, "priority"),
        ({"content": TEXT, "scheduled_at": "2099-01-01T00:00:00Z"}, "scheduled_at"),
        ({"content": TEXT, "scheduled_at": "0001-01-01T00:00:00+14:00"}, "scheduled_at"),
        ({"content": TEXT, "scheduled_at": "9999-12-31T23:59:59-14:00"}, "scheduled_at"),
        ({"content": TEXT, "scheduled_at": "2027-01-01T00:00:00"}, "scheduled_at"),
        ({"content": TEXT, "reply_to": "wamid.of.somebody.else"}, "reply_to"),
        ({"content": {"type": "reaction", "message_id": "wamid.x", "emoji": "👍"}}, "content.message_id"),
        ({"content": {"type": "flow", "body": "a", "button": "b", "token": "t", "flow_id": "1", "data": {"a": 1}}},
         "content.screen"),
    ],
)  # fmt: skip
async def test_a_message_that_cannot_be_sent_names_the_member_at_fault(
    rows: Pipeline, panel: Desk, database: Database, body: dict[str, Any], field: str
) -> None:
    mine = await rows.conversation()
    await rows.message(await rows.conversation(), wamid="wamid.of.somebody.else")

    answer = await panel.call("POST", thread(mine), json=body)

    assert answer.status_code == 422, answer.text
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]
    assert await count(database, outbound_messages) == 0


async def test_our_own_message_can_be_quoted_and_reacted_to(rows: Pipeline, panel: Desk) -> None:
    mine = await rows.conversation()
    await rows.outbound(mine, state="sent", wamid="wamid.ours")
    reaction = {"type": "reaction", "message_id": "wamid.ours", "emoji": "👍"}
    for body in ({"content": TEXT, "reply_to": "wamid.ours"}, {"content": reaction}):
        assert (await panel.call("POST", thread(mine), json=body)).status_code == 201


async def test_a_form_keeps_the_data_that_fills_it(rows: Pipeline, panel: Desk) -> None:
    mine = await rows.conversation()
    form = {"type": "flow", "body": "Book", "button": "Open", "token": "t", "flow_id": "1", "screen": "A"}
    answer = await panel.call("POST", thread(mine), json={"content": {**form, "data": {"size": [1, {"b": None}]}}})
    assert answer.status_code == 201
    content = decode_content((await rows.row(outbound_messages, UUID(answer.json()["id"]))).content)
    assert isinstance(content, QueuedFlow)
    assert bytes(content.data) == b'{"size":[1,{"b":null}]}'


async def test_an_unknown_conversation_is_not_found(panel: Desk) -> None:
    for method in ("GET", "POST"):
        answer = await panel.call(method, thread(new_id()), json={"content": TEXT})
        assert (answer.status_code, answer.json()["code"]) == (404, "conversation_not_found")


async def test_a_viewer_may_not_write(rows: Pipeline, panel: Desk, database: Database) -> None:
    mine = await rows.conversation()
    answer = await panel.call("POST", thread(mine), role="viewer", json={"content": TEXT})
    assert answer.status_code == 403
    assert (await panel.get(thread(mine), role="viewer"))["items"] == []
    assert (await panel.call("GET", thread(mine), role=None)).status_code == 401
