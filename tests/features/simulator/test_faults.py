"""Every fault of the menu, and what is true after it: accepted or not, and what the webhooks say."""

from collections.abc import Callable
from typing import Any

import pytest

from app.core.http_client import HttpResponse, MaybeSent
from app.simulator.faults import Fault, FaultMenu
from tests.features.simulator.conftest import ANA, MakeWorld, World

ErrorOf = Callable[[HttpResponse], dict[str, Any]]


def received(world: World) -> list[str]:
    return [entry.body for entry in world.simulator.ledger.received]


@pytest.mark.parametrize("code", [131047, 131049, 130429, 131026, 190, 131056])
async def test_an_error_is_not_accepted(world: World, error_of: ErrorOf, code: int) -> None:
    await world.writes()
    await world.faults({"kind": "error", "code": code, "count": 1})
    response = await world.graph.say(ANA, "uno")
    assert error_of(response)["code"] == code
    assert 400 <= response.status < 500
    assert (await world.graph.say(ANA, "dos")).status == 200
    assert received(world) == ["dos"]


async def test_an_error_can_come_with_another_http_status(world: World, error_of: ErrorOf) -> None:
    await world.writes()
    await world.faults({"kind": "error", "code": 130429, "status": 429})
    assert (await world.graph.say(ANA, "uno")).status == 429


async def test_a_server_error_without_acceptance_leaves_nothing(world: World) -> None:
    await world.writes()
    await world.faults({"kind": "server_error", "status": 503, "count": 1})
    assert (await world.graph.say(ANA, "uno")).status == 503
    await world.simulator.idle()
    assert received(world) == []
    assert world.receiver.statuses == []


async def test_a_server_error_after_acceptance_delivers_and_reports(world: World) -> None:
    await world.writes()
    await world.faults({"kind": "server_error_after_accept", "count": 1})
    assert (await world.graph.say(ANA, "uno", tracker="t")).status == 500
    await world.receiver.wait_until(lambda r: len(r.statuses) == 3)
    assert received(world) == ["uno"]
    assert world.receiver.statuses[0]["biz_opaque_callback_data"] == "t"


async def test_a_timeout_after_acceptance_never_answers_and_delivers(world: World) -> None:
    await world.writes()
    await world.faults({"kind": "timeout_after_accept", "count": 1})
    with pytest.raises(MaybeSent) as failure:
        await world.graph.say(ANA, "uno", timeout_seconds=0.2)
    assert failure.value.reason == "timeout"
    await world.receiver.wait_until(lambda r: len(r.statuses) == 3)
    assert received(world) == ["uno"]


@pytest.mark.parametrize(("kind", "truth"), [("drop_before_accept", []), ("drop_after_accept", ["uno"])])
async def test_a_dropped_connection_has_two_truths(world: World, kind: str, truth: list[str]) -> None:
    await world.writes()
    await world.faults({"kind": kind, "count": 1})
    with pytest.raises(MaybeSent) as failure:
        await world.graph.say(ANA, "uno")
    assert failure.value.reason == "reset"
    assert received(world) == truth


async def test_a_slow_answer_comes_in_the_end(world: World) -> None:
    await world.writes()
    await world.faults({"kind": "slow", "seconds": 0.3, "count": 1})
    with pytest.raises(MaybeSent):
        await world.graph.say(ANA, "uno", timeout_seconds=0.05)
    assert (await world.graph.say(ANA, "dos")).status == 200


async def test_statuses_can_be_lost_although_the_customer_has_the_message(world: World) -> None:
    await world.writes()
    await world.faults({"kind": "lost_statuses", "count": 1})
    await world.graph.say(ANA, "uno")
    await world.graph.say(ANA, "dos", tracker="second")
    await world.simulator.idle()
    assert received(world) == ["uno", "dos"]
    assert {status["biz_opaque_callback_data"] for status in world.receiver.statuses} == {"second"}


async def test_a_failed_status_later_means_the_customer_has_nothing(world: World) -> None:
    await world.writes()
    await world.faults({"kind": "failed_status", "code": 131049, "count": 1})
    assert (await world.graph.say(ANA, "uno", tracker="t")).status == 200
    await world.receiver.wait_until(lambda r: r.statuses)
    [status] = world.receiver.statuses
    assert (status["status"], status["errors"][0]["code"]) == ("failed", 131049)
    assert received(world) == []
    assert [entry.code for entry in world.simulator.ledger.undelivered] == [131049]


