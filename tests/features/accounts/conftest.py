from collections.abc import AsyncIterator

import pytest
from argon2 import PasswordHasher

from app.accounts.service import Accounts
from app.accounts.throttle import SignInThrottle
from app.core.db import Database
from app.core.metrics import Metrics
from app.core.security.passwords import Passwords
from app.core.security.tokens import AccessTokens
from tests.core.http.door import SECRET, database_with_tables


class Clock:
    """A monotonic clock that a test moves by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def database(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgres_url"))
    else:
        url = f"sqlite:///{request.getfixturevalue('tmp_path')}/test.db"
    async with database_with_tables(url) as database:
        yield database


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    async with Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)) as passwords:
        yield passwords


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def accounts(database: Database, passwords: Passwords, clock: Clock, metrics: Metrics) -> Accounts:
    return Accounts(database, passwords, AccessTokens(SECRET), metrics, SignInThrottle(clock))
