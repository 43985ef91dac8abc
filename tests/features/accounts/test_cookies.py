"""A browser's session: tokens in cookies that scripts cannot read, and proof that the panel asked."""

import httpx
import pytest

from tests.features.accounts.conftest import FROM_PANEL, PASSWORD, Desk

LOGIN = {"username": "ana", "password": PASSWORD, "session": "cookie"}


@pytest.fixture(autouse=True)
async def ana(desk: Desk) -> None:
    await desk.add("ana")


async def sign_in(client: httpx.AsyncClient) -> httpx.Response:
    return await client.post("/api/auth/login", json=LOGIN, headers=FROM_PANEL)


async def test_a_browser_never_sees_its_tokens(client: httpx.AsyncClient) -> None:
    answer = await sign_in(client)
    assert answer.status_code == 200
    assert (answer.json()["access_token"], answer.json()["refresh_token"]) == (None, None)
    for cookie in answer.headers.get_list("set-cookie"):
        assert "HttpOnly" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
    assert set(client.cookies) == {"mostrador_access", "mostrador_refresh"}
    assert all(value not in answer.text for value in client.cookies.values())
    assert (await client.get("/api/auth/me")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": FROM_PANEL["Origin"]}, {"X-Requested-With": "panel"}, FROM_PANEL | {"Origin": "http://evil.example"},
     FROM_PANEL | {"Origin": "http://desk.example.evil"}, FROM_PANEL | {"Origin": "null"}],
)  # fmt: skip
async def test_another_site_can_neither_sign_in_nor_continue_nor_change_anything(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    async def refused(path: str, body: object) -> bool:
        answer = await client.post(path, json=body, headers=headers)
        return (answer.status_code, answer.json()["code"]) == (403, "cross_site_request")

    assert await refused("/api/auth/login", LOGIN)
    await sign_in(client)
    assert await refused("/api/auth/refresh", {})
    assert await refused("/api/auth/logout", {})
    assert await refused("/api/auth/logout-everywhere", {})
    assert (await client.get("/api/auth/me")).status_code == 200


async def test_a_session_goes_on_by_its_cookie(client: httpx.AsyncClient) -> None:
    await sign_in(client)
    before = dict(client.cookies)
    body = {"nonce": "a nonce of this browser"}
    answer = await client.post("/api/auth/refresh", json=body, headers=FROM_PANEL)
    assert answer.status_code == 200
    assert answer.json()["refresh_token"] is None
    assert client.cookies["mostrador_refresh"] != before["mostrador_refresh"]
    stale = {"Cookie": f"mostrador_refresh={before['mostrador_refresh']}"}
    other_tab = httpx.AsyncClient(transport=client._transport, base_url=client.base_url)
    again = await other_tab.post("/api/auth/refresh", json=body, headers=FROM_PANEL | stale)
    assert again.status_code == 200
    assert other_tab.cookies["mostrador_refresh"] == client.cookies["mostrador_refresh"]


async def test_signing_out_takes_the_cookies_back(client: httpx.AsyncClient) -> None:
    await sign_in(client)
    kept = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    answer = await client.post("/api/auth/logout", headers=FROM_PANEL)
    assert answer.status_code == 204
    assert not client.cookies
    assert (await client.get("/api/auth/me", headers={"Cookie": kept})).status_code == 401
    refused = await client.post("/api/auth/refresh", json={}, headers=FROM_PANEL | {"Cookie": kept})
    assert refused.json()["code"] == "invalid_refresh_token"


async def test_without_a_refresh_token_there_is_nothing_to_continue(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/auth/refresh", json={}, headers=FROM_PANEL)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_refresh_token")
