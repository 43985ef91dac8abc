import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.conversations.controllers import CannedRepliesController
from app.core.db import Database
from app.core.ids import new_id
from app.outbound.controllers import MessagesController
from tests.builders.api import BOTH, Desk, RecordingWake, desk, either_database
from tests.builders.pipeline import Pipeline

REPLIES = "/api/canned-replies"
HOURS = {"shortcut": "Horario", "title": "Our hours", "text": "We open at nine."}


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with either_database(request, tmp_path) as database:
        yield database


@pytest.fixture
def panel(database: Database) -> Desk:
    return desk([CannedRepliesController, MessagesController], {"database": database, "wake": RecordingWake()})


async def add(panel: Desk, **members: Any) -> Any:
    answer = await panel.call("POST", REPLIES, role="supervisor", json={**HOURS, **members})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_supervisors_keep_them_and_agents_read_them(panel: Desk) -> None:
    hours = await add(panel)
    thanks = await add(panel, shortcut="gracias", text="¡Gracias!")

    found = await panel.all_pages(REPLIES, role="agent", limit=1)

    assert found == [thanks, hours]
    assert (hours["shortcut"], hours["title"], hours["text"], hours["uses"]) == (
        "horario", "Our hours", "We open at nine.", 0,
    )  # fmt: skip


async def test_a_canned_reply_is_changed_and_removed(panel: Desk) -> None:
    hours = await add(panel)
    path = f"{REPLIES}/{hours['id']}"

    changed = await panel.call("PUT", path, role="supervisor", json={**HOURS, "text": "We open at ten."})
    removed = await panel.call("DELETE", path, role="supervisor")
    gone = await panel.call("PUT", path, role="supervisor", json=HOURS)

    assert changed.json() == {**hours, "text": "We open at ten."}
    assert removed.status_code == 204
    assert (gone.status_code, gone.json()["code"]) == (404, "canned_reply_not_found")
    assert await panel.all_pages(REPLIES, role="agent") == []


async def test_a_shortcut_belongs_to_one_whatever_its_case(panel: Desk) -> None:
    await add(panel)
    other = await add(panel, shortcut="precio")

    again = await panel.call("POST", REPLIES, role="supervisor", json={**HOURS, "shortcut": "HORARIO"})
    moved = await panel.call("PUT", f"{REPLIES}/{other['id']}", role="supervisor", json=HOURS)

    assert [(answer.status_code, answer.json()["code"]) for answer in (again, moved)] == [(409, "shortcut_taken")] * 2


async def test_two_who_take_one_shortcut_at_once_are_told_apart(panel: Desk) -> None:
    replies = [await add(panel, shortcut=f"s{number}") for number in range(4)]
    answers = await asyncio.gather(
        *(panel.call("PUT", f"{REPLIES}/{reply['id']}", role="supervisor", json=HOURS) for reply in replies)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]


async def test_messages_written_with_it_are_counted_once_each(panel: Desk, database: Database) -> None:
    hours = await add(panel)
    conversation = await Pipeline(database).conversation()
    path = f"/api/conversations/{conversation}/messages"
    message = {"content": {"type": "text", "body": "We open at nine."}, "canned_reply_id": hours["id"]}

    for key in ("a", "a", "b"):
        answer = await panel.call("POST", path, json=message, headers={"Idempotency-Key": key})
        assert answer.status_code in {200, 201}
    gone = await panel.call("POST", path, json={**message, "canned_reply_id": str(new_id())})

    assert gone.status_code == 201
    assert [reply["uses"] for reply in await panel.all_pages(REPLIES, role="agent")] == [2]


@pytest.mark.parametrize(
    ("member", "value"),
    [("shortcut", ""), ("shortcut", "a b"), ("shortcut", "/a"), ("shortcut", "x" * 41), ("title", ""), ("title", " "),
     ("text", ""), ("text", "x" * 4001)],
)  # fmt: skip
async def test_a_bad_canned_reply_names_its_member(panel: Desk, member: str, value: str) -> None:
    answer = await panel.call("POST", REPLIES, role="supervisor", json={**HOURS, member: value})
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == [member]


async def test_agents_change_nothing_and_viewers_have_no_use_for_them(panel: Desk) -> None:
    assert (await panel.call("POST", REPLIES, json=HOURS)).status_code == 403
    assert (await panel.call("GET", REPLIES, role="viewer")).status_code == 403
