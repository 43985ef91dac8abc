import asyncio

import httpx
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from app.accounts.models import users
from app.accounts.throttle import pause_seconds
from tests.features.accounts.conftest import PASSWORD, Desk


@pytest.fixture(autouse=True)
async def ana(desk: Desk) -> None:
    await desk.add("Ana")


async def sign_in(client: httpx.AsyncClient, username: str = "ana", password: str = PASSWORD) -> httpx.Response:
    return await client.post("/api/auth/login", json={"username": username, "password": password})


async def me(client: httpx.AsyncClient, signed_in: httpx.Response) -> httpx.Response:
    token = signed_in.json()["access_token"]
    return await client.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"})


async def test_the_right_password_gives_a_token_that_opens_the_api(client: httpx.AsyncClient, desk: Desk) -> None:
    signed_in = await sign_in(client)
    assert signed_in.status_code == 200
    body = signed_in.json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 600
    assert body["user"]["username"] == "ana"
    assert body["user"]["role"] == "agent"
    assert "password" not in signed_in.text
    who = await me(client, signed_in)
    assert (who.status_code, who.json()["user"]) == (200, body["user"])
    assert who.json()["session_id"] == body["session_id"]
    assert "conversations:answer" in who.json()["permissions"]
    assert "accounts:manage" not in who.json()["permissions"]
    assert await desk.happened() == ["signed_in"]


@pytest.mark.parametrize("username", ["ana", "ANA", " Ana "])
async def test_a_username_is_the_same_in_any_case(client: httpx.AsyncClient, username: str) -> None:
    assert (await sign_in(client, username)).status_code == 200


async def test_a_wrong_password_and_an_unknown_name_are_answered_alike(client: httpx.AsyncClient, desk: Desk) -> None:
    wrong, unknown = await sign_in(client, password="wrong"), await sign_in(client, username="nobody")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["code"] == unknown.json()["code"] == "wrong_credentials"
    assert wrong.json()["detail"] == unknown.json()["detail"]
    assert desk.metrics.registry.get_sample_value("wa_auth_failures_total", {"reason": "password"}) == 2
    assert await desk.happened() == ["sign_in_refused", "sign_in_refused"]


@pytest.mark.parametrize("username", ["ana", "nobody"])
async def test_five_failures_close_an_account_for_a_while_whether_it_exists_or_not(
    client: httpx.AsyncClient, desk: Desk, username: str
) -> None:
    for _ in range(5):
        assert (await sign_in(client, username, "wrong")).status_code == 401
    closed = await sign_in(client, username.upper())
    assert (closed.status_code, closed.json()["code"]) == (429, "too_many_requests")
    assert 50 < int(closed.headers["retry-after"]) <= 60
    assert (await desk.happened()).count("locked_out") == 1


def test_pauses_double_up_to_the_window() -> None:
    assert [pause_seconds(failures) for failures in (4, 5, 6, 7, 8, 9, 10, 1000)] == [
        0, 60, 120, 240, 480, 900, 900, 900,
    ]  # fmt: skip


async def test_each_further_failure_closes_the_account_for_longer(client: httpx.AsyncClient, desk: Desk) -> None:
    for _ in range(5):
        await sign_in(client, password="wrong")
    await desk.time_passes(61)
    assert (await sign_in(client, password="wrong")).status_code == 401
    await desk.time_passes(61)
    assert (await sign_in(client)).status_code == 429
    await desk.time_passes(60)
    assert (await sign_in(client)).status_code == 200


async def test_a_thousand_guesses_are_five(client: httpx.AsyncClient, desk: Desk) -> None:
    if desk.database.dialect == "postgresql":
        pytest.skip("the same statements; once is enough for a thousand")
    codes = [(await sign_in(client, password=f"guess {number}")).status_code for number in range(1000)]
    assert codes.count(401) == 5
    assert codes.count(429) == 995


async def test_failures_are_forgotten_after_a_quiet_quarter_of_an_hour(client: httpx.AsyncClient, desk: Desk) -> None:
    for _ in range(4):
        await sign_in(client, password="wrong")
    await desk.time_passes(15 * 60)
    for _ in range(4):
        assert (await sign_in(client, password="wrong")).status_code == 401
    assert (await sign_in(client)).status_code == 200


async def test_a_success_forgets_the_failures(client: httpx.AsyncClient) -> None:
    for _ in range(4):
        await sign_in(client, password="wrong")
    assert (await sign_in(client)).status_code == 200
    for _ in range(4):
        assert (await sign_in(client, password="wrong")).status_code == 401


async def test_many_guesses_at_once_gain_nothing(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(sign_in(client, password=f"guess {number}") for number in range(30)))
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 25


async def test_one_closed_account_does_not_close_another(client: httpx.AsyncClient, desk: Desk) -> None:
    await desk.add("bea", "viewer")
    for _ in range(6):
        await sign_in(client, password="wrong")
    assert (await sign_in(client, "bea")).status_code == 200


async def test_a_closed_account_keeps_the_sessions_it_has(client: httpx.AsyncClient) -> None:
    signed_in = await sign_in(client)
    for _ in range(6):
        await sign_in(client, password="wrong")
    assert (await me(client, signed_in)).status_code == 200


async def test_a_disabled_account_may_not_come_in_and_its_token_is_worth_nothing(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    signed_in = await sign_in(client)
    async with desk.database.write() as connection:
        await connection.execute(sa.update(users).values(disabled_at=users.c.created_at))
    assert (await sign_in(client)).json()["code"] == "wrong_credentials"
    who = await me(client, signed_in)
    assert (who.status_code, who.json()["code"]) == (401, "invalid_token")


async def test_an_outdated_hash_is_replaced_when_its_owner_signs_in(client: httpx.AsyncClient, desk: Desk) -> None:
    outdated = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(PASSWORD)
    async with desk.database.write() as connection:
        await connection.execute(sa.update(users).values(password_hash=outdated))
    assert (await sign_in(client)).status_code == 200
    async with desk.database.read() as connection:
        stored = await connection.scalar(sa.select(users.c.password_hash))
    assert stored is not None
    assert stored.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert (await sign_in(client)).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"username": "ana"}, "password"),
        ({"username": "", "password": "x"}, "username"),
        ({"username": "ana", "password": "x" * 1025}, "password"),
        ({"username": ["ana"], "password": "x"}, "username"),
        ({"username": "ana", "password": "x", "role": "admin"}, "role"),
        ({"username": "ana", "password": "x", "session": "forever"}, "session"),
    ],
)
async def test_a_sign_in_that_does_not_fit_names_the_field(
    client: httpx.AsyncClient, body: dict[str, object], field: str
) -> None:
    response = await client.post("/api/auth/login", json=body)
    assert response.status_code == 422
    assert [fault["field"] for fault in response.json()["errors"]] == [field]
