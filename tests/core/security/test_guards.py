from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from litestar import Litestar, Request, get, post
from litestar.params import FromPath

from app.core.ids import new_id
from app.core.metrics import Metrics
from app.core.security.actor import Actor, Role
from app.core.security.guards import RequireAccessToken, needs
from app.core.security.permissions import Permission
from app.core.security.session_cookies import SessionCookies
from app.core.security.tokens import Access, AccessTokens, InvalidToken
from tests.core.http.door import SECRET, application, knocking

TOKENS = AccessTokens(SECRET)
METRICS = Metrics()
COOKIES = SessionCookies("http://desk.example")


@get("/api/things/{thing:str}")
async def thing(request: Request[Actor, Access, Any], thing: FromPath[str]) -> str:
    return f"{request.user.username} {thing}"


@get("/api")
async def root() -> str:
    return "root"


@get("/api/admin", guards=[needs("accounts:manage")])
async def admin_only() -> str:
    return "secret"


@post("/api/things")
async def add_thing() -> str:
    return "added"


@post("/api/auth/login")
async def login() -> str:
    return "welcome"


@get("/api/auth/login")
async def login_page() -> str:
    return "not in the list"


@get("/apiary")
async def apiary() -> str:
    return "bees"


def app() -> Litestar:
    handlers = [thing, add_thing, root, admin_only, login, login_page, apiary]
    return application(handlers, middleware=[RequireAccessToken(TOKENS, METRICS, cookies=COOKIES)])


def token(role: Role = "agent") -> str:
    return TOKENS.issue(Actor(user_id=new_id(), username="ana", role=role, session_id=new_id())).token


async def test_a_token_opens_the_api_and_says_who_acts() -> None:
    async with knocking(app(), token=token()) as client:
        response = await client.get("/api/things/1")
    assert (response.status_code, response.text) == (200, "ana 1")


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/things/1", "/api//things/1", "/api/things/1/", "/%61pi/things/1", "/api/auth/login"]
)
async def test_without_a_token_nothing_under_api_answers(path: str) -> None:
    async with knocking(app()) as client:
        response = await client.get(path)
    assert response.status_code == 401
    assert response.json()["code"] == "invalid_token"
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer x.y.z", "Token {}", "{}"])
async def test_another_authorization_is_refused(header: str) -> None:
    async with knocking(app()) as client:
        response = await client.get("/api/things/1", headers={"Authorization": header.format(token())})
    assert response.status_code == 401


async def test_a_token_in_the_query_is_not_looked_at() -> None:
    async with knocking(app()) as client:
        response = await client.get("/api/things/1", params={"access_token": token(), "token": token()})
    assert response.status_code == 401


async def test_only_the_named_routes_are_open() -> None:
    async with knocking(app()) as client:
        assert (await client.post("/api/auth/login")).status_code == 201
        assert (await client.get("/apiary")).status_code == 200


async def test_a_role_that_is_too_low_is_forbidden() -> None:
    async with knocking(app(), token=token("supervisor")) as client:
        response = await client.get("/api/admin")
    assert (response.status_code, response.json()["code"]) == (403, "not_allowed")


async def test_the_right_role_is_let_in() -> None:
    async with knocking(app(), token=token("admin")) as client:
        assert (await client.get("/api/admin")).status_code == 200


async def test_a_guard_without_the_middleware_lets_nobody_in() -> None:
    async with knocking(application([admin_only]), token=token("admin")) as client:
        assert (await client.get("/api/admin")).status_code == 401


FROM_PANEL = {"Origin": "http://desk.example", "X-Requested-With": "panel"}


async def test_a_cookie_opens_the_api_for_reading() -> None:
    async with knocking(app()) as client:
        response = await client.get("/api/things/1", headers={"Cookie": f"mostrador_access={token()}"})
    assert (response.status_code, response.text) == (200, "ana 1")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (FROM_PANEL, 201),
        ({}, 403),
        ({"Origin": "http://desk.example"}, 403),
        ({"X-Requested-With": "panel"}, 403),
        (FROM_PANEL | {"Origin": "http://evil.example"}, 403),
        (FROM_PANEL | {"Origin": "null"}, 403),
        (FROM_PANEL | {"X-Requested-With": ""}, 403),
    ],
)
async def test_a_cookie_changes_something_only_from_the_panel(headers: dict[str, str], status: int) -> None:
    async with knocking(app()) as client:
        response = await client.post("/api/things", headers=headers | {"Cookie": f"mostrador_access={token()}"})
    assert response.status_code == status
    if status == 403:
        assert response.json()["code"] == "cross_site_request"


async def test_a_token_in_the_header_needs_no_proof_and_wins_over_a_cookie() -> None:
    async with knocking(app(), token=token()) as client:
        assert (await client.post("/api/things", headers={"Cookie": "mostrador_access=x"})).status_code == 201
    async with knocking(app(), token="x") as client:
        cookie = {"Cookie": f"mostrador_access={token()}"}
        assert (await client.get("/api/things/1", headers=cookie)).status_code == 401


async def test_a_refresh_cookie_is_no_access_cookie() -> None:
    async with knocking(app()) as client:
        response = await client.get("/api/things/1", headers={"Cookie": f"mostrador_refresh={token()}"})
    assert response.status_code == 401


async def test_an_api_key_needs_the_scope() -> None:
    async with knocking(application([scoped], middleware=[RequireAccessToken(Keys(), METRICS)])) as client:
        allowed = await client.get("/api/scoped", headers={"Authorization": "Bearer mk_contacts:read"})
        refused = await client.get("/api/scoped", headers={"Authorization": "Bearer mk_contacts:edit"})
    assert (allowed.status_code, refused.status_code) == (200, 403)


@get("/api/scoped", guards=[needs("contacts:read")])
async def scoped() -> str:
    return "contacts"


class Keys:
    """Takes every key for that of an admin, with the scope that it names."""

    async def authenticate(self, credential: str) -> Access:
        if not credential.startswith("mk_"):
            raise InvalidToken
        scope: Permission = msgspec.convert(credential.removeprefix("mk_"), Permission)
        actor = Actor(new_id(), "ana", "admin", None, new_id(), frozenset({scope}))
        return Access(actor=actor, expires_at=datetime.now(UTC))

    async def is_valid(self, access: Access) -> bool:
        return True
