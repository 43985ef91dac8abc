"""The life of a session: refresh tokens that work once, the grace for tabs, and every way it ends."""

import asyncio
from collections import Counter

import pytest
import sqlalchemy as sa

from app.accounts.errors import InvalidRefreshToken, SessionNotFound
from app.accounts.models import refresh_tokens, sessions
from app.accounts.schemas import Credentials
from app.accounts.sessions import GRACE_SECONDS, IDLE_SECONDS, LONGEST_SECONDS, Issued
from app.accounts.trail import NOBODY, Caller
from app.core.security.tokens import InvalidToken
from tests.features.accounts.conftest import PASSWORD, Desk

TAB = "a nonce of one browser"
OTHER = "a nonce of another one"


@pytest.fixture(autouse=True)
async def ana(desk: Desk) -> None:
    await desk.add("ana")


async def refresh(desk: Desk, token: str, nonce: str | None = TAB) -> Issued:
    return await desk.sessions.refresh(token, nonce, "token", NOBODY)


async def refused(desk: Desk, token: str, nonce: str | None = TAB) -> None:
    with pytest.raises(InvalidRefreshToken):
        await refresh(desk, token, nonce)


async def is_open(desk: Desk, issued: Issued) -> bool:
    desk.clock.seconds += 1  # what was remembered is old
    try:
        await desk.authentication.authenticate(issued.access.token)
    except InvalidToken:
        return False
    return True


async def test_a_refresh_token_gets_the_next_pair_of_the_same_session(desk: Desk) -> None:
    first = await desk.sign_in()
    second = await refresh(desk, first.refresh_token)
    assert second.session_id == first.session_id
    assert second.refresh_token != first.refresh_token
    assert second.access.token != first.access.token
    assert (await refresh(desk, second.refresh_token)).session_id == first.session_id
    assert await is_open(desk, second)


async def test_only_hashes_are_stored(desk: Desk) -> None:
    issued = await desk.sign_in()
    async with desk.database.read() as connection:
        stored = (await connection.execute(sa.select(refresh_tokens.c.token_hash))).scalar_one()
    assert len(issued.refresh_token) == 43
    assert len(bytes(stored)) == 32
    assert issued.refresh_token.encode() not in bytes(stored)


async def test_a_token_that_comes_again_later_ends_the_whole_session(desk: Desk) -> None:
    first = await desk.sign_in()
    second = await refresh(desk, first.refresh_token)
    await desk.time_passes(GRACE_SECONDS + 1)
    await refused(desk, first.refresh_token)
    await refused(desk, second.refresh_token)
    assert not await is_open(desk, second)
    assert await desk.happened() == ["signed_in", "refresh_reused"]


async def test_other_sessions_of_the_person_go_on(desk: Desk) -> None:
    stolen, other = await desk.sign_in(), await desk.sign_in()
    await refresh(desk, stolen.refresh_token, None)
    await refused(desk, stolen.refresh_token, None)
    assert not await is_open(desk, stolen)
    assert await is_open(desk, other)


async def test_tabs_that_refresh_at_once_get_the_same_token(desk: Desk) -> None:
    first = await desk.sign_in()
    second, again = await refresh(desk, first.refresh_token), await refresh(desk, first.refresh_token)
    assert again.refresh_token == second.refresh_token
    assert await is_open(desk, again)


@pytest.mark.parametrize("nonces", [(TAB, OTHER), (TAB, None), (None, TAB), (None, None)])
async def test_the_grace_is_for_the_same_nonce_only(desk: Desk, nonces: tuple[str | None, str | None]) -> None:
    first = await desk.sign_in()
    await refresh(desk, first.refresh_token, nonces[0])
    await refused(desk, first.refresh_token, nonces[1])
    assert not await is_open(desk, first)


async def test_twenty_refreshes_at_once_with_one_nonce_are_one_refresh(desk: Desk) -> None:
    first = await desk.sign_in()
    answers = await asyncio.gather(*(refresh(desk, first.refresh_token) for _ in range(20)))
    assert len({answer.refresh_token for answer in answers}) == 1
    assert await is_open(desk, answers[0])
    async with desk.database.read() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(refresh_tokens)) == 2


