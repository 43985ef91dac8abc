"""What people like on their screen follows them, and is nobody else's."""

from typing import Any

import httpx
import pytest

from app.accounts.preferences_controllers import PreferencesController
from tests.core.http.door import application, knocking
from tests.features.accounts.conftest import Desk

PATH = "/api/auth/preferences"
DEFAULTS = {
    "language": None,
    "theme": "system",
    "density": "comfortable",
    "shortcuts_enabled": True,
    "sound": True,
}
CHOSEN = {"language": "pt-BR", "theme": "dark", "density": "compact", "shortcuts_enabled": False, "sound": False}


@pytest.fixture
async def client(desk: Desk) -> Any:
    app = application(
        [PreferencesController],
        dependencies={"database": desk.database},
        middleware=list(desk.app().middleware),  # type: ignore[arg-type]  # those of the desk
    )
    async with knocking(app) as client:
        yield client


async def test_whoever_chose_nothing_has_the_defaults(desk: Desk, client: httpx.AsyncClient) -> None:
    await desk.add("ana")
    assert (await client.get(PATH, headers=await desk.bearer("ana"))).json() == DEFAULTS


async def test_what_was_chosen_is_there_at_the_next_sign_in_and_only_for_that_person(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    await desk.add("ana")
    await desk.add("luis")
    for wanted in (DEFAULTS, CHOSEN):
        answer = await client.put(PATH, json=wanted, headers=await desk.bearer("ana"))
        assert (answer.status_code, answer.json()) == (200, wanted)
    assert (await client.get(PATH, headers=await desk.bearer("ana"))).json() == CHOSEN
    assert (await client.get(PATH, headers=await desk.bearer("luis"))).json() == DEFAULTS


@pytest.mark.parametrize(("member", "value"), [("theme", "pink"), ("language", "fr"), ("font", 12)])
async def test_what_does_not_exist_cannot_be_chosen(
    desk: Desk, client: httpx.AsyncClient, member: str, value: Any
) -> None:
    await desk.add("ana")
    answer = await client.put(PATH, json={**CHOSEN, member: value}, headers=await desk.bearer("ana"))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, member)
