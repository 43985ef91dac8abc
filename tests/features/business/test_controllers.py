"""The profile through the HTTP door."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.di import Provide
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from app.business.controllers import BusinessController
from app.core.db import Database
from app.core.http import EXCEPTION_HANDLERS
from app.core.ids import new_id
from app.core.security.actor import Actor, Role
from tests.features.business.profiles import profile

ADMIN = new_id()


class SignedInAs(ASGIMiddleware):
    """Stands where the access token is checked: everybody has the role in the header `role`."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        given = dict(scope["headers"]).get(b"role", b"admin").decode()
        role: Role = msgspec.convert(given, Role)
        scope["user"] = Actor(user_id=ADMIN, username="ana", role=role, session_id=new_id())
        await next_app(scope, receive, send)


@pytest.fixture
async def client(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    app = Litestar(
        [BusinessController],
        middleware=[SignedInAs()],
        dependencies={"database": Provide(lambda: database, sync_to_thread=False)},
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=None,
    )
    # Litestar's own test client runs the application in another event loop, where the database does not belong.
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # Litestar names the ASGI messages, httpx takes any
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as opened:
        yield opened


def _body(version: int = 0, **changes: Any) -> dict[str, Any]:
    return {"version": version, "profile": {**msgspec.to_builtins(profile(name="Café Sol")), **changes}}


async def test_the_profile_is_read_changed_and_read_again(client: httpx.AsyncClient) -> None:
    before = (await client.get("/api/business/profile")).json()
    changed = await client.put(
        "/api/business/profile", json={"version": before["version"], "profile": {**before["profile"], "paused": True}}
    )
    after = await client.get("/api/business/profile")

    assert (before["version"], before["updated_at"]) == (0, None)
    assert changed.status_code == 200
    assert after.json() == changed.json()
    assert after.json()["profile"] == {**before["profile"], "paused": True}
    assert UUID(after.json()["updated_by"]) == ADMIN


async def test_a_stale_version_is_a_conflict(client: httpx.AsyncClient) -> None:
    await client.put("/api/business/profile", json=_body())

    answer = await client.put("/api/business/profile", json=_body())

    assert answer.status_code == 409
    assert answer.json()["code"] == "business_profile_changed"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (_body(name=""), "profile.name"),
        (_body(tonne="warm"), "profile.tonne"),
        (_body(facts=[{"heading": "a"}]), "profile.facts[0].text"),
        (_body(version=-1), "version"),
        ({"version": 0}, "profile"),
    ],
)
async def test_a_bad_profile_names_the_member_at_fault(
    client: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    answer = await client.put("/api/business/profile", json=body)

    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("role", ["supervisor", "agent", "viewer"])
async def test_only_an_admin_may_change_the_profile(client: httpx.AsyncClient, role: str) -> None:
    assert (await client.get("/api/business/profile", headers={"role": role})).status_code == 200
    assert (await client.put("/api/business/profile", json=_body(), headers={"role": role})).status_code == 403
