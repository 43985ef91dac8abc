import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import sqlalchemy as sa

from app.accounts.errors import LastAdmin, UsernameTaken, WrongCredentials
from app.accounts.models import users
from app.accounts.service import ensure_first_admin
from app.accounts.trail import NOBODY
from app.core.errors import InvalidInput
from app.core.ids import new_id
from tests.core.http.door import knocking
from tests.features.accounts.conftest import PASSWORD, Desk


@pytest.fixture
async def admin(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    await desk.add("root", "admin")
    async with knocking(desk.app()) as signed_in:
        signed_in.headers.update(await desk.bearer("root"))
        yield signed_in


async def names(desk: Desk) -> list[str]:
    async with desk.database.read() as connection:
        return list(await connection.scalars(sa.select(users.c.username).order_by(users.c.username)))


async def first_admin(desk: Desk, username: str = "Admin", password: str = "first password") -> bool:
    return await ensure_first_admin(desk.database, desk.passwords, username=username, password=password)


async def test_the_first_admin_is_made_when_there_is_nobody(desk: Desk) -> None:
    assert await first_admin(desk)
    assert (await desk.sign_in("admin", "first password")).user.role == "admin"
    assert await desk.happened() == ["first_admin_created", "signed_in"]


async def test_an_account_that_exists_is_never_changed(desk: Desk) -> None:
    await first_admin(desk)
    assert not await first_admin(desk, password="second password")
    assert not await first_admin(desk, username="root", password="second password")
    assert await names(desk) == ["admin"]
    await desk.sign_in("admin", "first password")


async def test_processes_that_start_together_make_one_admin(desk: Desk) -> None:
    made = await asyncio.gather(*(first_admin(desk, password=f"password {n}") for n in range(5)))
    assert sorted(made) == [False] * 4 + [True]
    assert await names(desk) == ["admin"]


async def test_a_username_belongs_to_one_person_in_any_case(desk: Desk) -> None:
    await desk.add("ana", "viewer")
    with pytest.raises(UsernameTaken):
        await desk.add("ANA", "admin")
    assert await names(desk) == ["ana"]


@pytest.mark.parametrize(
    ("username", "password", "field"),
    [("", "a long password", "username"), ("a b", "a long password", "username"), ("ana\n", "short", "password"),
     ("x" * 65, "a long password", "username"), ("añá", "a long password", "username"), ("ana", "short", "password"),
     ("ana", "password1234", "password")],
)  # fmt: skip
async def test_a_person_that_cannot_be_made_names_the_field(
    desk: Desk, username: str, password: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await desk.add(username, "viewer", password)
    assert refusal.value.field == field
    assert await names(desk) == []


async def test_an_admin_creates_and_lists_people(admin: httpx.AsyncClient) -> None:
    for name in ("ana", "bea", "eva"):
        made = await admin.post("/api/users", json={"username": name, "password": PASSWORD, "role": "agent"})
        assert made.status_code == 201
    first = (await admin.get("/api/users", params={"limit": 3})).json()
    assert [one["username"] for one in first["items"]] == ["eva", "bea", "ana"]
    rest = (await admin.get("/api/users", params={"limit": 3, "cursor": first["next_cursor"]})).json()
    assert ([one["username"] for one in rest["items"]], rest["next_cursor"]) == (["root"], None)
    assert "hash" not in str(first)
    assert (await admin.get(f"/api/users/{new_id()}")).json()["code"] == "user_not_found"
    taken = await admin.post("/api/users", json={"username": "ANA", "password": PASSWORD, "role": "viewer"})
    assert (taken.status_code, taken.json()["code"]) == (409, "username_taken")


async def test_a_changed_role_counts_for_the_session_that_is_open(admin: httpx.AsyncClient, desk: Desk) -> None:
    bea = await desk.add("bea", "viewer")
    async with knocking(desk.app()) as client:
        client.headers.update(await desk.bearer("bea"))
        assert (await client.get("/api/users")).status_code == 403
        assert (await admin.put(f"/api/users/{bea.id}/role", json={"role": "supervisor"})).json()[
            "role"
        ] == "supervisor"
        assert (await client.get("/api/users")).status_code == 200
    assert "role_changed" in await desk.happened()


async def test_a_disabled_person_is_out_at_once_and_may_be_let_in_again(admin: httpx.AsyncClient, desk: Desk) -> None:
    bea = await desk.add("bea")
    async with knocking(desk.app()) as client:
        client.headers.update(await desk.bearer("bea"))
        assert (await client.get("/api/auth/me")).status_code == 200
        assert (await admin.post(f"/api/users/{bea.id}/disable")).json()["disabled_at"] is not None
        assert (await client.get("/api/auth/me")).status_code == 401
        with pytest.raises(WrongCredentials):
            await desk.sign_in("bea")
        assert (await admin.post(f"/api/users/{bea.id}/enable")).json()["disabled_at"] is None
        assert (await client.get("/api/auth/me")).status_code == 401, "sessions that ended stay ended"
        await desk.sign_in("bea")


async def test_the_last_admin_stays_one(admin: httpx.AsyncClient, desk: Desk) -> None:
    root = (await admin.get("/api/auth/me")).json()["user"]["id"]
    for answer in (
        await admin.post(f"/api/users/{root}/disable"),
        await admin.put(f"/api/users/{root}/role", json={"role": "agent"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "last_admin")
    await admin.post("/api/users/invitations", json={"username": "not yet", "role": "admin"})
    await admin.post("/api/users/invitations", json={"username": "notyet", "role": "admin"})
    assert (await admin.post(f"/api/users/{root}/disable")).status_code == 409, "nobody invited can come in yet"
    await desk.add("second", "admin")
    assert (await admin.put(f"/api/users/{root}/role", json={"role": "agent"})).status_code == 200


async def test_two_admins_who_disable_each_other_leave_one(desk: Desk) -> None:
    both = [await desk.add(name, "admin") for name in ("one", "two")]
    actor = (await desk.authentication.authenticate((await desk.sign_in("one")).access.token)).actor
    answers = await asyncio.gather(
        *(desk.people.disable(person.id, actor=actor, caller=NOBODY) for person in both), return_exceptions=True
    )
    assert sum(isinstance(answer, LastAdmin) for answer in answers) == 1


async def test_an_admin_sees_and_ends_the_sessions_of_others(admin: httpx.AsyncClient, desk: Desk) -> None:
    bea = await desk.add("bea")
    first, second = await desk.sign_in("bea"), await desk.sign_in("bea")
    listed = (await admin.get(f"/api/users/{bea.id}/sessions")).json()
    assert {one["id"] for one in listed} == {str(first.session_id), str(second.session_id)}
    assert (await admin.delete(f"/api/users/{bea.id}/sessions/{first.session_id}")).status_code == 204
    assert (await admin.delete(f"/api/users/{bea.id}/sessions/{first.session_id}")).status_code == 404
    assert (await admin.delete(f"/api/users/{bea.id}/sessions")).status_code == 204
    assert (await admin.get(f"/api/users/{bea.id}/sessions")).json() == []
    assert (await admin.get(f"/api/users/{new_id()}/sessions")).status_code == 404


async def test_changing_ones_password_ends_ones_other_sessions(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.add("bea")
    here, elsewhere = await desk.bearer("bea"), await desk.bearer("bea")
    change = {"current_password": PASSWORD, "new_password": "quite another password"}
    wrong = await client.post("/api/auth/password", json=change | {"current_password": "no"}, headers=here)
    assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong_credentials")
    weak = await client.post("/api/auth/password", json=change | {"new_password": "password1234"}, headers=here)
    assert (weak.status_code, weak.json()["code"]) == (422, "weak_password")
    assert (await client.post("/api/auth/password", json=change, headers=here)).status_code == 204
    assert (await client.get("/api/auth/me", headers=here)).status_code == 200
    assert (await client.get("/api/auth/me", headers=elsewhere)).status_code == 401
    await desk.sign_in("bea", "quite another password")
    with pytest.raises(WrongCredentials):
        await desk.sign_in("bea")


async def test_signing_out_ends_this_session_and_everywhere_ends_all(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.add("bea")
    one, two, three = [await desk.bearer("bea") for _ in range(3)]
    assert (await client.post("/api/auth/logout", headers=one)).status_code == 204
    assert (await client.get("/api/auth/me", headers=one)).status_code == 401
    own = (await client.get("/api/auth/sessions", headers=two)).json()
    assert [session["current"] for session in own].count(True) == 1
    assert len(own) == 2
    assert (await client.post("/api/auth/logout-everywhere", headers=two)).status_code == 204
    assert (await client.get("/api/auth/me", headers=three)).status_code == 401


async def test_one_can_end_a_session_of_ones_own_and_no_other(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.add("bea")
    await desk.add("eva")
    own, others = await desk.sign_in("bea"), await desk.sign_in("eva")
    bearer = await desk.bearer("bea")
    assert (await client.delete(f"/api/auth/sessions/{others.session_id}", headers=bearer)).status_code == 404
    assert (await client.delete(f"/api/auth/sessions/{own.session_id}", headers=bearer)).status_code == 204