async def test_a_duplicated_webhook_arrives_byte_for_byte_again(world: World) -> None:
    await world.faults({"kind": "duplicate_webhook", "copies": 3, "count": 1})
    await world.writes()
    await world.simulator.idle()
    assert len(world.receiver.bodies) == 4
    assert len(set(world.receiver.bodies)) == 1


async def test_a_late_webhook_is_overtaken(world: World) -> None:
    await world.faults({"kind": "late_webhook", "seconds": 0.2, "count": 1})
    await world.json("POST", "messages", {"customer": ANA, "message": {"type": "text", "body": "uno"}})
    await world.writes("dos")
    await world.simulator.idle()
    assert [message["text"]["body"] for message in world.receiver.messages] == ["dos", "uno"]


async def order_of_arrival(make_world: MakeWorld, seed: int) -> list[str]:
    """Let twelve messages queue up, and return the order in which they come out under half-probable reordering."""
    world = await make_world(webhook_connections=1)
    reorder = {"kind": "reorder_webhooks", "probability": 0.5, "seconds": 5}
    await world.faults({"kind": "hold_webhooks"}, reorder, seed=seed)
    for number in range(12):
        await world.json("POST", "messages", {"customer": ANA, "message": {"type": "text", "body": str(number)}})
    await world.faults(reorder, seed=seed)
    # The last ones may wait for others to overtake them.
    await world.receiver.wait_until(lambda r: len(r.messages) >= 9)
    return [message["text"]["body"] for message in world.receiver.messages[:9]]


async def test_reordering_is_the_same_for_the_same_seed(make_world: MakeWorld) -> None:
    first = await order_of_arrival(make_world, seed=7)
    again = await order_of_arrival(make_world, seed=7)
    other = await order_of_arrival(make_world, seed=8)
    assert first == again
    assert first != other
    assert first != sorted(first, key=int)


async def test_a_lone_reordered_webhook_still_arrives(world: World) -> None:
    await world.faults({"kind": "reorder_webhooks"})
    await world.writes()
    assert len(world.receiver.messages) == 1


async def test_held_webhooks_go_out_when_the_fault_is_taken_back(world: World) -> None:
    await world.faults({"kind": "hold_webhooks"})
    await world.json("POST", "messages", {"customer": ANA, "message": {"type": "text", "body": "uno"}})
    assert (await world.json("GET", "idle?wait_seconds=0.1"))["promised"] == 1
    assert world.receiver.bodies == []
    await world.json("DELETE", "faults")
    assert (await world.json("GET", "idle?wait_seconds=10"))["promised"] == 0
    assert len(world.receiver.messages) == 1


async def test_a_fault_can_be_meant_for_one_customer(world: World) -> None:
    await world.writes()
    await world.writes(customer="34600999888")
    await world.faults({"kind": "error", "code": 131026, "customer": "34600999888"})
    assert (await world.graph.say(ANA, "uno")).status == 200
    assert (await world.graph.say("34600999888", "dos")).status == 400


async def test_counts_go_down_and_spent_faults_disappear(world: World) -> None:
    await world.writes()
    await world.faults({"kind": "error", "code": 130429, "count": 2})
    await world.graph.say(ANA, "uno")
    assert (await world.json("GET", "faults"))["faults"] == [{"kind": "error", "code": 130429, "count": 1}]
    await world.graph.say(ANA, "dos")
    assert (await world.json("GET", "faults"))["faults"] == []


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "error"},
        {"kind": "error", "code": 7},
        {"kind": "failed_status"},
        {"kind": "slow"},
        {"kind": "late_webhook"},
        {"kind": "meteor"},
        {"kind": "server_error", "probability": 1.5},
        {"kind": "server_error", "probabilty": 1},
    ],
)
async def test_incomplete_faults_are_refused(world: World, fault: dict[str, Any]) -> None:
    assert (await world.control("POST", "faults", {"faults": [fault]})).status == 422


def test_the_same_seed_strikes_the_same_times() -> None:
    def strikes(seed: int) -> list[bool]:
        menu = FaultMenu(seed)
        menu.add(Fault(kind="server_error", probability=0.5))
        menu.add(Fault(kind="slow", probability=0.5, seconds=1))
        struck = []
        for _ in range(50):
            struck.append(menu.strike("server_error") is not None)
            menu.strike("slow")
        return struck

    assert strikes(1) == strikes(1)
    assert strikes(1) != strikes(2)


def test_a_fault_strikes_as_often_as_its_probability_says() -> None:
    menu = FaultMenu(3)
    menu.add(Fault(kind="server_error", probability=0.2))
    struck = sum(menu.strike("server_error") is not None for _ in range(5000))
    assert 900 < struck < 1100
