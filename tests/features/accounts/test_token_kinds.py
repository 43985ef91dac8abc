"""Every kind of credential at every kind of place: each opens its own, and nothing else."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx
import jwt
import pytest

from app.accounts.schemas import Credentials, NewApiKey
from app.accounts.sessions import Issued
from app.accounts.trail import NOBODY
from app.core.security.actor import Actor
from app.core.security.tokens import AccessTokens
from tests.core.http.door import SECRET, knocking
from tests.features.accounts.conftest import FROM_PANEL, PASSWORD, Desk

Place = Callable[[httpx.AsyncClient, str], Awaitable[httpx.Response]]


async def api(client: httpx.AsyncClient, credential: str) -> httpx.Response:
    return await client.get("/api/users", headers={b"Authorization": f"Bearer {credential}".encode()})


async def own_account(client: httpx.AsyncClient, credential: str) -> httpx.Response:
    return await client.get("/api/auth/sessions", headers={b"Authorization": f"Bearer {credential}".encode()})


async def access_cookie(client: httpx.AsyncClient, credential: str) -> httpx.Response:
    return await client.get("/api/users", headers={b"Cookie": f"mostrador_access={credential}".encode()})


async def refresh_body(client: httpx.AsyncClient, credential: str) -> httpx.Response:
    return await client.post("/api/auth/refresh", json={"refresh_token": credential})


async def refresh_cookie(client: httpx.AsyncClient, credential: str) -> httpx.Response:
    cookie = {b"Cookie": f"mostrador_refresh={credential}".encode()}
    headers = {name.encode(): value.encode() for name, value in FROM_PANEL.items()} | cookie
    return await client.post("/api/auth/refresh", json={}, headers=headers)


async def link(client: httpx.AsyncClient, credential: str) -> httpx.Response:
    return await client.post("/api/auth/links/look-up", json={"token": credential})


PLACES: dict[str, Place] = {
    "api": api,
    "own account": own_account,
    "access cookie": access_cookie,
    "refresh body": refresh_body,
    "refresh cookie": refresh_cookie,
    "link": link,
}

# What opens where. An access token and an API key are the same in a cookie as in the header.
OPENS: dict[str, set[str]] = {
    "access token": {"api", "own account", "access cookie"},
    "API key": {"api", "access cookie"},
    "refresh token": {"refresh body"},
    "refresh token of a cookie": {"refresh cookie"},
    "invitation": {"link"},
    "reset link": {"link"},
    "recovery code": set(),
    "access token, expired": set(),
    "access token, not valid yet": set(),
    "access token of an ended session": set(),
    "access token without a session": set(),
    "access token for another audience": set(),
    "access token of another issuer": set(),
    "access token of another type": set(),
    "access token, unsigned": set(),
    "access token, other algorithm": set(),
    "access token, other key": set(),
    "access token, critical header": set(),
    "API key, revoked": set(),
    "nonsense": set(),
    "empty": set(),
}


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    await desk.add("root", "admin")
    async with knocking(desk.app()) as client:
        yield client


@pytest.mark.parametrize("kind", OPENS)
async def test_a_credential_opens_its_own_places_only(desk: Desk, client: httpx.AsyncClient, kind: str) -> None:
    if desk.database.dialect == "postgresql":
        pytest.skip("what is refused does not depend on the database")
    opened = set()
    for name, place in PLACES.items():
        answer = await place(client, await credential(desk, client, kind))
        assert answer.status_code < 500, name
        if answer.status_code == 200:
            opened.add(name)
    assert opened == OPENS[kind]


async def credential(desk: Desk, client: httpx.AsyncClient, kind: str) -> str:
    """Return a new credential of a kind."""
    issued = await desk.sign_in("root")
    actor = (await desk.authentication.authenticate(issued.access.token)).actor
    if kind in FORGED:
        claims = jwt.decode(issued.access.token, SECRET, algorithms=["HS256"], audience="mostrador-api")
        return FORGED[kind](claims)
    if kind in MADE:
        return await MADE[kind](Mint(desk, client, issued, actor))
    return {"recovery code": "abcdef-abcdef-abcdef-abcdef", "nonsense": "x.y.z", "empty": ""}[kind]


class Mint(NamedTuple):
    """What credentials are made of: an admin who is signed in."""

    desk: Desk
    client: httpx.AsyncClient
    issued: Issued
    actor: Actor

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.issued.access.token}"}

    async def access_token(self) -> str:
        return self.issued.access.token

    async def refresh_token(self) -> str:
        return self.issued.refresh_token

    async def cookie(self) -> str:
        wanted = Credentials(username="root", password=PASSWORD, session="cookie")
        return (await self.desk.accounts.sign_in(wanted)).refresh_token

    async def key(self) -> str:
        return (await self.desk.api_keys.create(KEY, actor=self.actor, caller=NOBODY)).key

    async def revoked_key(self) -> str:
        made = await self.desk.api_keys.create(KEY, actor=self.actor, caller=NOBODY)
        await self.desk.api_keys.revoke(made.details.id, actor=self.actor, caller=NOBODY)
        return made.key

    async def invitation(self) -> str:
        name = f"name{datetime.now(UTC).timestamp()}"
        return (await self.desk.people.invite(username=name, role="viewer", actor=self.actor, caller=NOBODY)).token

    async def reset_link(self) -> str:
        reset = self.desk.people.reset
        return (await reset(self.actor.user_id, remove_factor=False, actor=self.actor, caller=NOBODY)).token

    async def expired(self) -> str:
        then = datetime.now(UTC) - timedelta(minutes=11)
        return AccessTokens(SECRET, clock=lambda: then).issue(self.actor).token

    async def early(self) -> str:
        then = datetime.now(UTC) + timedelta(minutes=11)
        return AccessTokens(SECRET, clock=lambda: then).issue(self.actor).token

    async def signed_out(self) -> str:
        await self.client.post("/api/auth/logout", headers=self.bearer)
        return self.issued.access.token

    async def without_session(self) -> str:
        return self.desk.tokens.issue(Actor(self.actor.user_id, "root", "admin", self.actor.user_id)).token


KEY = NewApiKey(name="of a test", scopes=["accounts:read"])

MADE: dict[str, Callable[[Mint], Awaitable[str]]] = {
    "access token": Mint.access_token,
    "refresh token": Mint.refresh_token,
    "refresh token of a cookie": Mint.cookie,
    "API key": Mint.key,
    "API key, revoked": Mint.revoked_key,
    "invitation": Mint.invitation,
    "reset link": Mint.reset_link,
    "access token, expired": Mint.expired,
    "access token, not valid yet": Mint.early,
    "access token of an ended session": Mint.signed_out,
    "access token without a session": Mint.without_session,
}

# Access tokens of a session that stands, changed afterwards.
FORGED: dict[str, Callable[[dict[str, Any]], str]] = {
    "access token for another audience": lambda claims: jwt.encode(claims | {"aud": "mostrador"}, SECRET, "HS256"),
    "access token of another issuer": lambda claims: jwt.encode(claims | {"iss": "somebody"}, SECRET, "HS256"),
    "access token of another type": lambda claims: jwt.encode(claims | {"typ": "refresh"}, SECRET, "HS256"),
    "access token, unsigned": lambda claims: jwt.encode(claims, "", "none"),
    "access token, other algorithm": lambda claims: jwt.encode(claims, SECRET * 2, "HS512"),
    "access token, other key": lambda claims: jwt.encode(claims, SECRET[::-1], "HS256"),
    "access token, critical header": lambda claims: jwt.encode(claims, SECRET, "HS256", {"crit": ["exp"]}),
}
