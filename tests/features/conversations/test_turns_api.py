from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from app.ai.replies.controllers import TurnsController
from app.core.db import Database
from app.core.ids import new_id
from tests.builders.api import BOTH, Desk, desk, either_database
from tests.builders.pipeline import Pipeline


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with either_database(request, tmp_path) as database:
        yield database


@pytest.fixture
def rows(database: Database) -> Pipeline:
    return Pipeline(database)


@pytest.fixture
def panel(database: Database) -> Desk:
    return desk([TurnsController], {"database": database})


async def test_a_turn_tells_what_it_answered_and_what_every_model_said(rows: Pipeline, panel: Desk) -> None:
    conversation = await rows.conversation()
    turn = await rows.turn(conversation, state="failed", reason="send_failed", failures=1, restarts=2)
    asked = [await rows.message(conversation, turn_id=turn) for _ in range(2)]
    answered = [await rows.outbound(conversation, turn_id=turn, part=part) for part in range(2)]
    await rows.model_call(
        turn, token=2, provider="claude", tokens_in=900, tokens_out=20, cost_usd=Decimal("0.00000120")
    )
    await rows.model_call(turn, token=1, position=1, outcome="skipped", kind="cool_down", milliseconds=0, model=None)
    await rows.model_call(turn, token=1, outcome="failed", kind="server", detail="overloaded", http_status=503)

    told = await panel.get(f"/api/turns/{turn}")

    assert (told["state"], told["reason"], told["failures"], told["restarts"]) == ("failed", "send_failed", 1, 2)
    assert told["inbound_ids"] == [str(one) for one in asked]
    assert told["outbound_ids"] == [str(one) for one in answered]
    first, second, third = told["model_calls"]
    assert (first["kind"], first["detail"], first["http_status"], first["cost_usd"]) == (
        "server", "overloaded", 503, None,
    )  # fmt: skip
    assert (second["outcome"], second["kind"], second["model"]) == ("skipped", "cool_down", None)
    assert (third["provider"], third["tokens_in"], third["cost_usd"]) == ("claude", 900, "0.0000012")


async def test_turns_are_listed_newest_first_each_with_its_own_story(rows: Pipeline, panel: Desk) -> None:
    conversation = await rows.conversation()
    old, new = new_id(), new_id()
    await rows.turn(conversation, id=old, state="superseded", reason="newer_message", superseded_by=new)
    await rows.turn(conversation, id=new)
    await rows.turn(await rows.conversation())
    message = await rows.message(conversation, turn_id=new)
    await rows.model_call(old)

    found = await panel.all_pages(f"/api/conversations/{conversation}/turns", limit=1)

    assert [turn["id"] for turn in found] == [str(new), str(old)]
    assert [turn["inbound_ids"] for turn in found] == [[str(message)], []]
    assert [len(turn["model_calls"]) for turn in found] == [0, 1]
    assert found[1]["superseded_by"] == str(new)


async def test_what_is_not_there_is_not_found(panel: Desk) -> None:
    for path, code in (
        (f"/api/turns/{new_id()}", "turn_not_found"),
        (f"/api/conversations/{new_id()}/turns", "conversation_not_found"),
    ):
        answer = await panel.call("GET", path)
        assert (answer.status_code, answer.json()["code"]) == (404, code)


async def test_a_stranger_sees_no_turn(rows: Pipeline, panel: Desk) -> None:
    turn = await rows.turn(await rows.conversation())
    assert (await panel.call("GET", f"/api/turns/{turn}", role=None)).status_code == 401
