from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.conversations.controllers import NotesController
from app.conversations.models import messages
from app.core.db import Database
from app.core.db.events import EVENTS, events
from app.core.ids import new_id
from app.core.security.permissions import Role
from app.outbound.models import outbound_messages
from tests.builders.api import BOTH, Desk, RecordingWake, desk, either_database
from tests.builders.pipeline import Pipeline


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
    return desk([NotesController], {"database": database, "wake": wake})


def notes_of(conversation: object) -> str:
    return f"/api/conversations/{conversation}/notes"


async def test_notes_are_shown_newest_first_with_their_author(
    rows: Pipeline, panel: Desk, database: Database, wake: RecordingWake
) -> None:
    await rows.user("ana", id=panel.agent_id)
    mine = await rows.conversation()
    for text in ("asks for a discount", "gave ten percent"):
        answer = await panel.call("POST", notes_of(mine), json={"text": text})
        assert answer.status_code == 201

    found = await panel.all_pages(notes_of(mine), limit=1)

    assert [note["text"] for note in found] == ["gave ten percent", "asks for a discount"]
    assert found[0] == answer.json()
    assert found[0]["author"] == {"id": str(panel.agent_id), "name": "ana"}
    async with database.read() as connection:
        assert list(await connection.scalars(sa.select(events.c.name))) == ["note_added"] * 2
    assert EVENTS in wake.topics


async def test_a_note_is_no_message_and_never_leaves(rows: Pipeline, panel: Desk, database: Database) -> None:
    mine = await rows.conversation()
    await panel.call("POST", notes_of(mine), json={"text": "he never pays"})
    async with database.read() as connection:
        for table in (messages, outbound_messages):
            assert (await connection.execute(sa.select(table.c.id))).all() == []


async def test_the_notes_of_one_conversation_are_not_those_of_another(rows: Pipeline, panel: Desk) -> None:
    mine, other = await rows.conversation(), await rows.conversation()
    note = (await panel.call("POST", notes_of(mine), json={"text": "x"})).json()

    answer = await panel.call("DELETE", f"{notes_of(other)}/{note['id']}")

    assert (answer.status_code, answer.json()["code"]) == (404, "note_not_found")
    assert await panel.all_pages(notes_of(other)) == []
    assert await panel.all_pages(notes_of(mine)) == [note]


@pytest.mark.parametrize(
    ("role", "own", "status"), [("agent", True, 204), ("agent", False, 403), ("supervisor", False, 204)]
)
async def test_a_note_is_deleted_by_its_author_or_a_supervisor(
    rows: Pipeline, panel: Desk, role: Role, own: bool, status: int
) -> None:
    mine = await rows.conversation()
    note = (await panel.call("POST", notes_of(mine), json={"text": "x"})).json()
    path = f"{notes_of(mine)}/{note['id']}"

    answer = await panel.call("DELETE", path, role=role, user_id=None if own else new_id())

    assert answer.status_code == status
    assert (status == 204) is (await panel.all_pages(notes_of(mine)) == [])
    if status == 403:
        assert answer.json()["code"] == "not_your_note"


@pytest.mark.parametrize("text", ["", "  \n", "x" * 4001])
async def test_a_note_says_something_and_not_too_much(rows: Pipeline, panel: Desk, text: str) -> None:
    answer = await panel.call("POST", notes_of(await rows.conversation()), json={"text": text})
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == ["text"]


async def test_an_unknown_conversation_has_no_notes(panel: Desk) -> None:
    read = await panel.call("GET", notes_of(new_id()))
    written = await panel.call("POST", notes_of(new_id()), json={"text": "x"})
    for answer in (read, written):
        assert (answer.status_code, answer.json()["code"]) == (404, "conversation_not_found")


async def test_a_viewer_reads_notes_and_writes_none(rows: Pipeline, panel: Desk) -> None:
    mine = await rows.conversation()
    assert (await panel.call("POST", notes_of(mine), role="viewer", json={"text": "x"})).status_code == 403
    assert await panel.all_pages(notes_of(mine), role="viewer") == []
