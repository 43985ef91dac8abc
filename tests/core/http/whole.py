"""The whole application over SQLite, in this process, and people of every role who have signed in to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from litestar import Litestar

from app.accounts.service import create_user
from app.asgi import create_app
from app.core.openapi import openapi_document
from app.core.security.permissions import ROLES, Role
from app.plugins import Parts
from settings import load

HOST = "desk.example.com"
PASSWORD = "tabla-verde-nube-siete-lomo"
JWT_SECRET = "9f2c61d7e0b84a35c7d19e6f03b2a8547e1c9d60f2b7a4385d06e9c1f7b2a340"
FERNET_KEY = "q3VdT8uXo1Zc5Rk7JmYpLw0HsBf2NaGe9xCiQvDzE4U="
APP_SECRET = "6f1d0c9e72b84a53c80d5be1f2937a46"
VERIFY_TOKEN = "vera-token-4b1f9e0c77d24a52"


def environment(directory: Path, **changes: str) -> dict[str, str]:
    """Return an environment with every secret set. Unless changed, nobody is limited."""
    return {
        "DATA_DIR": str(directory),
        "PUBLIC_URL": f"https://{HOST}",
        "JWT_SECRET": JWT_SECRET,
        "FERNET_KEY": FERNET_KEY,
        "ADMIN_PASSWORD": PASSWORD,
        "WHATSAPP_APP_SECRET": APP_SECRET,
        "WHATSAPP_VERIFY_TOKEN": VERIFY_TOKEN,
        "RATE_LIMIT_ENABLED": "false",
        "SIMULATOR": "false",
        **changes,
    }


class Whole:
    """A running installation."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.app: Litestar = create_app(parts)
        self.document = openapi_document(self.app)

    @asynccontextmanager
    async def client(self, *, token: str | None = None, host: str = HOST) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=("203.0.113.7", 4711))  # type: ignore[arg-type]  # Litestar types its scopes more narrowly
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(transport=transport, base_url=f"https://{host}", headers=headers) as client:
            yield client

    async def sign_in(self, role: Role) -> str:
        """Create somebody of that role, sign them in, and return their access token."""
        username = "admin" if role == "admin" else f"a-{role}"
        if role != "admin":
            await create_user(
                self.parts.database, self.parts.passwords, username=username, password=PASSWORD, role=role
            )
        async with self.client() as client:
            answer = await client.post("/api/auth/login", json={"username": username, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    async def everybody(self) -> dict[Role, str]:
        return {role: await self.sign_in(role) for role in ROLES}

    def operations(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Return method, path template and description of every documented operation."""
        return [
            (method.upper(), path, operation)
            for path, item in self.document["paths"].items()
            for method, operation in item.items()
            if isinstance(operation, dict)
        ]


@asynccontextmanager
async def whole_app(directory: Path, **changes: str) -> AsyncIterator[Whole]:
    async with Parts(load(environment(directory, **changes)), "web").running() as parts:
        yield Whole(parts)
