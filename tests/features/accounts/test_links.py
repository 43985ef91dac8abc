"""One-time links: invitations and password resets."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from app.accounts.errors import InvalidLink, WrongCredentials
from app.accounts.models import one_time_links
from app.accounts.trail import NOBODY
from app.core.errors import TooManyRequests
from tests.core.http.door import knocking
from tests.features.accounts.conftest import PASSWORD, Desk

NEW = "quite another password"


@pytest.fixture
async def admin(desk: Desk, client: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    await desk.add("root", "admin")
    async with knocking(desk.app()) as signed_in:
        signed_in.headers.update(await desk.bearer("root"))
        yield signed_in


async def invite(admin: httpx.AsyncClient, username: str = "bea") -> dict[str, Any]:
    answer = await admin.post("/api/users/invitations", json={"username": username, "role": "agent"})
    assert answer.status_code == 201
    link: dict[str, Any] = answer.json()
    return link


async def accept(client: httpx.AsyncClient, token: str, password: str = NEW) -> httpx.Response:
    return await client.post("/api/auth/links/accept", json={"token": token, "password": password})


async def test_an_invited_person_chooses_a_password_and_comes_in(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, desk: Desk
) -> None:
    link = await invite(admin)
    assert link["user"]["invited"]
    assert link["url"] == f"http://desk.example/welcome#{link['token']}"
    whose = await client.post("/api/auth/links/look-up", json={"token": link["token"]})
    assert (whose.json()["username"], whose.json()["purpose"]) == ("bea", "invite")
    assert (await accept(client, link["token"])).status_code == 204
    assert not (await admin.get(f"/api/users/{link['user']['id']}")).json()["invited"]
    assert (await desk.sign_in("bea", NEW)).user.role == "agent"
    assert await desk.happened() == ["signed_in", "user_invited", "invitation_accepted", "signed_in"]


async def test_a_link_works_once(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    token = (await invite(admin))["token"]
    await accept(client, token)
    again = await accept(client, token, "yet another password")
    assert (again.status_code, again.json()["code"]) == (404, "invalid_link")
    assert (await client.post("/api/auth/links/look-up", json={"token": token})).status_code == 404


async def test_a_link_that_is_used_twice_at_once_works_once(admin: httpx.AsyncClient, desk: Desk) -> None:
    token = (await invite(admin))["token"]
    answers = await asyncio.gather(
        *(desk.people.accept(token, f"password number {n}", NOBODY) for n in range(5)), return_exceptions=True
    )
    assert sum(answer is None for answer in answers) == 1
    assert sum(isinstance(answer, InvalidLink) for answer in answers) == 4


async def test_a_link_ends_after_72_hours(admin: httpx.AsyncClient, desk: Desk) -> None:
    token = (await invite(admin))["token"]
    await desk.time_passes(72 * 3600 - 60)
    assert (await desk.people.look_up(token)).username == "bea"
    await desk.time_passes(61)
    with pytest.raises(InvalidLink):
        await desk.people.accept(token, NEW, NOBODY)


async def test_a_weak_password_leaves_the_link_as_it_was(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    token = (await invite(admin))["token"]
    for password in ("short", "password12345", "bea bea bea bea"):
        weak = await accept(client, token, password)
        assert (weak.status_code, weak.json()["code"]) == (422, "weak_password")
    assert (await accept(client, token)).status_code == 204


async def test_only_the_hash_of_a_link_is_stored(admin: httpx.AsyncClient, desk: Desk) -> None:
    token = (await invite(admin))["token"]
    async with desk.database.read() as connection:
        row = (await connection.execute(sa.select(one_time_links))).one()
    assert token not in str(row)


async def test_nobody_knows_the_password_of_an_invited_person(admin: httpx.AsyncClient, desk: Desk) -> None:
    await invite(admin)
    for guess in ("", "!", PASSWORD):
        with pytest.raises(WrongCredentials):
            await desk.sign_in("bea", guess or "x")


async def test_a_reset_ends_the_sessions_and_the_pause_when_it_is_used(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, desk: Desk
) -> None:
    bea = await desk.add("bea")
    old = await desk.sign_in("bea")
    link = (await admin.post(f"/api/users/{bea.id}/reset-password", json={})).json()
    assert link["purpose"] == "reset"
    bearer = {"Authorization": f"Bearer {old.access.token}"}
    assert (await client.get("/api/auth/me", headers=bearer)).status_code == 200
    for _ in range(5):
        with pytest.raises(WrongCredentials):
            await desk.sign_in("bea", "wrong")
    with pytest.raises(TooManyRequests):
        await desk.sign_in("bea")
    assert (await accept(client, link["token"])).status_code == 204
    assert (await client.get("/api/auth/me", headers=bearer)).status_code == 401
    await desk.sign_in("bea", NEW)
    with pytest.raises(WrongCredentials):
        await desk.sign_in("bea", PASSWORD)


async def test_a_new_link_ends_the_one_before_it(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    first = await invite(admin)
    second = (await admin.post(f"/api/users/{first['user']['id']}/reset-password", json={})).json()
    assert second["purpose"] == "invite"
    assert (await accept(client, first["token"])).status_code == 404
    assert (await accept(client, second["token"])).status_code == 204


async def test_links_of_a_disabled_person_are_worth_nothing(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, desk: Desk
) -> None:
    link = await invite(admin)
    assert (await admin.post(f"/api/users/{link['user']['id']}/disable")).status_code == 200
    assert (await accept(client, link["token"])).status_code == 404
    await admin.post(f"/api/users/{link['user']['id']}/enable")
    assert (await accept(client, link["token"])).status_code == 404
