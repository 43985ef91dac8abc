"""Providers added in the panel: asked in every process, their keys kept, their addresses looked at."""

from collections.abc import AsyncIterator
from typing import Any, get_args

import httpx
import msgspec
import pytest
import sqlalchemy as sa

from app.ai.chain.models import model_providers
from app.ai.chain.schemas import ProviderChange, ProviderName, ProviderToAdd
from app.audit.models import audit_entries
from app.core.db import Database
from settings.ai import PROVIDERS, AiSettings, ProviderSettings
from settings.env import Secret
from tests.core.eventually import eventually
from tests.fakes.model_server import ModelServer
from tests.features.ai.chain.conftest import CIPHER, Process, Start
from tests.features.ai.chain.test_service import QUESTION

URL = "/api/ai/providers"
KEY = "sk-a-long-enough-key-1234"
OTHER_KEY = "sk-another-long-enough-key-5678"


def allowing(server: ModelServer, **providers: ProviderSettings) -> AiSettings:
    """Settings that let the panel use this server, with these providers of their own."""
    return AiSettings(fallback_order=tuple(providers), providers=providers, local_servers=(server.url,))


@pytest.fixture
async def process(start: Start, server: ModelServer) -> AsyncIterator[Process]:
    async with start(allowing(server)) as started:
        yield started


@pytest.fixture
async def client(process: Process) -> AsyncIterator[httpx.AsyncClient]:
    async with process.door() as opened:
        yield opened


async def added(client: httpx.AsyncClient, **members: Any) -> dict[str, Any]:
    given = {"provider": "openai", "model": "gpt-5.4-mini", "api_key": KEY, **members}
    answer = await client.post(URL, json=given)
    assert answer.status_code == 201, answer.text
    route: dict[str, Any] = answer.json()
    return route


async def changed(client: httpx.AsyncClient, route: dict[str, Any], **members: Any) -> dict[str, Any]:
    answer = await client.patch(f"{URL}/{route['route_id']}", json=members)
    assert answer.status_code == 200, answer.text
    now: dict[str, Any] = answer.json()
    return now


async def fault(answer: httpx.Response) -> tuple[int, str, str | None]:
    problem = answer.json()
    return answer.status_code, problem["code"], next((one["field"] for one in problem.get("errors") or []), None)


def test_the_panel_knows_the_providers_of_the_settings() -> None:
    assert set(get_args(ProviderName)) == set(PROVIDERS)


async def test_an_added_provider_answers_here_at_once_and_soon_elsewhere(start: Start, server: ModelServer) -> None:
    ai = allowing(server)
    async with start(ai) as here, start(ai, look_every_seconds=0.01) as elsewhere, here.door() as client:
        assert here.asked == ["offline"]
        route = await added(client, base_url=server.url)
        assert (route["origin"], route["key_last_four"], route["position"]) == ("stored", "1234", 1)
        assert here.asked == ["openai"]
        await eventually(lambda: elsewhere.asked == ["openai"])
        answered = await elsewhere.router.answer(QUESTION, conversation_key=None)
    assert answered.answered_by.provider == "openai"
    assert server.received[-1].headers["authorization"] == f"Bearer {KEY}"


async def test_it_stands_behind_those_of_the_environment_until_it_is_moved(start: Start, server: ModelServer) -> None:
    ai = allowing(server, claude=ProviderSettings(api_key=Secret(KEY), base_url=server.url))
    async with start(ai) as process, process.door() as client:
        await added(client)
        seen = (await client.get(URL)).json()
        assert [(one["provider"], one["origin"]) for one in seen["routes"]] == [
            ("claude", "environment"),
            ("openai", "stored"),
        ]
        order = [{"route_id": one["route_id"], "enabled": True} for one in reversed(seen["routes"])]
        await client.put(f"{URL}/order", json={"version": seen["version"], "order": order})
        assert process.asked == ["openai", "claude"]


