from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.conversations.models import conversations
from app.core.db import Database
from app.core.ids import new_id
from app.inbox.controllers import ConversationsController
from app.outbound.leaving import start
from app.outbound.models import outbound_messages
from app.whatsapp.content import Text
from app.whatsapp.pacing import LocalPacer
from tests.builders.api import BOTH, Desk, RecordingWake, desk, either_database
from tests.builders.pipeline import Pipeline

INBOX = "/api/conversations"


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
    return desk([ConversationsController], {"database": database, "wake": wake})


def ago(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


def ids(items: list[Any]) -> list[UUID]:
    return [UUID(item["id"]) for item in items]


async def test_the_inbox_shows_who_what_and_until_when(rows: Pipeline, panel: Desk) -> None:
    contact = await rows.contact(name="Ana", phone="573001112233", user_id="CO.1", approved=True)
    said_at = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
    mine = await rows.conversation(contact_id=contact, unread=2, attention="send_failed", last_inbound_at=said_at)
    await rows.message(mine, "first")
    last = await rows.message(mine, "x" * 300)

    (item,) = (await panel.get(INBOX))["items"]

    assert UUID(item["id"]) == mine
    assert item["contact"] == {
        "id": str(contact), "name": "Ana", "phone": "573001112233", "user_id": "CO.1", "approved": True,
    }  # fmt: skip
    assert (item["control"], item["control_version"], item["held_by"]) == ("bot", 1, None)
    assert (item["attention"], item["unread"]) == ("send_failed", 2)
    assert item["window_closes_at"] == "2026-05-05T12:00:00Z"
    assert item["last_message"]["id"] == str(last)
    assert item["last_message"]["text"] == "x" * 200
    assert (item["last_message"]["author"], item["last_message"]["kind"]) == ("customer", "text")


async def test_what_was_overtaken_or_withdrawn_before_it_left_is_not_the_last_message(
    rows: Pipeline, panel: Desk
) -> None:
    mine = await rows.conversation()
    sent = await rows.outbound(mine, Text("At nine."), state="sent", delivered_at=ago(1))
    await rows.outbound(mine, Text("At ten."), state="superseded")
    await rows.outbound(mine, Text("At eleven."), state="cancelled", origin="person")

    last = (await panel.get(f"{INBOX}/{mine}"))["last_message"]

    assert (last["id"], last["text"], last["delivery"]) == (str(sent), "At nine.", "delivered")


@pytest.mark.parametrize(
    ("values", "tick"),
    [({"state": "pending"}, "queued"), ({"state": "sent"}, "sent"), ({"state": "failed"}, "failed"),
     ({"state": "unknown"}, "not_confirmed"), ({"state": "sent", "read_at": ago(1)}, "read")],
)  # fmt: skip
async def test_the_row_shows_the_tick_of_what_leaves(
    rows: Pipeline, panel: Desk, values: dict[str, Any], tick: str
) -> None:
    mine = await rows.conversation()
    await rows.outbound(mine, **values)
    assert (await panel.get(f"{INBOX}/{mine}"))["last_message"]["delivery"] == tick
    await rows.message(mine, "thanks")
    assert (await panel.get(f"{INBOX}/{mine}"))["last_message"]["delivery"] is None


async def test_a_conversation_nobody_wrote_in_has_no_last_message_and_no_window(rows: Pipeline, panel: Desk) -> None:
    mine = await rows.conversation(last_inbound_at=None)
    item = await panel.get(f"{INBOX}/{mine}")
    assert (item["last_message"], item["window_closes_at"]) == (None, None)


async def test_the_newest_message_comes_first_and_pages_join_without_gap_or_double(rows: Pipeline, panel: Desk) -> None:
    same = ago(10)
    oldest = await rows.conversation(last_message_at=ago(30))
    alike = sorted([await rows.conversation(last_message_at=same) for _ in range(3)], reverse=True)
    newest = await rows.conversation(last_message_at=ago(1))

    found = await panel.all_pages(INBOX, limit=2)

    assert ids(found) == [newest, *alike, oldest]


async def test_what_arrives_while_paging_moves_nothing_that_was_not_shown(rows: Pipeline, panel: Desk) -> None:
    expected = [await rows.conversation(last_message_at=ago(minutes)) for minutes in (1, 2, 3)]
    first = await panel.get(INBOX, limit=1)
    await rows.conversation(last_message_at=ago(0))

    second = await panel.get(INBOX, limit=5, cursor=first["next_cursor"])

    assert ids(first["items"] + second["items"]) == expected


async def test_the_inbox_is_filtered(rows: Pipeline, panel: Desk) -> None:
    channel = await rows.channel()
    plain = await rows.conversation(channel_id=channel)
    held = await rows.conversation(control="person", held_by=new_id())
    urgent = await rows.conversation(control="nobody", attention="model_refused", unread=1)

    assert ids((await panel.get(INBOX, control="person"))["items"]) == [held]
    assert ids((await panel.get(INBOX, control="nobody"))["items"]) == [urgent]
    assert ids((await panel.get(INBOX, attention=True))["items"]) == [urgent]
    assert set(ids((await panel.get(INBOX, attention=False))["items"])) == {plain, held}
    assert ids((await panel.get(INBOX, unread="true", control="nobody"))["items"]) == [urgent]
    assert set(ids((await panel.get(INBOX, unread="false"))["items"])) == {plain, held}
    assert ids((await panel.get(INBOX, channel_id=str(channel)))["items"]) == [plain]


@pytest.mark.parametrize(
    ("q", "finds"),
    [("gar", ["Ana GARCÍA"]), ("garci", ["Ana GARCÍA"]), ("ÁNA GARCÍA", ["Ana GARCÍA"]),
     ("+57 300-111", ["Ana GARCÍA"]), ("100%", ["100% Pan"]), ("%", ["100% Pan"]),
     ("_", []), ("300", ["Ana GARCÍA"]), ("  ", ["Ana GARCÍA", "100% Pan"]), ("a1", [])],
)  # fmt: skip
async def test_people_are_found_by_part_of_their_name_or_number(
    rows: Pipeline, panel: Desk, q: str, finds: list[str]
) -> None:
    for name, phone in (("Ana GARCÍA", "573001112233"), ("100% Pan", "5215550001")):
        await rows.conversation(contact_id=await rows.contact(name=name, phone=phone))
    found = await panel.get(INBOX, q=q)
    assert sorted(item["contact"]["name"] for item in found["items"]) == sorted(finds)


async def test_taking_over_and_handing_back_change_who_answers(rows: Pipeline, panel: Desk) -> None:
    mine = await rows.conversation(attention="model_refused", control="nobody")

    taken = (await panel.call("POST", f"{INBOX}/{mine}/take-over", json={})).json()
    again = (await panel.call("POST", f"{INBOX}/{mine}/take-over", json={})).json()
    back = (await panel.call("POST", f"{INBOX}/{mine}/hand-back", json={"expected_version": 2})).json()

    assert (taken["control"], taken["held_by"], taken["attention"]) == ("person", str(panel.agent_id), None)
    assert (taken["control_version"], again["control_version"]) == (2, 2)
    assert (back["control"], back["held_by"], back["control_version"]) == ("bot", None, 3)


async def test_a_change_that_expected_another_version_is_a_conflict(rows: Pipeline, panel: Desk) -> None:
    mine = await rows.conversation()
    await panel.call("POST", f"{INBOX}/{mine}/take-over", json={}, user_id=new_id())

    answer = await panel.call("POST", f"{INBOX}/{mine}/take-over", json={"expected_version": 1})

    assert (answer.status_code, answer.json()["code"]) == (409, "control_has_changed")
    assert (await rows.row(conversations, mine)).held_by != panel.agent_id


async def test_no_answer_of_the_bot_leaves_after_a_take_over_was_confirmed(
    rows: Pipeline, panel: Desk, database: Database
) -> None:
    mine = await rows.conversation()
    turn = await rows.turn(mine, state="ready")
    answer = await rows.outbound(mine, turn_id=turn, control_version=1)

    await panel.call("POST", f"{INBOX}/{mine}/take-over", json={})

    async with database.write() as connection:
        leaving = await start(connection, LocalPacer(), 10, now=await database.now(connection))
    assert leaving == []
    assert (await rows.row(outbound_messages, answer)).state == "superseded"


async def test_reading_clears_the_count(rows: Pipeline, panel: Desk) -> None:
    mine = await rows.conversation(unread=7)
    answer = await panel.call("POST", f"{INBOX}/{mine}/read")
    assert (answer.status_code, answer.json()["unread"]) == (200, 0)
    assert (await panel.get(f"{INBOX}/{mine}"))["unread"] == 0


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), *(("POST", f"/{verb}") for verb in ("take-over", "hand-back", "read", "assign", "close", "reopen"))],
)
async def test_an_unknown_conversation_is_not_found(panel: Desk, method: str, path: str) -> None:
    body = {"user_id": None} if path == "/assign" else {}
    answer = await panel.call(method, f"{INBOX}/{new_id()}{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (404, "conversation_not_found")


@pytest.mark.parametrize("action", ["take-over", "hand-back", "read", "assign", "close", "reopen"])
async def test_a_viewer_may_look_and_change_nothing(rows: Pipeline, panel: Desk, action: str) -> None:
    mine = await rows.conversation(unread=1)
    answer = await panel.call("POST", f"{INBOX}/{mine}/{action}", role="viewer", json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert (await panel.get(f"{INBOX}/{mine}", role="viewer"))["unread"] == 1


async def test_a_stranger_sees_nothing(panel: Desk) -> None:
    assert (await panel.call("GET", INBOX, role=None)).status_code == 401


@pytest.mark.parametrize(
    ("query", "field"),
    [({"control": "cat"}, "control"), ({"status": "shut"}, "status"), ({"assignee": "you"}, "assignee"),
     ({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"cursor": "x"}, "cursor"),
     ({"channel_id": "x"}, "channel_id"), ({"unread": "perhaps"}, "unread"), ({"q": "x" * 101}, "q")],
)  # fmt: skip
async def test_a_bad_query_names_its_member(panel: Desk, query: dict[str, Any], field: str) -> None:
    answer = await panel.call("GET", INBOX, params=query)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("given", [{}, {"json": {}}, {"json": {"expected_version": None}}])
async def test_a_change_needs_no_body(rows: Pipeline, panel: Desk, given: dict[str, Any]) -> None:
    mine = await rows.conversation()
    answer = await panel.call("POST", f"{INBOX}/{mine}/take-over", **given)
    assert (answer.status_code, answer.json()["control"]) == (200, "person")


@pytest.mark.parametrize("body", [{"expected_version": "x"}, {"expected_version": 0}, {"expected_versionn": 1}])
async def test_a_bad_change_names_its_member(rows: Pipeline, panel: Desk, body: dict[str, Any]) -> None:
    mine = await rows.conversation()
    answer = await panel.call("POST", f"{INBOX}/{mine}/take-over", json=body)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == list(body)
