"""The whole application over a database of its own, without any of its background work."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import sqlalchemy as sa
from argon2 import PasswordHasher
from litestar import Litestar

import app.tables as _tables  # noqa: F401 - makes every table known
from app.accounts.models import api_keys, sessions
from app.accounts.queries import insert_user, user_by_name
from app.accounts.schemas import User
from app.accounts.tokens import hash_of, new_token
from app.asgi import create_app
from app.core.db import metadata
from app.core.ids import new_id
from app.core.security.actor import Actor
from app.core.security.permissions import ROLES, Permission, Role
from app.core.security.tokens import AccessTokens
from app.plugins import Parts
from settings import load

NOBODYS_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("a password nobody uses")


@dataclass
class WholeApi:
    """The application, and credentials of every kind for it."""

    parts: Parts
    app: Litestar
    people: dict[Role, User] = field(default_factory=dict)

    async def token(self, role: Role) -> str:
        """Return an access token of a session of its own, so that one that signs out takes no other along."""
        return self.parts.tokens.issue(await self._session(role)).token

    async def expired_token(self, role: Role) -> str:
        long_ago = AccessTokens(
            self.parts.settings.security.jwt_secret.reveal(), clock=lambda: datetime.now(UTC) - timedelta(hours=1)
        )
        return long_ago.issue(await self._session(role)).token

    async def api_key(self, role: Role, scopes: list[Permission]) -> str:
        key = f"mk_{new_token()}"
        now = datetime.now(UTC)
        async with self.parts.database.write() as connection:
            await connection.execute(
                sa.insert(api_keys).values(
                    id=new_id(),
                    user_id=self.people[role].id,
                    name="of a test",
                    prefix=key[:11],
                    key_hash=hash_of(key),
                    scopes=scopes,
                    created_at=now,
                    expires_at=now + timedelta(hours=1),
                )
            )
        return key

    async def _session(self, role: Role) -> Actor:
        user = self.people[role]
        now = datetime.now(UTC)
        actor = Actor(user_id=user.id, username=user.username, role=role, session_id=new_id())
        async with self.parts.database.write() as connection:
            await connection.execute(
                sa.insert(sessions).values(
                    id=actor.session_id,
                    user_id=user.id,
                    kind="token",
                    created_at=now,
                    last_used_at=now,
                    ends_at=now + timedelta(days=1),
                )
            )
        return actor

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(self.app, client=("127.0.0.1", 4711))  # type: ignore[arg-type]  # Litestar types its scopes more narrowly
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8003") as client:
            yield client


@contextlib.asynccontextmanager
async def whole_api(folder: Path, environ: dict[str, str] | None = None) -> AsyncIterator[WholeApi]:
    """Build the application as it is served, with one person of each role."""
    settings = load({"DATA_DIR": str(folder), "RATE_LIMIT_ENABLED": "false", **(environ or {})})
    parts = Parts(settings, "web")
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(parts.http.aclose)
        await stack.enter_async_context(parts.database)
        await stack.enter_async_context(parts.passwords)
        async with parts.database.write() as connection:
            await connection.run_sync(metadata.create_all)
            for role in ROLES:
                await insert_user(connection, username=role, password_hash=NOBODYS_HASH, role=role)
        api = WholeApi(parts, create_app(parts))
        async with parts.database.read() as connection:
            for role in ROLES:
                user = await user_by_name(connection, role)
                assert user is not None
                api.people[role] = user
        yield api
