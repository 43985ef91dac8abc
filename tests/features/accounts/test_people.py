import asyncio

import pytest
import sqlalchemy as sa

from app.accounts.errors import UsernameTaken
from app.accounts.models import users
from app.accounts.service import Accounts, create_user, ensure_first_admin
from app.accounts.throttle import MOST_FAILURES, SignInThrottle
from app.core.db import Database
from app.core.errors import InvalidInput, TooManyRequests
from app.core.security.passwords import Passwords


async def names(database: Database) -> list[str]:
    async with database.read() as connection:
        return list(await connection.scalars(sa.select(users.c.username).order_by(users.c.username)))


async def test_the_first_admin_is_made_when_there_is_nobody(
    database: Database, passwords: Passwords, accounts: Accounts
) -> None:
    assert await ensure_first_admin(database, passwords, username="Admin", password="first password")
    signed_in = await accounts.sign_in("admin", "first password")
    assert signed_in.user.role == "admin"


async def test_an_account_that_exists_is_never_changed(
    database: Database, passwords: Passwords, accounts: Accounts
) -> None:
    await ensure_first_admin(database, passwords, username="admin", password="first password")
    assert not await ensure_first_admin(database, passwords, username="admin", password="second password")
    assert not await ensure_first_admin(database, passwords, username="root", password="second password")
    assert await names(database) == ["admin"]
    await accounts.sign_in("admin", "first password")


async def test_processes_that_start_together_make_one_admin(database: Database, passwords: Passwords) -> None:
    made = await asyncio.gather(
        *(ensure_first_admin(database, passwords, username="admin", password=f"password {n}") for n in range(5))
    )
    assert sorted(made) == [False] * 4 + [True]
    assert await names(database) == ["admin"]


async def test_a_username_belongs_to_one_person_in_any_case(database: Database, passwords: Passwords) -> None:
    await create_user(database, passwords, username="ana", password="a long password", role="viewer")
    with pytest.raises(UsernameTaken):
        await create_user(database, passwords, username="ANA", password="a long password", role="admin")
    assert await names(database) == ["ana"]


@pytest.mark.parametrize(
    ("username", "password", "field"),
    [("", "a long password", "username"), ("a b", "a long password", "username"), ("ana\n", "short", "password"),
     ("x" * 65, "a long password", "username"), ("añá", "a long password", "username"), ("ana", "short", "password")],
)  # fmt: skip
async def test_a_person_that_cannot_be_made_names_the_field(
    database: Database, passwords: Passwords, username: str, password: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await create_user(database, passwords, username=username, password=password, role="viewer")
    assert refusal.value.field == field
    assert await names(database) == []


def test_a_try_that_could_not_be_looked_at_does_not_count() -> None:
    throttle = SignInThrottle(lambda: 0.0)
    for _ in range(MOST_FAILURES * 2):
        throttle.begin("ana")
        throttle.withdraw("ana")
    for _ in range(MOST_FAILURES):
        throttle.begin("ana")
    with pytest.raises(TooManyRequests):
        throttle.begin("ana")


def test_names_without_end_take_bounded_memory() -> None:
    throttle = SignInThrottle(lambda: 0.0)
    for number in range(10_100):
        throttle.begin(f"name {number}")
    assert len(throttle._tries) == 10_000
