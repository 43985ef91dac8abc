"""Who looks after a conversation, and whether it is open."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.audit.models import audit_entries
from app.conversations.models import conversations
from app.conversations.receive import Threads, receive
from app.conversations.turns import Pace
from app.core.db import Database
from app.core.db.events import EVENTS, events
from app.core.ids import new_id
from app.inbox.controllers import ConversationsController
from app.inbox.queries import MOST_COUNTED
from app.whatsapp.models import channels
from tests.builders.api import BOTH, Desk, RecordingWake, desk, either_database
from tests.builders.pipeline import Pipeline
from tests.builders.rows import arrival

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


async def happened(database: Database) -> list[str]:
    async with database.read() as connection:
        return list(await connection.scalars(sa.select(events.c.name).order_by(events.c.id)))


async def trail(database: Database) -> list[str]:
    async with database.read() as connection:
        return list(await connection.scalars(sa.select(audit_entries.c.action).order_by(audit_entries.c.sequence)))


async def ids(panel: Desk, **query: str) -> set[UUID]:
    return {UUID(item["id"]) for item in await panel.all_pages(INBOX, role="agent", **query)}


async def test_a_conversation_is_assigned_by_name_and_taken_from_everybody_again(
    rows: Pipeline, panel: Desk, database: Database, wake: RecordingWake
) -> None:
    mine, marta = await rows.conversation(), await rows.user("marta")

    given = (await panel.call("POST", f"{INBOX}/{mine}/assign", json={"user_id": str(marta)})).json()
    again = (await panel.call("POST", f"{INBOX}/{mine}/assign", json={"user_id": str(marta)})).json()
    freed = (await panel.call("POST", f"{INBOX}/{mine}/assign", json={"user_id": None})).json()

    assert given["assignee"] == again["assignee"] == {"id": str(marta), "name": "marta"}
    assert (given["control"], freed["assignee"]) == ("bot", None)
    assert await happened(database) == ["conversation_changed"] * 2
    assert await trail(database) == ["conversation.assigned"] * 2
    assert EVENTS in wake.topics


@pytest.mark.parametrize("who", ["a viewer", "somebody disabled", "nobody known"])
async def test_only_those_who_can_answer_are_assigned(rows: Pipeline, panel: Desk, who: str) -> None:
    mine = await rows.conversation()
    user = new_id()
    if who == "a viewer":
        user = await rows.user(role="viewer")
    elif who == "somebody disabled":
        user = await rows.user(disabled_at=datetime.now(UTC))

    answer = await panel.call("POST", f"{INBOX}/{mine}/assign", json={"user_id": str(user)})

    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == ["user_id"]


async def test_an_assignment_says_to_whom(rows: Pipeline, panel: Desk) -> None:
    answer = await panel.call("POST", f"{INBOX}/{await rows.conversation()}/assign", json={})
    assert answer.status_code == 422


async def test_who_takes_over_what_nobody_looks_after_looks_after_it(rows: Pipeline, panel: Desk) -> None:
    await rows.user("ana", id=panel.agent_id)
    free, martas = await rows.conversation(), await rows.conversation(assignee_id=await rows.user("marta"))

    taken = (await panel.call("POST", f"{INBOX}/{free}/take-over")).json()
    helped = (await panel.call("POST", f"{INBOX}/{martas}/take-over")).json()

    assert (taken["assignee"]["name"], taken["held_by_name"]) == ("ana", "ana")
    assert (helped["assignee"]["name"], helped["held_by_name"]) == ("marta", "ana")


async def test_closing_puts_away_and_reopening_brings_back(rows: Pipeline, panel: Desk, database: Database) -> None:
    mine = await rows.conversation(unread=3, attention="send_failed")

    closed = (await panel.call("POST", f"{INBOX}/{mine}/close", json={"reason": "sold"})).json()
    again = (await panel.call("POST", f"{INBOX}/{mine}/close", json={"reason": "other"})).json()
    opened = (await panel.call("POST", f"{INBOX}/{mine}/reopen")).json()
    await panel.call("POST", f"{INBOX}/{mine}/reopen")

    assert (closed["status"], closed["close_reason"], closed["unread"], closed["attention"]) == (
        "closed",
        "sold",
        0,
        None,
    )
    assert (again["closed_at"], again["close_reason"]) == (closed["closed_at"], "sold")
    assert (opened["status"], opened["closed_at"], opened["close_reason"]) == ("open", None, None)
    assert await trail(database) == ["conversation.closed", "conversation.reopened"]
    assert await happened(database) == ["conversation_changed"] * 2


async def test_closing_needs_no_reason(rows: Pipeline, panel: Desk) -> None:
    answer = await panel.call("POST", f"{INBOX}/{await rows.conversation()}/close")
    assert (answer.status_code, answer.json()["close_reason"]) == (200, None)


async def test_what_a_customer_writes_opens_a_closed_conversation(
    rows: Pipeline, panel: Desk, database: Database
) -> None:
    contact = await rows.contact(phone="573001112233")
    mine = await rows.conversation(contact_id=contact, closed_at=datetime.now(UTC), close_reason="sold")
    channel = (await rows.row(conversations, mine)).channel_id

    async with database.write() as connection:
        now = await database.now(connection)
        await receive(connection, [arrival(channel)], now=now, pace=Pace(1, 5), threads=Threads())

    assert await ids(panel, status="open") == {mine}
    assert (await panel.get(f"{INBOX}/{mine}"))["close_reason"] is None


async def test_the_inbox_is_filtered_by_status_and_assignee(rows: Pipeline, panel: Desk) -> None:
    marta = await rows.user("marta")
    own = await rows.conversation(assignee_id=panel.agent_id)
    martas = await rows.conversation(assignee_id=marta)
    free = await rows.conversation()
    done = await rows.conversation(assignee_id=panel.agent_id, closed_at=datetime.now(UTC))

    assert await ids(panel, status="open") == {own, martas, free}
    assert await ids(panel, status="closed") == {done}
    assert await ids(panel, assignee="me") == {own, done}
    assert await ids(panel, assignee="me", status="open") == {own}
    assert await ids(panel, assignee="nobody") == {free}
    assert await ids(panel, assignee=str(marta)) == {martas}


async def test_counts_are_of_what_is_open_as_whoever_asks_sees_it(rows: Pipeline, panel: Desk) -> None:
    await rows.conversation(assignee_id=panel.agent_id, unread=2)
    await rows.conversation(assignee_id=new_id(), attention="send_failed", unread=1)
    await rows.conversation()
    await rows.conversation(closed_at=datetime.now(UTC), unread=1, attention="send_failed")

    counts = await panel.get(f"{INBOX}/counts", role="agent")

    assert counts == {"open": 3, "mine": 1, "unassigned": 1, "attention": 1, "unread": 2}


async def test_counting_ends_at_a_thousand(rows: Pipeline, panel: Desk, database: Database) -> None:
    contact, now = await rows.contact(), datetime.now(UTC)
    shops = [new_id() for _ in range(MOST_COUNTED + 5)]
    async with database.write() as connection:
        await connection.execute(
            channels.insert(),
            [
                {"id": shop, "kind": "cloud", "name": "x", "source": "panel", "phone_number_id": str(shop)[-30:]}
                for shop in shops
            ],
        )
        await connection.execute(
            conversations.insert(),
            [{"id": new_id(), "channel_id": shop, "contact_id": contact, "last_message_at": now} for shop in shops],
        )
    assert (await panel.get(f"{INBOX}/counts", role="agent"))["open"] == MOST_COUNTED


async def test_two_who_close_at_once_close_it_once(rows: Pipeline, panel: Desk, database: Database) -> None:
    mine = await rows.conversation()
    await asyncio.gather(*(panel.call("POST", f"{INBOX}/{mine}/close") for _ in range(4)))
    assert await trail(database) == ["conversation.closed"]


async def test_reading_what_is_read_tells_nobody(rows: Pipeline, panel: Desk, database: Database) -> None:
    mine = await rows.conversation(unread=2)
    await panel.call("POST", f"{INBOX}/{mine}/read")
    await panel.call("POST", f"{INBOX}/{mine}/read")
    assert await happened(database) == ["conversation_changed"]
