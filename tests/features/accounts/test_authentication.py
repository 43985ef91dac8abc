"""What is known of sessions and keys is at most half a second old, in every process."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.authentication import FRESH_SECONDS
from app.accounts.errors import WrongCredentials
from app.accounts.sessions import Issued
from app.accounts.trail import NOBODY
from app.audit.keys import sealed_by
from app.core.db import Database, DatabaseUnavailable, metadata
from app.core.errors import TooManyRequests
from app.core.ids import new_id
from app.core.security.actor import Actor
from app.core.security.cipher import Cipher
from app.core.security.passwords import Passwords
from app.core.security.tokens import InvalidToken
from app.core.wake import InProcessWake, RedisWake, Wake
from tests.features.accounts.conftest import PASSWORD, Desk


async def actor_of(desk: Desk, issued: Issued) -> Actor:
    return (await desk.authentication.authenticate(issued.access.token)).actor


async def is_refused(desk: Desk, issued: Issued) -> bool:
    try:
        await desk.authentication.authenticate(issued.access.token)
    except InvalidToken:
        return True
    return False


class Counting(Database):
    """Counts how often it is asked."""

    reads = 0

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        self.reads += 1
        return super().read()


async def test_a_session_is_asked_for_twice_a_second_at_most_however_many_requests_come(
    database: Database, passwords: Passwords, cipher: Cipher, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if database.dialect == "postgresql":
        pytest.skip("what is remembered is the same over both")
    url = f"sqlite:///{tmp_path_factory.mktemp('counting')}/test.db"
    async with Counting(url, options=sealed_by(cipher)) as counting:
        async with counting.write() as connection:
            await connection.run_sync(metadata.create_all)
        desk = Desk(counting, passwords, cipher)
        await desk.add("ana")
        issued = await desk.sign_in()
        counting.reads = 0
        await asyncio.gather(*(actor_of(desk, issued) for _ in range(50)))
        assert counting.reads == 1
        desk.clock.seconds += FRESH_SECONDS
        await actor_of(desk, issued)
        assert counting.reads == 1
        desk.clock.seconds += 0.01
        await actor_of(desk, issued)
        assert counting.reads == 2


async def test_a_process_that_hears_nothing_knows_within_half_a_second(
    database: Database, passwords: Passwords, cipher: Cipher
) -> None:
    here, there = Desk(database, passwords, cipher), Desk(database, passwords, cipher, InProcessWake())
    await here.add("ana")
    issued = await here.sign_in()
    actor = await actor_of(there, issued)
    await here.sessions.end(actor.user_id, issued.session_id, "revoked", actor=actor, caller=NOBODY)
    assert await is_refused(here, issued)
    there.clock.seconds += FRESH_SECONDS + 0.001
    assert await is_refused(there, issued)


async def test_a_token_of_a_session_that_never_was_is_refused(desk: Desk) -> None:
    ana = await desk.add("ana")
    forged = desk.tokens.issue(Actor(ana.id, "ana", "admin", new_id())).token
    with pytest.raises(InvalidToken):
        await desk.authentication.authenticate(forged)


async def test_a_token_of_somebody_elses_session_is_refused_and_the_role_is_the_stored_one(desk: Desk) -> None:
    ana, bea = await desk.add("ana"), await desk.add("bea")
    issued = await desk.sign_in("ana")
    token = desk.tokens.issue(Actor(bea.id, "bea", "agent", issued.session_id)).token
    with pytest.raises(InvalidToken):
        await desk.authentication.authenticate(token)
    token = desk.tokens.issue(Actor(ana.id, "ana", "admin", issued.session_id)).token
    assert (await desk.authentication.authenticate(token)).actor.role == "agent"


async def test_without_a_database_nobody_is_let_in(database: Database, passwords: Passwords, cipher: Cipher) -> None:
    class Lost(Database):
        def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
            raise DatabaseUnavailable("the database does not answer")

    desk = Desk(database, passwords, cipher)
    await desk.add("ana")
    issued = await desk.sign_in()
    blind = Desk(Lost("sqlite:////nowhere"), passwords, cipher)
    with pytest.raises(DatabaseUnavailable):
        await blind.authentication.authenticate(issued.access.token)


@pytest.fixture
async def processes(
    postgres_url: str, redis_url: str, passwords: Passwords, cipher: Cipher
) -> AsyncIterator[tuple[Desk, Desk]]:
    """Two web processes: each has its own connections to one database and one Redis, and its own memory."""
    async with AsyncExitStack() as stack:
        desks = []
        for _ in range(2):
            database = await stack.enter_async_context(Database(postgres_url, options=sealed_by(cipher)))
            wake: Wake = await stack.enter_async_context(RedisWake(redis_url))
            assert isinstance(wake, RedisWake)
            await wake.listening()
            desks.append(Desk(database, passwords, cipher, wake, time.monotonic))
        async with desks[0].database.write() as connection:
            await connection.run_sync(metadata.create_all)
        yield desks[0], desks[1]


async def within_a_second(check: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(1):
        while not await check():  # noqa: ASYNC110 - the other process has no event that this one could wait for
            await asyncio.sleep(0.01)  # how soon is what is being measured


async def test_two_processes_agree_on_revocation_within_a_second(processes: tuple[Desk, Desk]) -> None:
    here, there = processes
    ana = await here.add("ana")
    issued, kept = await here.sign_in(), await here.sign_in()
    actor = await actor_of(there, issued)
    assert not await is_refused(there, kept)

    await here.sessions.end(ana.id, issued.session_id, "revoked", actor=actor, caller=NOBODY)

    await within_a_second(lambda: is_refused(there, issued))
    assert not await is_refused(there, kept)


async def test_two_processes_agree_on_a_disabled_account_within_a_second(processes: tuple[Desk, Desk]) -> None:
    here, there = processes
    await here.add("root", "admin")
    ana = await here.add("ana")
    issued = await here.sign_in("ana")
    root = await actor_of(there, await there.sign_in("root"))
    assert not await is_refused(here, issued)

    await there.people.disable(ana.id, actor=root, caller=NOBODY)

    await within_a_second(lambda: is_refused(here, issued))


async def test_two_processes_count_failures_together(processes: tuple[Desk, Desk]) -> None:
    await processes[0].add("ana")
    for number in range(5):
        with pytest.raises(WrongCredentials):
            await processes[number % 2].sign_in("ana", "wrong")
    for desk in processes:
        with pytest.raises(TooManyRequests):
            await desk.sign_in("ana", PASSWORD)


async def test_two_processes_refresh_one_session_as_one(processes: tuple[Desk, Desk]) -> None:
    here, there = processes
    await here.add("ana")
    issued = await here.sign_in()
    answers = await asyncio.gather(
        *(
            desk.sessions.refresh(issued.refresh_token, "a nonce of one browser", "token", NOBODY)
            for desk in (here, there) * 10
        )
    )
    assert len({answer.refresh_token for answer in answers}) == 1
