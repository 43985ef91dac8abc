"""Who may call what: every route of the application with every kind of caller, against the table beside this file.

A route that is not in `authorization.toml` fails, and so does a line of a route that is no longer there. After adding a
route, add its line by hand: that is the moment to decide who may call it.
"""

import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal
from uuid import UUID

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from app.core.openapi import openapi_document
from app.core.security.permissions import LOWEST_ROLE, PEOPLE_ONLY, PERMISSIONS, ROLES, Permission, Role
from tests.architecture.whole_api import WholeApi, whole_api

TABLE = Path(__file__).with_name("authorization.toml")
NOBODY = UUID("01900000-0000-7000-8000-000000000000")

METHODS = {"get", "put", "post", "patch", "delete"}

# Codes that say "not for you" where a route lets a caller through to its own questions.
SHUT = {"invalid_token", "not_allowed", "cross_site_request"}


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line: the lowest role that may call it, and what an API key must be allowed; `closed` to every key."""

    lowest: Literal["anyone"] | Role
    scopes: list[Permission] | Literal["closed"] = []


RULES: dict[str, Rule] = msgspec.convert(tomllib.loads(TABLE.read_text()), dict[str, Rule])


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[WholeApi]:
    async with whole_api(tmp_path) as api:
        yield api


def documented(app: Litestar) -> set[str]:
    """Return `METHOD /path` of every operation of the OpenAPI document."""
    paths = openapi_document(app)["paths"]
    return {f"{method.upper()} {path}" for path, item in paths.items() for method in item if method in METHODS}


def served(app: Litestar) -> set[str]:
    """Return `METHOD /path` of every route, in the document or not, but of the document itself."""
    found = set()
    for route in app.routes:
        if isinstance(route, HTTPRoute) and not route.path_format.startswith("/schema"):
            found |= {f"{method} {route.path_format}" for method in route.methods - {"OPTIONS", "HEAD"}}
    return found


async def test_every_route_has_its_line_and_every_line_its_route(api: WholeApi) -> None:
    there = documented(api.app) | served(api.app)
    assert sorted(there - RULES.keys()) == [], "decide who may call these, in authorization.toml"
    assert sorted(RULES.keys() - there) == [], "these routes are gone"


async def test_strangers_reach_only_what_is_for_anyone(api: WholeApi) -> None:
    async with api.client() as client:
        for route, rule in RULES.items():
            answer = await call(client, route, None)
            expected = rule.lowest == "anyone"
            assert is_open(answer) is expected, f"{route}: {answer.status_code} {answer.text}"
            assert expected or answer.status_code == 401, route


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_reaches_what_it_may_and_nothing_else(api: WholeApi, role: Role) -> None:
    async with api.client() as client:
        for route, rule in RULES.items():
            answer = await call(client, route, await api.token(role))
            assert is_open(answer) is may(role, rule), f"{role}, {route}: {answer.status_code} {answer.text}"
            assert answer.status_code != 500, f"{role}, {route}: {answer.text}"


async def test_an_expired_token_reaches_nothing(api: WholeApi) -> None:
    async with api.client() as client:
        token = await api.expired_token("admin")
        for route, rule in RULES.items():
            if rule.lowest != "anyone":
                answer = await call(client, route, token)
                assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token"), route


async def test_a_session_that_has_ended_reaches_nothing(api: WholeApi) -> None:
    async with api.client() as client:
        token = await api.token("admin")
        assert (await call(client, "POST /api/auth/logout", token)).status_code == 204
        for route, rule in RULES.items():
            if rule.lowest != "anyone":
                answer = await call(client, route, token)
                assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token"), route


async def test_by_cookie_nothing_changes_without_proof_that_the_panel_asked(api: WholeApi) -> None:
    async with api.client() as client:
        for route, rule in RULES.items():
            if rule.lowest == "anyone":
                continue
            client.cookies.set("mostrador_access", await api.token("admin"))
            answer = await call(client, route, None)
            changes = not route.startswith("GET ")
            assert is_open(answer) is not changes, f"{route}: {answer.status_code} {answer.text}"
            assert not changes or answer.json()["code"] == "cross_site_request", route


async def test_an_api_key_with_the_scopes_reaches_what_it_may(api: WholeApi) -> None:
    async with api.client() as client:
        for route, rule in RULES.items():
            if rule.lowest == "anyone" or rule.scopes == "closed":
                continue
            answer = await call(client, route, await api.api_key("admin", list(rule.scopes)))
            assert is_open(answer), f"{route}: {answer.status_code} {answer.text}"


async def test_an_api_key_without_one_of_the_scopes_is_refused(api: WholeApi) -> None:
    """A key with every permission there is but one that the route needs, and for routes closed to keys with all."""
    async with api.client() as client:
        for route, rule in RULES.items():
            if rule.lowest == "anyone":
                continue
            for missing in [None] if rule.scopes == "closed" else rule.scopes:
                scopes = [permission for permission in PERMISSIONS if permission != missing]
                answer = await call(client, route, await api.api_key("admin", scopes))
                assert answer.status_code == 403, f"{route} without {missing}: {answer.status_code} {answer.text}"


async def test_an_api_key_may_do_no_more_than_its_owner(api: WholeApi) -> None:
    async with api.client() as client:
        key = await api.api_key("viewer", list(PERMISSIONS))
        for route, rule in RULES.items():
            answer = await call(client, route, key)
            expected = may("viewer", rule) and rule.scopes != "closed"
            assert is_open(answer) is expected, f"{route}: {answer.status_code} {answer.text}"


def test_the_table_and_the_permissions_agree() -> None:
    """Two hands wrote them: the table says who, the guards by which permission."""
    for route, rule in RULES.items():
        if rule.scopes == "closed" or not rule.scopes:
            continue
        assert not PEOPLE_ONLY & set(rule.scopes), route
        lowest = min((LOWEST_ROLE[scope] for scope in rule.scopes), key=ROLES.index)
        assert rule.lowest == lowest, route


async def call(client: httpx.AsyncClient, route: str, credential: str | None) -> httpx.Response:
    """Call a route with an object that is not there and an empty body: guards come before both."""
    method, path = route.split(" ")
    address = "/".join(_filled(part) for part in path.split("/"))
    headers = {"Authorization": f"Bearer {credential}"} if credential is not None else {}
    body: dict[str, object] | None = {} if method in {"POST", "PUT", "PATCH"} else None
    return await client.request(method, address, json=body, headers=headers)


def _filled(part: str) -> str:
    return (str(NOBODY) if part.endswith("id}") else "x") if part.startswith("{") else part


def is_open(answer: httpx.Response) -> bool:
    """Tell whether the caller got past the door, whatever became of the call."""
    if answer.status_code not in {401, 403}:
        return True
    return answer.json().get("code") not in SHUT


def may(role: Role, rule: Rule) -> bool:
    return rule.lowest == "anyone" or ROLES.index(role) <= ROLES.index(rule.lowest)
