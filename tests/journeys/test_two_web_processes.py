"""Two web processes on one PostgreSQL and one Redis: what one of them has learned, the other knows within a second."""

from asyncio import to_thread
from collections.abc import AsyncIterator

import msgspec
import pytest

from app.core.http_client import HttpClient, HttpResponse
from tests.builders.journeys import eventually
from tests.databases import PostgresDatabases
from tests.faults.processes import ADMIN_PASSWORD, until_it_answers
from tests.journeys.conftest import StartHouse
from tests.servers import free_port

pytestmark = [pytest.mark.postgres, pytest.mark.redis]

LIMIT = 40  # requests an account may make here
WITHIN_SECONDS = 1.0


class Doors:
    """The two processes' doors, as one client knocks at them."""

    def __init__(self, first: str, second: str, http: HttpClient) -> None:
        self.first, self.second, self._http = first, second, http

    async def ask(
        self, door: str, method: str, path: str, *, token: str | None = None, body: object = None
    ) -> HttpResponse:
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
        content = None if body is None else msgspec.json.encode(body)
        return await self._http.request(method, door + path, headers=headers, content=content, timeout_seconds=20)

    async def sign_in(self, door: str, password: str = ADMIN_PASSWORD, username: str = "admin") -> HttpResponse:
        return await self.ask(door, "POST", "/api/auth/login", body={"username": username, "password": password})

    async def token(self, door: str) -> str:
        answer = await self.sign_in(door)
        assert answer.status == 200, answer.body
        return str(msgspec.json.decode(answer.body)["access_token"])


@pytest.fixture
async def doors(
    postgres_template: PostgresDatabases, redis_of_our_own: str, start_house: StartHouse
) -> AsyncIterator[Doors]:
    limits = {"RATE_LIMIT_API_REQUESTS": str(LIMIT), "RATE_LIMIT_WINDOW_SECONDS": "600"}
    with postgres_template.fresh() as url:
        house = start_house(database_url=url, redis_url=redis_of_our_own, environ=limits)
        port = free_port()
        other = house.child("serve", name="web-2", environ={"PORT": str(port)})
        house.start()
        other.start()
        http = HttpClient()
        try:
            await to_thread(until_it_answers, other, f"http://127.0.0.1:{port}/readyz")
            yield Doors(house.url, f"http://127.0.0.1:{port}", http)
        finally:
            await http.aclose()
            other.kill()
            house.web.kill()


async def test_a_session_that_ends_at_one_process_ends_at_the_other_within_a_second(doors: Doors) -> None:
    token = await doors.token(doors.first)
    assert (await doors.ask(doors.second, "GET", "/api/auth/me", token=token)).status == 200

    left = await doors.ask(doors.first, "POST", "/api/auth/logout", token=token)

    assert left.status == 204, left.body
    await eventually(
        lambda: doors.ask(doors.second, "GET", "/api/auth/me", token=token),
        lambda answer: answer.status == 401,
        within_seconds=WITHIN_SECONDS,
    )


async def test_an_account_that_used_up_its_requests_at_one_process_has_none_left_at_the_other(doors: Doors) -> None:
    token = await doors.token(doors.first)
    spent = [await doors.ask(doors.first, "GET", "/api/auth/me", token=token) for _ in range(LIMIT)]

    refused = await doors.ask(doors.second, "GET", "/api/auth/me", token=token)

    assert [answer.status for answer in spent] == [200] * LIMIT
    assert refused.status == 429
    assert int(refused.headers["retry-after"]) > 0
    assert refused.headers["x-ratelimit-remaining"] == "0"


async def test_an_account_that_was_guessed_at_through_both_processes_is_closed_at_both(doors: Doors) -> None:
    for door in (doors.first, doors.second, doors.first, doors.second, doors.first):
        assert (await doors.sign_in(door, "not the password at all")).status == 401

    closed = [await doors.sign_in(door) for door in (doors.second, doors.first)]

    assert [answer.status for answer in closed] == [429, 429]
