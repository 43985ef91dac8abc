from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from app.conversations.control import give_to
from app.conversations.errors import ControlHasChanged, ConversationNotFound
from app.conversations.models import conversations
from app.conversations.turns import Control
from app.core.db import Database
from app.core.db.events import events
from app.core.ids import new_id
from tests.builders.pipeline import Pipeline
from tests.builders.rows import BOTH, migrated, rows

ANA, LUIS = new_id(), new_id()


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with migrated(request, tmp_path) as database:
        yield database


async def give(database: Database, conversation_id: UUID, control: Control, **more: object) -> int:
    async with database.write() as connection:
        return await give_to(connection, conversation_id, control, **more)  # type: ignore[arg-type]


async def test_every_change_makes_a_new_version_and_is_told(database: Database) -> None:
    conversation_id = await Pipeline(database).conversation()
    assert await give(database, conversation_id, "person", user_id=ANA) == 2
    assert await give(database, conversation_id, "person", user_id=LUIS) == 3
    assert await give(database, conversation_id, "bot") == 4
    (row,) = await rows(database, conversations)
    assert (row.control, row.held_by, row.control_version) == ("bot", None, 4)
    assert [event.name for event in await rows(database, events)] == ["control_changed"] * 3


async def test_giving_it_to_whoever_holds_it_makes_no_version_and_is_not_told(database: Database) -> None:
    conversation_id = await Pipeline(database).conversation()
    assert await give(database, conversation_id, "bot") == 1
    assert await rows(database, events) == []


async def test_who_takes_it_has_looked_also_when_it_was_theirs_already(database: Database) -> None:
    pipeline = Pipeline(database)
    conversation_id = await pipeline.conversation(control="person", held_by=ANA, attention="models_unavailable")
    assert await give(database, conversation_id, "person", user_id=ANA) == 1
    assert (await rows(database, conversations))[0].attention is None


async def test_a_new_reason_to_look_is_kept_although_nobody_holds_it_already(database: Database) -> None:
    conversation_id = await Pipeline(database).conversation(control="nobody")
    await give(database, conversation_id, "nobody", attention="model_refused")
    assert (await rows(database, conversations))[0].attention == "model_refused"


async def test_a_decision_about_an_older_version_is_refused(database: Database) -> None:
    conversation_id = await Pipeline(database).conversation()
    await give(database, conversation_id, "person", user_id=ANA, expected_version=1)
    with pytest.raises(ControlHasChanged):
        await give(database, conversation_id, "bot", expected_version=1)
    assert (await rows(database, conversations))[0].control == "person"


async def test_a_conversation_that_is_not_there_is_not_found(database: Database) -> None:
    with pytest.raises(ConversationNotFound):
        await give(database, new_id(), "person")
