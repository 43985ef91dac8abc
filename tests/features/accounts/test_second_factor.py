import asyncio
import base64
from datetime import UTC, datetime

import httpx
import pytest
import sqlalchemy as sa

from app.accounts.errors import SecondFactorRequired, WrongSecondFactor
from app.accounts.models import users
from app.accounts.sessions import Issued
from app.core.errors import TooManyRequests
from app.core.security import totp
from app.core.security.cipher import Cipher, Undecryptable
from tests.features.accounts.conftest import PASSWORD, Desk


class Authenticator:
    """The app on somebody's phone. Each code it shows is of a later step than the one before."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self.last = ""
        self._ahead = -1

    def code(self) -> str:
        """Return another code that the server accepts now: that of this step, then that of the next."""
        self._ahead += 1
        self.last = totp.code_at(self.secret, totp.step_of(datetime.now(UTC)) + self._ahead)
        return self.last


async def enable(desk: Desk, client: httpx.AsyncClient) -> tuple[Authenticator, list[str]]:
    """Sign in as ana, turn the second factor on, and return the phone and the recovery codes."""
    bearer = await desk.bearer("ana")
    begun = await client.post("/api/auth/second-factor", json={"password": PASSWORD}, headers=bearer)
    assert begun.status_code == 200
    phone = Authenticator(base64.b32decode(begun.json()["secret"]))
    confirmed = await client.post("/api/auth/second-factor/confirm", json={"code": phone.code()}, headers=bearer)
    assert confirmed.status_code == 200
    return phone, confirmed.json()["recovery_codes"]


@pytest.fixture(autouse=True)
async def ana(desk: Desk) -> None:
    await desk.add("ana")


async def test_a_second_factor_is_asked_for_once_it_is_confirmed(desk: Desk, client: httpx.AsyncClient) -> None:
    bearer = await desk.bearer("ana")
    await client.post("/api/auth/second-factor", json={"password": PASSWORD}, headers=bearer)
    await desk.sign_in()
    phone, codes = await enable(desk, client)
    assert len(codes) == 10
    answer = await client.post("/api/auth/login", json={"username": "ana", "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (401, "second_factor_required")
    answer = await client.post("/api/auth/login", json={"username": "ana", "password": PASSWORD, "code": phone.code()})
    assert answer.status_code == 200
    assert answer.json()["user"]["second_factor"]


async def test_a_code_works_once(desk: Desk, client: httpx.AsyncClient) -> None:
    phone, _ = await enable(desk, client)
    with pytest.raises(WrongSecondFactor):
        await desk.sign_in(code=phone.last)
    await desk.sign_in(code=phone.code())
    with pytest.raises(WrongSecondFactor):
        await desk.sign_in(code=phone.last)


async def test_a_code_that_is_sent_many_times_at_once_works_once(desk: Desk, client: httpx.AsyncClient) -> None:
    phone, _ = await enable(desk, client)
    code = phone.code()
    answers = await asyncio.gather(*(desk.sign_in(code=code) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(answer, Issued) for answer in answers) == 1


async def test_a_recovery_code_works_once_and_in_any_spelling(desk: Desk, client: httpx.AsyncClient) -> None:
    _, codes = await enable(desk, client)
    await desk.sign_in(code=codes[0].upper().replace("-", " "))
    with pytest.raises(WrongSecondFactor):
        await desk.sign_in(code=codes[0])
    await desk.sign_in(code=codes[1])


async def test_wrong_codes_close_the_account_and_a_missing_one_does_not(desk: Desk, client: httpx.AsyncClient) -> None:
    phone, _ = await enable(desk, client)
    for _ in range(8):
        with pytest.raises(SecondFactorRequired):
            await desk.sign_in()
    for _ in range(5):
        with pytest.raises(WrongSecondFactor):
            await desk.sign_in(code="000000")
    with pytest.raises(TooManyRequests):
        await desk.sign_in(code=phone.code())


async def test_a_right_code_does_not_make_up_for_a_wrong_password(desk: Desk, client: httpx.AsyncClient) -> None:
    phone, _ = await enable(desk, client)
    answer = await client.post("/api/auth/login", json={"username": "ana", "password": "wrong", "code": phone.code()})
    assert answer.json()["code"] == "wrong_credentials"


async def test_the_secret_is_stored_encrypted_and_what_cannot_be_decrypted_lets_nobody_in(
    desk: Desk, client: httpx.AsyncClient, cipher: Cipher
) -> None:
    phone, _ = await enable(desk, client)
    async with desk.database.read() as connection:
        stored = bytes((await connection.scalar(sa.select(users.c.totp_secret))) or b"")
    assert phone.secret not in stored
    assert cipher.decrypt(stored) == phone.secret
    async with desk.database.write() as connection:
        await connection.execute(sa.update(users).values(totp_secret=b"damaged"))
    with pytest.raises(Undecryptable):
        await desk.sign_in(code=phone.code())


async def test_it_begins_and_ends_with_the_password_only(desk: Desk, client: httpx.AsyncClient) -> None:
    await enable(desk, client)
    bearer = {"Authorization": (await again(desk, client))}
    for path in ("/api/auth/second-factor", "/api/auth/second-factor/disable"):
        wrong = await client.post(path, json={"password": "no"}, headers=bearer)
        assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong_credentials")
    twice = await client.post("/api/auth/second-factor", json={"password": PASSWORD}, headers=bearer)
    assert (twice.status_code, twice.json()["code"]) == (409, "second_factor_state")
    off = await client.post("/api/auth/second-factor/disable", json={"password": PASSWORD}, headers=bearer)
    assert off.status_code == 204
    await desk.sign_in()
    assert "second_factor_disabled" in await desk.happened()


async def again(desk: Desk, client: httpx.AsyncClient) -> str:
    """Sign in as an admin would let her: with the second factor taken away, and put back by hand."""
    async with desk.database.write() as connection:
        kept = (await connection.execute(sa.select(users.c.totp_confirmed_at))).scalar_one()
        await connection.execute(sa.update(users).values(totp_confirmed_at=None))
    issued = await desk.sign_in()
    async with desk.database.write() as connection:
        await connection.execute(sa.update(users).values(totp_confirmed_at=kept))
    return f"Bearer {issued.access.token}"


async def test_a_wrong_first_code_turns_nothing_on(desk: Desk, client: httpx.AsyncClient) -> None:
    bearer = await desk.bearer("ana")
    early = await client.post("/api/auth/second-factor/confirm", json={"code": "123456"}, headers=bearer)
    assert (early.status_code, early.json()["code"]) == (409, "second_factor_state")
    await client.post("/api/auth/second-factor", json={"password": PASSWORD}, headers=bearer)
    wrong = await client.post("/api/auth/second-factor/confirm", json={"code": "000000"}, headers=bearer)
    assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong_second_factor")
    await desk.sign_in()


async def test_an_admin_can_take_away_the_second_factor_of_whoever_lost_it(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    await enable(desk, client)
    await desk.add("root", "admin")
    ana = next(one for one in (await desk.people.find(limit=10, cursor=None)).items if one.username == "ana")
    answer = await client.post(
        f"/api/users/{ana.id}/reset-password",
        json={"remove_second_factor": True},
        headers=await desk.bearer("root"),
    )
    assert answer.status_code == 201
    await desk.sign_in()
