"""Databases, providers and doors for the tests of the model order."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import httpx
import msgspec
import pytest
from cryptography.fernet import Fernet
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from app.ai.chain.controllers import ProvidersController
from app.ai.chain.models import model_chains, model_providers
from app.ai.chain.service import ModelChain
from app.ai.llm.clock import SystemClock
from app.ai.llm.models import model_calls
from app.ai.llm.router import Router
from app.ai.llm.routes import configured_routes
from app.ai.llm.state import MemoryState
from app.audit.keys import sealed_by
from app.audit.models import audit_entries, audit_marks, signing_keys
from app.business.models import business_profiles
from app.core.db import Database, metadata
from app.core.db.events import events
from app.core.http_client import HttpClient
from app.core.ids import new_id
from app.core.security.actor import Actor, Role
from app.core.security.cipher import Cipher
from app.core.security.ssrf import OutsideRules
from settings.ai import AiSettings, ProviderSettings
from settings.env import Secret
from tests.core.http.door import application, knocking
from tests.fakes.model_server import ModelServer

ADMIN = new_id()
CIPHER = Cipher([Fernet.generate_key().decode()])


class Process:
    """A process of the house, as far as models go. Processes of one test share its database."""

    def __init__(
        self, database: Database, client: HttpClient, outside: HttpClient, ai: AiSettings, look_every_seconds: float
    ) -> None:
        self.router = Router(configured_routes(ai), client=client, outside=outside, state=MemoryState(SystemClock()))
        self.chain = ModelChain(
            database, self.router, ai, cipher=CIPHER, rules=OutsideRules(), look_every_seconds=look_every_seconds
        )

    @property
    def asked(self) -> list[str]:
        """The providers that would be asked, in order."""
        return [route.provider.name for route in self.router.routes if route.is_enabled]

    def door(self) -> AbstractAsyncContextManager[httpx.AsyncClient]:
        return knocking(
            application([ProvidersController], dependencies={"chain": self.chain}, middleware=[SignedInAs()])
        )


class SignedInAs(ASGIMiddleware):
    """Stands where the access token is checked: everybody has the role in the header `role`."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        given = dict(scope["headers"]).get(b"role", b"admin").decode()
        role: Role = msgspec.convert(given, Role)
        scope["user"] = Actor(user_id=ADMIN, username="ana", role=role, session_id=new_id())
        await next_app(scope, receive, send)


Start = Callable[..., AbstractAsyncContextManager[Process]]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def database(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgres_url"))
    else:
        url = f"sqlite:///{request.getfixturevalue('tmp_path')}/m.db"
    async with Database(url, options=sealed_by(CIPHER)) as opened:
        async with opened.write() as connection:
            tables = [
                model_chains,
                model_providers,
                model_calls,
                business_profiles,
                events,
                audit_entries,
                audit_marks,
                signing_keys,
            ]
            await connection.run_sync(metadata.create_all, tables=tables)
        yield opened


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer().serving() as serving:
        yield serving


async def _everything_is_here(_host: str, _port: int) -> list[str]:
    """A name server of somebody who points their names at us."""
    return ["127.0.0.1"]


@pytest.fixture
async def start(database: Database) -> AsyncIterator[Start]:
    """Start a process with these settings."""
    client = HttpClient()
    rules = OutsideRules()
    outside = HttpClient(
        address_guard=rules.allows_address, target_guard=rules.allows_target, look_up=_everything_is_here
    )

    @contextlib.asynccontextmanager
    async def started(ai: AiSettings, *, look_every_seconds: float = 60.0) -> AsyncIterator[Process]:
        process = Process(database, client, outside, ai, look_every_seconds)
        async with process.chain:
            yield process

    yield started
    await client.aclose()
    await outside.aclose()


def settings_of(server: ModelServer, *names: str, key: str = "sk-a-long-enough-key-1234") -> AiSettings:
    """Settings with these providers, in this order, all of them at the same server."""
    providers = {name: ProviderSettings(api_key=Secret(key), base_url=server.url) for name in names}
    return AiSettings(fallback_order=names, providers=providers)


NOTHING = AiSettings(fallback_order=(), providers={})
