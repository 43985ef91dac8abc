from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.contacts.controllers import ContactsController
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
    return desk([ContactsController], {"database": database})


async def test_a_contact_is_shown_with_its_identifiers(rows: Pipeline, panel: Desk) -> None:
    contact = await rows.contact(name="Ana", phone="573001112233", user_id="CO.1")
    shown = await panel.get(f"/api/contacts/{contact}")
    assert (shown["name"], shown["phone"], shown["user_id"], shown["approved"]) == (
        "Ana", "573001112233", "CO.1", False,
    )  # fmt: skip
    assert shown["identifiers"] == [{"kind": "phone", "value": "573001112233"}]


async def test_a_contact_is_approved_and_again_not(rows: Pipeline, panel: Desk) -> None:
    contact = await rows.contact()
    for approved in (True, False):
        answer = await panel.call("PATCH", f"/api/contacts/{contact}", json={"approved": approved})
        assert (answer.status_code, answer.json()["approved"]) == (200, approved)
        assert (await panel.get(f"/api/contacts/{contact}"))["approved"] is approved


@pytest.mark.parametrize(
    ("body", "field"), [({}, "approved"), ({"approved": "x"}, "approved"), ({"approved": True, "nme": "B"}, "nme")]
)
async def test_a_bad_change_names_its_member(rows: Pipeline, panel: Desk, body: dict[str, Any], field: str) -> None:
    contact = await rows.contact()
    answer = await panel.call("PATCH", f"/api/contacts/{contact}", json=body)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


async def test_an_unknown_contact_is_not_found(panel: Desk) -> None:
    for method in ("GET", "PATCH"):
        answer = await panel.call(method, f"/api/contacts/{new_id()}", json={"approved": True})
        assert (answer.status_code, answer.json()["code"]) == (404, "contact_not_found")


async def test_a_viewer_may_not_approve(rows: Pipeline, panel: Desk) -> None:
    contact = await rows.contact()
    answer = await panel.call("PATCH", f"/api/contacts/{contact}", role="viewer", json={"approved": True})
    assert answer.status_code == 403
    assert (await panel.call("GET", f"/api/contacts/{contact}", role=None)).status_code == 401
