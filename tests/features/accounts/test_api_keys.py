from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from app.accounts.models import api_keys
from tests.core.http.door import knocking
from tests.features.accounts.conftest import Desk


@pytest.fixture
async def admin(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    await desk.add("root", "admin")
    async with knocking(desk.app()) as signed_in:
        signed_in.headers.update(await desk.bearer("root"))
        yield signed_in


async def make(admin: httpx.AsyncClient, *scopes: str, days: int = 90) -> dict[str, Any]:
    body = {"name": "reports", "scopes": scopes or ["accounts:read"], "expires_in_days": days}
    answer = await admin.post("/api/api-keys", json=body)
    assert answer.status_code == 201
    made: dict[str, Any] = answer.json()
    return made


async def opens(client: httpx.AsyncClient, key: str, path: str = "/api/users") -> int:
    return (await client.get(path, headers={"Authorization": f"Bearer {key}"})).status_code


async def test_a_key_is_shown_once_and_stored_as_a_hash(admin: httpx.AsyncClient, desk: Desk) -> None:
    made = await make(admin)
    assert made["key"].startswith("mk_")
    assert len(made["key"]) == 46
    assert made["key"].startswith(made["details"]["prefix"])
    listed = await admin.get("/api/api-keys")
    assert [one["id"] for one in listed.json()["items"]] == [made["details"]["id"]]
    assert made["key"] not in listed.text
    async with desk.database.read() as connection:
        row = (await connection.execute(sa.select(api_keys))).one()
    assert made["key"] not in str(row)


async def test_a_key_acts_for_its_maker_within_its_scopes(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    key = (await make(admin, "accounts:read"))["key"]
    assert await opens(client, key) == 200
    me = (await client.get("/api/auth/me", headers={"Authorization": f"Bearer {key}"})).json()
    assert (me["user"]["username"], me["session_id"], me["permissions"]) == ("root", None, ["accounts:read"])
    assert await opens(client, (await make(admin, "contacts:read"))["key"]) == 403


async def test_a_key_makes_neither_keys_nor_people_nor_sessions(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    for scope in ("api_keys:manage", "accounts:manage", "self:manage", "security:manage"):
        answer = await admin.post("/api/api-keys", json={"name": "x", "scopes": [scope]})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "scopes"
    key = (await make(admin))["key"]
    assert await opens(client, key, "/api/api-keys") == 403
    assert await opens(client, key, "/api/auth/sessions") == 403


async def test_a_revoked_key_is_refused_at_once(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    made = await make(admin)
    assert await opens(client, made["key"]) == 200
    assert (await admin.delete(f"/api/api-keys/{made['details']['id']}")).status_code == 204
    assert await opens(client, made["key"]) == 401
    assert (await admin.delete(f"/api/api-keys/{made['details']['id']}")).status_code == 204
    assert (await admin.delete(f"/api/api-keys/{made['details']['id'][:-2]}00")).status_code == 404


async def test_a_key_ends_when_it_says(admin: httpx.AsyncClient, client: httpx.AsyncClient, desk: Desk) -> None:
    key = (await make(admin, days=1))["key"]
    await desk.time_passes(24 * 3600 - 60)
    assert await opens(client, key) == 200
    await desk.time_passes(61)
    assert await opens(client, key) == 401


async def test_a_key_may_do_no_more_than_its_maker_may_now(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, desk: Desk
) -> None:
    key = (await make(admin))["key"]
    await desk.add("second", "admin")
    admin.headers.update(await desk.bearer("second"))
    root = next(one for one in (await admin.get("/api/users")).json()["items"] if one["username"] == "root")
    await admin.put(f"/api/users/{root['id']}/role", json={"role": "agent"})
    assert await opens(client, key) == 403
    await admin.post(f"/api/users/{root['id']}/disable")
    assert await opens(client, key) == 401
    await admin.post(f"/api/users/{root['id']}/enable")
    await admin.put(f"/api/users/{root['id']}/role", json={"role": "admin"})
    assert await opens(client, key) == 200


async def test_when_a_key_was_last_used_is_known_to_the_minute(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, desk: Desk
) -> None:
    made = await make(admin)

    async def last_used() -> str | None:
        used: str | None = (await admin.get("/api/api-keys")).json()["items"][0]["last_used_at"]
        return used

    assert await last_used() is None
    await opens(client, made["key"])
    first = await last_used()
    assert first is not None
    desk.clock.seconds += 1
    await opens(client, made["key"])
    assert await last_used() == first
    await desk.time_passes(61)
    await opens(client, made["key"])
    assert (await last_used() or "") > first


@pytest.mark.parametrize("key", ["mk_", "mk_x", "mk_" + "a" * 43, "mk_é"])
async def test_an_unknown_key_is_refused(desk: Desk, client: httpx.AsyncClient, key: str) -> None:
    answer = await client.get("/api/auth/me", headers={b"Authorization": f"Bearer {key}".encode()})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