async def test_a_key_is_stored_encrypted_and_told_to_nobody(client: httpx.AsyncClient, database: Database) -> None:
    await added(client)
    async with database.read() as connection:
        stored = await connection.scalar(sa.select(model_providers.c.api_key))
        trail = (await connection.execute(sa.select(audit_entries.c.action, audit_entries.c.after))).all()
    assert stored is not None
    assert CIPHER.decrypt(stored) == KEY.encode()
    assert [row.action for row in trail] == ["provider.added"]
    assert "has_key" in trail[0].after
    assert KEY not in trail[0].after
    assert KEY not in (await client.get(URL)).text


async def test_another_address_clears_the_key_and_the_route_waits_for_a_new_one(
    client: httpx.AsyncClient, process: Process, server: ModelServer, database: Database
) -> None:
    """Whoever may change the address must not be sent the key that was given for another."""
    route = await added(client)
    moved = await changed(client, route, base_url=server.url)
    assert (moved["key_last_four"], moved["needs_key"], moved["enabled"]) == (None, True, False)
    assert process.asked == ["offline"]
    async with database.read() as connection:
        assert await connection.scalar(sa.select(model_providers.c.api_key)) is None

    again = await changed(client, moved, api_key=OTHER_KEY)
    assert (again["key_last_four"], again["needs_key"], again["enabled"]) == ("5678", False, True)
    await process.router.answer(QUESTION, conversation_key=None)
    assert {one.headers["authorization"] for one in server.received} == {f"Bearer {OTHER_KEY}"}


async def test_a_new_key_may_come_with_the_new_address(client: httpx.AsyncClient, server: ModelServer) -> None:
    route = await added(client)
    moved = await changed(client, route, base_url=server.url, api_key=OTHER_KEY)
    assert (moved["key_last_four"], moved["needs_key"]) == ("5678", False)


async def test_the_same_address_written_otherwise_keeps_the_key(client: httpx.AsyncClient, server: ModelServer) -> None:
    route = await added(client, base_url=server.url)
    assert (await changed(client, route, base_url=f"{server.url}/v1/"))["key_last_four"] == "1234"


async def test_a_changed_route_keeps_its_place_and_its_switch(client: httpx.AsyncClient) -> None:
    first = await added(client)
    await added(client, provider="claude", model="claude-haiku-4-5")
    seen = (await client.get(URL)).json()
    order = [{"route_id": one["route_id"], "enabled": one["provider"] == "claude"} for one in seen["routes"]]
    await client.put(f"{URL}/order", json={"version": seen["version"], "order": order})

    now = await changed(client, first, model="gpt-5.5", requests_per_minute=7)

    assert (now["position"], now["enabled"], now["model"], now["requests_per_minute"]) == (1, False, "gpt-5.5", 7)
    assert now["key_last_four"] == "1234"


async def test_a_deleted_provider_is_asked_no_more_and_its_key_is_gone(
    client: httpx.AsyncClient, process: Process, database: Database
) -> None:
    route = await added(client)
    assert (await client.delete(f"{URL}/{route['route_id']}")).status_code == 204
    assert process.asked == ["offline"]
    async with database.read() as connection:
        assert (await connection.execute(sa.select(model_providers))).all() == []
    gone = await client.delete(f"{URL}/{route['route_id']}")
    assert (gone.status_code, gone.json()["code"]) == (404, "provider_route_not_found")


@pytest.mark.parametrize(
    "base_url",
    [
        "http://127.0.0.1:8080/v1",
        "http://169.254.169.254/latest",
        "https://10.0.0.1/v1",
        "https://user:secret@models.example.com/v1",
        "https://models.example.com:8443/v1",
        "https://postgres/v1",
        "http://models.example.com/v1",
        "ftp://models.example.com",
    ],
)
async def test_an_address_that_is_not_on_the_internet_or_not_encrypted_is_refused(
    client: httpx.AsyncClient, base_url: str
) -> None:
    given = {"provider": "compatible", "model": "m", "base_url": base_url}
    assert await fault(await client.post(URL, json=given)) == (422, "unsafe_address", "base_url")
    route = await added(client)
    answer = await client.patch(f"{URL}/{route['route_id']}", json={"base_url": base_url})
    assert await fault(answer) == (422, "unsafe_address", "base_url")


