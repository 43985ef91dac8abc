"""The JSON API without processes: controllers behind the real door, over a database with every table."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import Litestar
from litestar.types import ControllerRouterHandler

from app.core.db import Database
from app.core.ids import new_id
from app.core.metrics import Metrics
from app.core.security.actor import Actor, Role
from app.core.security.guards import RequireAccessToken
from app.core.security.tokens import AccessTokens
from tests.builders.pipeline import create_tables, database_of
from tests.core.http.door import SECRET, application
from tests.databases import PostgresDatabases

BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))


class RecordingWake:
    """Wake-ups, written down."""

    def __init__(self) -> None:
        self.topics: list[str] = []

    def notify(self, topic: str) -> None:
        self.topics.append(topic)


class Desk:
    """A client for each role: `desk.client` speaks as an agent, `desk.speaking_as(role)` as somebody else."""

    def __init__(self, app: Litestar, tokens: AccessTokens) -> None:
        self.app = app
        self.agent_id = new_id()
        self._tokens = tokens

    def headers(self, role: Role, user_id: UUID | None = None) -> dict[str, str]:
        actor = Actor(user_id=user_id or self.agent_id, username="ana", role=role, session_id=new_id())
        return {"Authorization": f"Bearer {self._tokens.issue(actor).token}"}

    async def call(
        self, method: str, path: str, *, role: Role | None = "agent", user_id: UUID | None = None, **given: Any
    ) -> httpx.Response:
        """Send a request as somebody with `role`; None is a stranger."""
        headers = {**(self.headers(role, user_id) if role else {}), **given.pop("headers", {})}
        transport = httpx.ASGITransport(self.app)  # type: ignore[arg-type]  # Litestar types its scopes more narrowly
        async with httpx.AsyncClient(transport=transport, base_url="http://desk.example", headers=headers) as client:
            return await client.request(method, path, **given)

    async def get(self, path: str, *, role: Role | None = "viewer", **query: Any) -> Any:
        """Return the decoded answer of a request that must succeed."""
        answer = await self.call("GET", path, role=role, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def all_pages(self, path: str, **query: Any) -> list[Any]:
        """Follow a list to its end."""
        items: list[Any] = []
        page = await self.get(path, **query)
        while True:
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            page = await self.get(path, **query, cursor=page["next_cursor"])


def desk(controllers: Sequence[ControllerRouterHandler], things: Mapping[str, object]) -> Desk:
    tokens = AccessTokens(SECRET)
    app = application(controllers, dependencies=things, middleware=[RequireAccessToken(tokens, Metrics())])
    return Desk(app, tokens)


@contextlib.asynccontextmanager
async def either_database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """The database that the fixture's parameter names; PostgreSQL's is a copy of one that has its tables already."""
    with contextlib.ExitStack() as stack:
        url = f"sqlite:///{tmp_path}/desk.db"
        if request.param == "postgresql":
            databases: PostgresDatabases = request.getfixturevalue("postgres_template")
            url = stack.enter_context(databases.fresh(databases.template("every_table", create_tables)))
        async with database_of(url) as database:
            yield database
