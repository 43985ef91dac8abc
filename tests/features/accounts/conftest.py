from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from cryptography.fernet import Fernet
from litestar import Litestar
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.api_keys import ApiKeys
from app.accounts.authentication import Authentication
from app.accounts.controllers import ApiKeysController, AuthController, OwnAccountController, PeopleController
from app.accounts.models import api_keys, one_time_links, refresh_tokens, sessions, sign_in_failures
from app.accounts.people import People
from app.accounts.schemas import Credentials, Person
from app.accounts.second_factor import SecondFactor
from app.accounts.service import Accounts, create_user
from app.accounts.sessions import Issued, Sessions
from app.audit.keys import sealed_by
from app.audit.models import audit_entries
from app.core.db import Database, metadata
from app.core.metrics import Metrics
from app.core.security.cipher import Cipher
from app.core.security.guards import RequireAccessToken
from app.core.security.passwords import Passwords
from app.core.security.permissions import Role
from app.core.security.session_cookies import SessionCookies
from app.core.security.tokens import AccessTokens
from app.core.wake import InProcessWake, Wake
from tests.core.http.door import SECRET, application, knocking

PASSWORD = "correct horse battery"
PANEL = "http://desk.example"
FROM_PANEL = {"Origin": PANEL, "X-Requested-With": "panel"}


class Clock:
    """A monotonic clock that a test moves by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Desk:
    """All that one web process has for accounts. Two desks over one database are two processes."""

    def __init__(
        self, database: Database, passwords: Passwords, cipher: Cipher, wake: Wake | None = None, clock: Any = None
    ) -> None:
        self.database = database
        self.passwords = passwords
        self.metrics = Metrics()
        self.tokens = AccessTokens(SECRET)
        self.wake = wake or InProcessWake()
        self.clock: Clock = clock or Clock()
        self.cookies = SessionCookies(PANEL)
        self.sessions = Sessions(database, self.tokens, self.wake, self.metrics, secret=SECRET)
        self.second_factor = SecondFactor(database, cipher)
        self.accounts = Accounts(database, passwords, self.sessions, self.second_factor, self.metrics)
        self.people = People(database, passwords, self.sessions, public_url=PANEL)
        self.api_keys = ApiKeys(database, self.sessions)
        self.authentication = Authentication(database, self.tokens, self.wake, clock=self.clock)

    def app(self, further: Sequence[Any] = ()) -> Litestar:
        return application(
            [AuthController, OwnAccountController, PeopleController, ApiKeysController, *further],
            dependencies={
                "accounts": self.accounts,
                "people": self.people,
                "sessions": self.sessions,
                "second_factor": self.second_factor,
                "api_keys": self.api_keys,
                "session_cookies": self.cookies,
            },
            middleware=[RequireAccessToken(self.authentication, self.metrics, cookies=self.cookies)],
        )

    async def add(self, username: str, role: Role = "agent", password: str = PASSWORD) -> Person:
        return await create_user(self.database, self.passwords, username=username, password=password, role=role)

    async def sign_in(self, username: str = "ana", password: str = PASSWORD, code: str | None = None) -> Issued:
        return await self.accounts.sign_in(Credentials(username=username, password=password, code=code))

    async def bearer(self, username: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {(await self.sign_in(username)).access.token}"}

    async def happened(self) -> list[str]:
        """The actions of the audit trail, in order, without those of the preparation."""
        async with self.database.read() as connection:
            rows = await connection.scalars(sa.select(audit_entries.c.action).order_by(audit_entries.c.sequence))
            return [action.removeprefix("accounts.") for action in rows if action != "accounts.user_created"]

    async def time_passes(self, seconds: float) -> None:
        """Make everything stored so much older, and forget what is remembered."""
        async with self.database.write() as connection:
            await _age(connection, sessions, ["created_at", "last_used_at", "ends_at"], seconds)
            await _age(connection, refresh_tokens, ["created_at", "replaced_at"], seconds)
            await _age(connection, one_time_links, ["created_at", "expires_at"], seconds)
            await _age(connection, api_keys, ["created_at", "expires_at", "last_used_at"], seconds)
            await _age(connection, sign_in_failures, ["last_failed_at", "closed_until"], seconds)
        self.clock.seconds += seconds


async def _age(connection: AsyncConnection, table: sa.Table, columns: list[str], seconds: float) -> None:
    key = list(table.primary_key.columns)
    for row in (await connection.execute(sa.select(table))).mappings().all():
        older = {name: row[name] - timedelta(seconds=seconds) for name in columns if row[name] is not None}
        if older:
            this = sa.and_(*(column == row[column.name] for column in key))
            await connection.execute(sa.update(table).where(this).values(**older))


@pytest.fixture(scope="session")
def cipher() -> Cipher:
    return Cipher([Fernet.generate_key().decode()])


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def database(request: pytest.FixtureRequest, cipher: Cipher) -> AsyncIterator[Database]:
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgres_url"))
    else:
        url = f"sqlite:///{request.getfixturevalue('tmp_path')}/test.db"
    async with Database(url, options=sealed_by(cipher)) as database:
        async with database.write() as connection:
            await connection.run_sync(metadata.create_all)
        yield database


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    async with Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)) as passwords:
        yield passwords


@pytest.fixture
def desk(database: Database, passwords: Passwords, cipher: Cipher) -> Desk:
    return Desk(database, passwords, cipher)


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with knocking(desk.app()) as client:
        yield client