async def test_a_name_that_turns_out_to_lead_to_us_is_not_called(
    client: httpx.AsyncClient, server: ModelServer
) -> None:
    route = await added(client, provider="compatible", base_url="https://models.example.com/v1")
    tried = (await client.post(f"{URL}/{route['route_id']}/test")).json()
    assert not tried["ok"]
    assert tried["error_message"] == "blocked: this name leads to an address that may not be called"
    assert server.count == 0


async def test_a_local_server_is_used_only_where_the_settings_name_it(start: Start, server: ModelServer) -> None:
    ollama = {"provider": "ollama", "model": "llama3.2:3b"}
    async with start(allowing(server)) as process, process.door() as client:
        refused = await client.post(URL, json=ollama)
        assert await fault(refused) == (422, "unsafe_address", "base_url")
        elsewhere = await client.post(URL, json={**ollama, "base_url": "http://10.0.0.7:11434"})
        assert "AI_LOCAL_SERVERS" in elsewhere.json()["detail"]
        route = await added(client, **ollama, base_url=server.url, api_key=None)
        assert (route["local"], route["needs_key"]) == (True, False)
    by_its_own_settings = AiSettings(
        fallback_order=("ollama",), providers={"ollama": ProviderSettings(model="qwen3", base_url=server.url)}
    )
    async with start(by_its_own_settings) as process, process.door() as client:
        assert (await added(client, **{**ollama, "model": "gemma3"}, base_url=server.url))["origin"] == "stored"


async def test_an_endpoint_of_ones_own_needs_an_address(client: httpx.AsyncClient) -> None:
    given = {"provider": "compatible", "model": "m"}
    assert await fault(await client.post(URL, json=given)) == (422, "invalid_input", "base_url")


async def test_a_model_that_has_a_route_is_not_added_twice(client: httpx.AsyncClient) -> None:
    await added(client)
    other = await added(client, model="gpt-5.5")
    again = await client.post(URL, json={"provider": "openai", "model": "gpt-5.4-mini"})
    assert await fault(again) == (409, "provider_known", None)
    renamed = await client.patch(f"{URL}/{other['route_id']}", json={"model": "gpt-5.4-mini"})
    assert await fault(renamed) == (409, "provider_known", None)


async def test_what_the_environment_configures_is_not_changed_here(start: Start, server: ModelServer) -> None:
    ai = allowing(server, openai=ProviderSettings(api_key=Secret(KEY), base_url=server.url))
    async with start(ai) as process, process.door() as client:
        [route] = (await client.get(URL)).json()["routes"]
        for answer in (
            await client.patch(f"{URL}/{route['route_id']}", json={"model": "gpt-5.5"}),
            await client.delete(f"{URL}/{route['route_id']}"),
        ):
            assert await fault(answer) == (409, "provider_of_environment", None)


async def test_a_key_that_cannot_be_read_is_asked_for_again(
    start: Start, server: ModelServer, database: Database
) -> None:
    async with start(allowing(server)) as process, process.door() as client:
        await added(client)
        async with database.write() as connection:
            await connection.execute(sa.update(model_providers).values(api_key=b"of a lost key"))
        [route] = (await client.get(URL)).json()["routes"][:1]
        assert (route["needs_key"], process.asked) == (True, ["offline"])


@pytest.mark.parametrize("role", ["supervisor", "agent", "viewer"])
async def test_only_an_admin_adds_changes_and_deletes(client: httpx.AsyncClient, role: str) -> None:
    headers = {"role": role}
    for answer in (
        await client.post(URL, json={"provider": "openai", "model": "m"}, headers=headers),
        await client.patch(f"{URL}/openai:m:0", json={}, headers=headers),
        await client.delete(f"{URL}/openai:m:0", headers=headers),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


def test_what_was_asked_for_shows_no_key_in_a_log() -> None:
    given = {"provider": "openai", "model": "m", "api_key": KEY}
    assert KEY not in repr(msgspec.convert(given, ProviderToAdd))
    assert KEY not in repr(msgspec.convert({"api_key": KEY}, ProviderChange))
