"""Proofs over HTTP."""

import pytest

from app.core.db import Database
from app.proof.controllers import ProofController
from app.proof.doctor import Doctor
from app.proof.service import Prover
from tests.builders.api import Desk, desk
from tests.builders.pipeline import Pipeline


@pytest.fixture
def panel(database: Database, prover: Prover) -> Desk:
    return desk([ProofController], {"prover": prover, "doctor": Doctor([]), "database": database})


async def test_the_operator_presses_the_button(panel: Desk, rows: Pipeline) -> None:
    conversation = await rows.conversation()
    await rows.message(conversation, awaits_turn=1)
    await rows.outbound(conversation, state="sent")

    answer = await panel.call("POST", "/api/system/prove", role="admin", json={})

    proof = answer.json()
    assert answer.status_code == 200, answer.text
    assert not proof["holds"], "something was sent without an id"
    assert (proof["ledger"]["received"], proof["ledger"]["pending"]) == (1, 1)
    stored = await panel.get("/api/system/invariants", role="admin")
    assert {one["name"] for one in stored["items"] if one["violations"]} == {"sent_without_id"}


async def test_the_ledger_of_a_time_is_asked_for(panel: Desk) -> None:
    told = await panel.get(
        "/api/system/proof", role="admin", since="2026-11-01T00:00:00Z", until="2026-11-02T00:00:00-05:00"
    )

    assert (told["received"], told["unexplained"], told["lines"]) == (0, 0, [])
    assert (told["since"], told["until"]) == ("2026-11-01T00:00:00Z", "2026-11-02T05:00:00Z")


async def test_a_time_without_a_zone_is_refused_with_its_name(panel: Desk) -> None:
    answer = await panel.call("GET", "/api/system/proof", role="admin", params={"since": "2026-11-01T00:00:00"})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


async def test_proofs_are_for_whoever_runs_the_installation(panel: Desk) -> None:
    for method, path in (
        ("GET", "/api/system/proof"),
        ("GET", "/api/system/invariants"),
        ("GET", "/api/system/doctor"),
        ("POST", "/api/system/prove"),
    ):
        answer = await panel.call(method, path, role="supervisor", json={} if method == "POST" else None)
        assert answer.status_code == 403


async def test_the_doctor_is_asked(panel: Desk) -> None:
    assert (await panel.get("/api/system/doctor", role="admin"))["status"] == "ok"