async def test_twenty_refreshes_at_once_by_twenty_clients_are_one_and_a_theft(desk: Desk) -> None:
    first = await desk.sign_in()
    answers = await asyncio.gather(
        *(refresh(desk, first.refresh_token, f"the nonce of client {n:02}") for n in range(20)), return_exceptions=True
    )
    assert Counter(type(answer) for answer in answers) == {Issued: 1, InvalidRefreshToken: 19}
    assert not await is_open(desk, next(answer for answer in answers if isinstance(answer, Issued)))
    assert (await desk.happened()).count("refresh_reused") == 1


async def test_a_session_that_is_not_used_for_a_day_ends(desk: Desk) -> None:
    first = await desk.sign_in()
    await desk.time_passes(IDLE_SECONDS - 60)
    second = await refresh(desk, first.refresh_token)
    await desk.time_passes(IDLE_SECONDS + 1)
    assert not await is_open(desk, second)
    await refused(desk, second.refresh_token)


async def test_a_session_ends_after_fourteen_days_however_much_it_is_used(desk: Desk) -> None:
    issued = await desk.sign_in()
    for _ in range(28):
        issued = await refresh(desk, issued.refresh_token)
        await desk.time_passes(LONGEST_SECONDS / 28)
    await refused(desk, issued.refresh_token)
    assert not await is_open(desk, issued)


async def test_no_token_outlives_its_session(desk: Desk) -> None:
    first = await desk.sign_in()
    async with desk.database.write() as connection:
        now = await desk.database.now(connection)
        await connection.execute(sa.update(sessions).values(ends_at=now.replace(microsecond=0)))
    await refused(desk, first.refresh_token)


@pytest.mark.parametrize("token", ["", "x", "é", "a" * 43, "\ud800"])
async def test_an_unknown_token_is_refused_and_ends_nothing(desk: Desk, token: str) -> None:
    issued = await desk.sign_in()
    await refused(desk, token)
    assert await is_open(desk, issued)


async def test_an_access_token_is_no_refresh_token(desk: Desk) -> None:
    issued = await desk.sign_in()
    await refused(desk, issued.access.token)
    with pytest.raises(InvalidToken):
        await desk.authentication.authenticate(issued.refresh_token)


async def test_a_token_of_a_cookie_session_is_worth_nothing_in_a_body(desk: Desk) -> None:
    issued = await desk.accounts.sign_in(Credentials(username="ana", password=PASSWORD, session="cookie"))
    await refused(desk, issued.refresh_token)
    assert (await desk.sessions.refresh(issued.refresh_token, None, "cookie", NOBODY)).kind == "cookie"


async def test_a_session_ends_when_its_owner_signs_out(desk: Desk) -> None:
    issued, other = await desk.sign_in(), await desk.sign_in()
    actor = (await desk.authentication.authenticate(issued.access.token)).actor
    await desk.sessions.end(actor.user_id, issued.session_id, "signed_out", actor=actor, caller=NOBODY)
    assert not await is_open(desk, issued)
    assert await is_open(desk, other)
    await refused(desk, issued.refresh_token)
    with pytest.raises(SessionNotFound):
        await desk.sessions.end(actor.user_id, issued.session_id, "signed_out", actor=actor, caller=NOBODY)


async def test_nobody_ends_a_session_of_somebody_else_as_their_own(desk: Desk) -> None:
    bea = await desk.add("bea")
    issued = await desk.sign_in()
    actor = (await desk.authentication.authenticate(issued.access.token)).actor
    with pytest.raises(SessionNotFound):
        await desk.sessions.end(bea.id, issued.session_id, "revoked", actor=actor, caller=NOBODY)
    assert await is_open(desk, issued)


async def test_the_sessions_of_a_person_are_listed_with_where_they_came_from(desk: Desk) -> None:
    await desk.sign_in()
    caller = Caller("203.0.113.7", "x" * 500)
    latest = await desk.accounts.sign_in(Credentials(username="ana", password=PASSWORD), caller)
    found = await desk.sessions.find(latest.user.id, current=latest.session_id)
    assert [session.current for session in found] == [True, False]
    assert (found[0].address, found[0].user_agent) == ("203.0.113.7", "x" * 200)
    await desk.time_passes(IDLE_SECONDS + 1)
    assert await desk.sessions.find(latest.user.id, current=None) == []
