from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.core.db import Database
from app.core.ids import new_id
from app.whatsapp.controllers import EventsController
from app.whatsapp.models import inbound_events
from tests.builders.api import BOTH, Desk, RecordingWake, desk, either_database
from tests.builders.pipeline import Pipeline

EVENTS = "/api/whatsapp/events"


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
    return desk([EventsController], {"database": database, "wake": wake})


async def test_webhooks_are_listed_newest_first_without_their_bodies(rows: Pipeline, panel: Desk) -> None:
    waits = await rows.event(b"{}")
    dead = await rows.event(b'{"a":1}', state="dead", reason="not_a_webhook", claims=1)
    done = await rows.event("né".encode(), state="done")

    found = await panel.all_pages(EVENTS, limit=2)

    assert [event["id"] for event in found] == [str(done), str(dead), str(waits)]
    assert [event["size_bytes"] for event in found] == [3, 7, 2]
    assert all("body" not in event for event in found)
    assert (found[1]["state"], found[1]["reason"], found[1]["claims"]) == ("dead", "not_a_webhook", 1)


@pytest.mark.parametrize("state", ["pending", "done", "dead"])
async def test_webhooks_are_filtered_by_state(rows: Pipeline, panel: Desk, state: str) -> None:
    stored = {each: await rows.event(state=each) for each in ("pending", "done", "dead")}
    found = await panel.all_pages(EVENTS, state=state)
    assert [event["id"] for event in found] == [str(stored[state])]


@pytest.mark.parametrize(
    ("body", "shown"), [(b'{"a":"\xc3\xb1"}', '{"a":"ñ"}'), (b"\xff\x00{", "\ufffd\x00{"), (b"", "")]
)
async def test_a_body_is_shown_whatever_its_bytes(rows: Pipeline, panel: Desk, body: bytes, shown: str) -> None:
    event = await rows.event(body, state="dead")
    assert (await panel.get(f"{EVENTS}/{event}"))["body"] == shown


async def test_a_dead_webhook_is_tried_again(rows: Pipeline, panel: Desk, wake: RecordingWake) -> None:
    dead = await rows.event(state="dead", reason="unknown phone_number_id 1", claims=1)

    answer = await panel.call("POST", f"{EVENTS}/{dead}/retry", role="supervisor")

    assert (answer.status_code, answer.json()["state"]) == (200, "pending")
    row = await rows.row(inbound_events, dead)
    assert (row.state, row.claims, row.reason) == ("pending", 0, None)
    assert wake.topics == ["inbox"]


@pytest.mark.parametrize("state", ["pending", "done"])
async def test_only_a_dead_webhook_is_tried_again(rows: Pipeline, panel: Desk, wake: RecordingWake, state: str) -> None:
    event = await rows.event(state=state)
    answer = await panel.call("POST", f"{EVENTS}/{event}/retry", role="supervisor")
    assert (answer.status_code, answer.json()["code"]) == (409, "webhook_event_not_dead")
    assert wake.topics == []


async def test_an_unknown_webhook_is_not_found(panel: Desk) -> None:
    for method, suffix in (("GET", ""), ("POST", "/retry")):
        answer = await panel.call(method, f"{EVENTS}/{new_id()}{suffix}", role="supervisor")
        assert (answer.status_code, answer.json()["code"]) == (404, "webhook_event_not_found")


@pytest.mark.parametrize("query", [{"state": "odd"}, {"cursor": "ñ"}, {"limit": "many"}])
async def test_a_bad_query_is_refused(panel: Desk, query: dict[str, Any]) -> None:
    answer = await panel.call("GET", EVENTS, params=query)
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 1


async def test_an_agent_may_look_but_not_try_again(rows: Pipeline, panel: Desk) -> None:
    dead = await rows.event(state="dead")
    assert (await panel.call("POST", f"{EVENTS}/{dead}/retry", role="agent")).status_code == 403
    assert (await panel.call("GET", EVENTS, role=None)).status_code == 401
