"""Model routes through the HTTP door."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.fakes.model_server import ModelServer
from tests.features.ai.chain.conftest import ADMIN, NOTHING, Process, Start, settings_of

URL = "/api/ai/providers"


@pytest.fixture
async def process(start: Start, server: ModelServer) -> AsyncIterator[Process]:
    async with start(settings_of(server, "openai", "openrouter")) as started:
        yield started


@pytest.fixture
async def client(process: Process) -> AsyncIterator[httpx.AsyncClient]:
    async with process.door() as opened:
        yield opened


async def order_of(client: httpx.AsyncClient) -> tuple[int, list[dict[str, Any]]]:
    seen = (await client.get(URL)).json()
    return seen["version"], [{"route_id": route["route_id"], "enabled": route["enabled"]} for route in seen["routes"]]


async def test_the_list_shows_the_routes_in_order_and_whose_keys_are_missing(client: httpx.AsyncClient) -> None:
    answer = await client.get(URL, headers={"role": "viewer"})

    seen = answer.json()
    assert answer.status_code == 200
    assert [(one["position"], one["provider"], one["enabled"]) for one in seen["routes"]] == [
        (1, "openai", True),
        (2, "openrouter", True),
    ]
    assert seen["routes"][0]["key_last_four"] == "1234"
    assert "sk-a-long-enough-key" not in answer.text
    assert "GEMINI_API_KEY" in {one["setting"] for one in seen["unused"]}


async def test_a_new_order_is_answered_with_the_new_list(client: httpx.AsyncClient) -> None:
    version, order = await order_of(client)
    order = [{**order[1], "enabled": False}, order[0]]

    answer = await client.put(f"{URL}/order", json={"version": version, "order": order})

    assert answer.status_code == 200
    assert (await order_of(client)) == (1, order)
    assert answer.json()["updated_by"] == str(ADMIN)


async def test_a_stale_version_is_a_conflict(client: httpx.AsyncClient) -> None:
    version, order = await order_of(client)
    await client.put(f"{URL}/order", json={"version": version, "order": order})

    answer = await client.put(f"{URL}/order", json={"version": version, "order": order})

    assert (answer.status_code, answer.json()["code"]) == (409, "provider_order_changed")


async def test_a_missing_route_is_named(client: httpx.AsyncClient) -> None:
    version, order = await order_of(client)

    answer = await client.put(f"{URL}/order", json={"version": version, "order": order[:1]})

    [fault] = answer.json()["errors"]
    assert (answer.status_code, fault["field"]) == (422, "order")
    assert order[1]["route_id"] in fault["message"]
    assert (await order_of(client)) == (0, order)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"version": 0, "order": [{"route_id": "openai:none:0", "enabled": True}]}, "order[0].route_id"),
        ({"version": 0, "order": [{"route_id": "openai:none:0", "enabled": "perhaps"}]}, "order[0].enabled"),
        ({"version": 0, "order": []}, "order"),
        ({"version": -1, "order": [{"route_id": "a", "enabled": True}]}, "version"),
        ({"order": [{"route_id": "a", "enabled": True}]}, "version"),
    ],
)
async def test_a_bad_order_names_the_member_at_fault(
    client: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    answer = await client.put(f"{URL}/order", json=body)

    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


async def test_the_list_of_a_house_without_providers_can_be_sent_back_as_it_is(start: Start) -> None:
    async with start(NOTHING) as process, process.door() as client:
        version, order = await order_of(client)

        answer = await client.put(f"{URL}/order", json={"version": version, "order": order})

        assert answer.status_code == 200
        assert process.asked == ["offline"]


@pytest.mark.parametrize("role", ["supervisor", "agent", "viewer"])
async def test_only_an_admin_may_change_or_try(client: httpx.AsyncClient, role: str) -> None:
    version, order = await order_of(client)
    headers = {"role": role}

    assert (await client.put(f"{URL}/order", json={"version": version, "order": order}, headers=headers)).is_error
    tried = await client.post(f"{URL}/{order[0]['route_id']}/test", headers=headers)
    assert (tried.status_code, tried.json()["code"]) == (403, "not_allowed")


async def test_a_route_that_answers_passes_its_test_even_while_it_is_switched_off(
    client: httpx.AsyncClient, server: ModelServer
) -> None:
    version, order = await order_of(client)
    order[1]["enabled"] = False
    await client.put(f"{URL}/order", json={"version": version, "order": order})

    # The model of this route has a slash in its name.
    answer = await client.post(f"{URL}/{quote(order[1]['route_id'], safe='')}/test")

    assert answer.status_code == 200
    assert (answer.json()["ok"], answer.json()["error_kind"]) == (True, None)
    assert server.count == 1


async def test_a_refused_key_fails_the_test_in_the_providers_words(
    client: httpx.AsyncClient, server: ModelServer
) -> None:
    _, order = await order_of(client)
    server.will("auth")

    answer = (await client.post(f"{URL}/{order[0]['route_id']}/test")).json()

    assert (answer["ok"], answer["error_kind"]) == (False, "auth")
    assert answer["error_message"]
    assert (await client.get(URL)).json()["routes"][0]["last_error_kind"] == "auth"


async def test_a_route_that_does_not_exist_cannot_be_tried(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{URL}/openai:none:0/test")

    assert (answer.status_code, answer.json()["code"]) == (404, "provider_route_not_found")
