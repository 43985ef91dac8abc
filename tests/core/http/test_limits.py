"""How often the API may be called, through the very layers that the product puts around it."""

import time
from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import Litestar, get, post
from litestar.enums import ScopeType
from litestar.exceptions import WebSocketException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from app.core.errors import Unauthenticated
from app.core.http import EXCEPTION_HANDLERS, ChargeRequests, LimitRules, RateLimits, WebhookLimit, install_edge
from app.core.http.limits import _current
from app.core.metrics import Metrics
from app.core.security.actor import Actor
from app.core.security.client_address import ClientAddress
from app.core.security.rate_limit import Limit, LocalRateLimiter, TokenBuckets
from tests.core.http.door import knocking

RULES = LimitRules(api=Limit(6, 60), sign_in=Limit(3, 300), system=Limit(2, 60))
ANA, BEA = UUID(int=1), UUID(int=2)
PUBLIC = {"/api/auth/login", "/api/auth/refresh", "/api/auth/links/accept"}


class Doorman(ASGIMiddleware):
    """Stands where authentication does: believes the account named in `Authorization`."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        given = next((value for name, value in scope["headers"] if name == b"authorization"), None)
        if given is not None and given != b"wrong":
            account, _, key = given.decode().partition("/")
            scope["user"] = Actor(
                user_id=UUID(int=int(account)),
                username="ana",
                role="admin",
                session_id=None,
                api_key_id=UUID(int=int(key)) if key else None,
            )
        elif str(scope.get("path_template")).startswith("/api/") and scope.get("path_template") not in PUBLIC:
            raise Unauthenticated("who are you")
        await next_app(scope, receive, send)


class House:
    def __init__(self, *, trusted: list[str] | None = None, webhooks: TokenBuckets | None = None) -> None:
        self.handled: list[str] = []
        self.metrics = Metrics()
        limiter = LocalRateLimiter()

        @get(["/api/things", "/api/system/things", "/healthz"])
        async def things() -> str:
            self.handled.append("things")
            return "x"

        @post(["/api/auth/login", "/api/auth/refresh", "/api/auth/links/accept"], status_code=200)
        async def come_in() -> None:
            self.handled.append("come in")

        @post("/webhooks/whatsapp/{channel:str}", status_code=200)
        async def webhook() -> None:
            self.handled.append("webhook")

        self.app = Litestar(
            [things, come_in, webhook],
            middleware=[Doorman(), ChargeRequests(limiter, RULES)],
            exception_handlers=EXCEPTION_HANDLERS,
            logging_config=None,
        )
        buckets = webhooks or TokenBuckets(per_second=1000, burst=1000)
        install_edge(
            self.app,
            [
                ClientAddress(trusted or []),
                WebhookLimit(buckets, self.metrics),
                RateLimits(limiter, RULES, self.metrics),
            ],
        )

    async def statuses(
        self,
        times: int,
        path: str = "/api/things",
        *,
        method: str = "GET",
        address: str = "203.0.113.7",
        **headers: str,
    ) -> list[int]:
        async with knocking(self.app, address=address) as client:
            return [
                (await client.request(method, f"http://desk.example{path}", headers=headers)).status_code
                for _ in range(times)
            ]


async def test_an_account_has_its_own_share_wherever_it_comes_from() -> None:
    house = House()
    assert await house.statuses(5, Authorization="1") == [200] * 5
    assert await house.statuses(2, address="198.51.100.1", Authorization="1") == [200, 429]
    assert await house.statuses(1, Authorization="2") == [200], "somebody else behind the same address"
    assert len(house.handled) == 7, "what is refused is not done"


async def test_an_api_key_has_a_share_beside_its_owner() -> None:
    house = House()
    assert await house.statuses(7, Authorization="1/9") == [200] * 6 + [429]
    assert await house.statuses(1, Authorization="1") == [200]


async def test_requests_without_a_valid_credential_are_counted_by_address() -> None:
    house = House()
    assert await house.statuses(3) == [401] * 3
    assert await house.statuses(4, Authorization="wrong") == [401] * 3 + [429]
    assert await house.statuses(1, address="198.51.100.1") == [401]


async def test_a_stranger_cannot_lock_out_the_colleagues_behind_the_same_address() -> None:
    house = House()
    assert (await house.statuses(9, Authorization="wrong"))[-1] == 429
    assert await house.statuses(1, Authorization="1") == [200]


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/nowhere"), ("DELETE", "/api/things"), ("GET", "//api//x")])
async def test_addresses_and_methods_that_are_not_there_are_counted_too(method: str, path: str) -> None:
    house = House()
    statuses = await house.statuses(8, path, method=method)
    assert statuses[6:] == [429] * 2
    assert 429 not in statuses[:6]


async def test_signing_in_has_a_small_share_for_each_address() -> None:
    house = House()
    assert await house.statuses(4, "/api/auth/login", method="POST") == [200] * 3 + [429]
    assert await house.statuses(1, "/api/auth/login", method="POST", address="198.51.100.1") == [200]
    assert await house.statuses(4, "/api/auth/links/accept", method="POST") == [200] * 3 + [429], "and so has a link"
    assert await house.statuses(6, "/api/auth/refresh", method="POST") == [200] * 6, "a refresh token is not guessed at"
    assert house.handled.count("come in") == 3 + 1 + 3 + 6


@pytest.mark.parametrize("path", ["/api/auth/login/", "//api//auth/login", "/api/auth/login?x=1", "/api/./auth/login"])
async def test_no_way_of_writing_the_path_leads_to_another_share(path: str) -> None:
    house = House()
    await house.statuses(3, "/api/auth/login", method="POST")
    assert 200 not in await house.statuses(2, path, method="POST")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "9.9.9.9"},
        {"X-Real-IP": "9.9.9.9"},
        {"Forwarded": "for=9.9.9.9"},
        {"True-Client-IP": "9.9.9.9"},
        {"CF-Connecting-IP": "9.9.9.9"},
        {"X-Client-IP": "9.9.9.9"},
    ],
)
async def test_no_header_of_the_clients_own_leads_to_another_share(headers: dict[str, str]) -> None:
    house = House()
    await house.statuses(3, "/api/auth/login", method="POST")
    assert await house.statuses(1, "/api/auth/login", method="POST", **headers) == [429]


async def test_behind_our_own_proxy_each_client_is_counted_by_itself() -> None:
    house = House(trusted=["203.0.113.7"])
    login = {"path": "/api/auth/login", "method": "POST"}
    assert await house.statuses(4, **login, **{"X-Forwarded-For": "9.9.9.9"}) == [200] * 3 + [429]
    assert await house.statuses(1, **login, **{"X-Forwarded-For": "8.8.8.8"}) == [200]
    assert await house.statuses(1, **login, **{"X-Forwarded-For": "8.8.8.8, 9.9.9.9"}) == [429]


async def test_the_addresses_of_one_ipv6_subscriber_share() -> None:
    house = House()
    for host in range(3):
        await house.statuses(1, "/api/auth/login", method="POST", address=f"2001:db8:1:2::{host + 1}")
    assert await house.statuses(1, "/api/auth/login", method="POST", address="2001:db8:1:2:f::9") == [429]
    assert await house.statuses(1, "/api/auth/login", method="POST", address="2001:db8:1:3::1") == [200]


async def test_the_system_routes_have_a_share_of_their_own() -> None:
    house = House()
    assert await house.statuses(3, "/api/system/things", Authorization="1") == [200, 200, 429]
    assert await house.statuses(1, "/api/things", Authorization="1") == [200]


async def test_every_answer_says_what_is_left_and_a_refusal_when_to_come_back() -> None:
    house = House()
    async with knocking(house.app) as client:
        answers = [await client.get("/api/things", headers={"Authorization": "1"}) for _ in range(7)]
        stranger = [await client.get("/api/things") for _ in range(7)]
    for kind in (answers, stranger):
        assert [answer.headers["x-ratelimit-limit"] for answer in kind] == ["6"] * 7
        assert [answer.headers["x-ratelimit-remaining"] for answer in kind] == ["5", "4", "3", "2", "1", "0", "0"]
        assert all(1 <= int(answer.headers["x-ratelimit-reset"]) <= 60 for answer in kind)
        assert_refusal(kind[-1])
    assert metric(house, "api") == 2


def assert_refusal(answer: httpx.Response) -> None:
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["code"], answer.json()["try_again"]) == ("too_many_requests", True)


async def test_preflights_and_what_is_not_the_api_are_free() -> None:
    house = House()
    assert set(await house.statuses(20, "/healthz")) == {200}
    assert 429 not in await house.statuses(20, method="OPTIONS")
    assert await house.statuses(1) == [401]


async def test_a_live_channel_is_counted_by_address() -> None:
    limiter = LocalRateLimiter()
    charge = ChargeRequests(limiter, RULES)
    scope: Any = {"type": "websocket", "path": "/api/live", "path_template": "/api/live", "client": ("203.0.113.7", 1)}

    async def inside(*_: object) -> None:
        pass

    for _ in range(6):
        await charge.handle(scope, inside, inside, inside)  # type: ignore[arg-type]  # takes anything
    with pytest.raises(WebSocketException) as refused:
        await charge.handle(scope, inside, inside, inside)  # type: ignore[arg-type]  # as above
    assert refused.value.code == 4429


async def test_one_request_leaves_nothing_behind_for_the_next() -> None:
    await House().statuses(1)
    assert _current.get() is None


async def test_a_flood_of_webhooks_for_one_address_is_told_to_come_again_and_the_others_get_through() -> None:
    house = House(webhooks=TokenBuckets(per_second=0.001, burst=3))
    assert await house.statuses(5, "/webhooks/whatsapp/a", method="POST") == [200] * 3 + [503] * 2
    assert await house.statuses(1, "/webhooks/whatsapp/b", method="POST") == [200]
    async with knocking(house.app) as client:
        answer = await client.post("/webhooks/whatsapp/a")
    assert (answer.headers["retry-after"], answer.json()["code"]) == ("1", "webhook_flood")
    assert metric(house, "webhook") == 3


def test_a_webhook_pays_less_than_20_microseconds_for_its_bucket() -> None:
    buckets = TokenBuckets(per_second=5_000, burst=50_000)
    best = min(_seconds_each(buckets) for _ in range(5))
    assert best < 20e-6


def _seconds_each(buckets: TokenBuckets) -> float:
    started = time.perf_counter()
    for _ in range(2_000):
        buckets.take("/webhooks/whatsapp")
    return (time.perf_counter() - started) / 2_000


def metric(house: House, door: str) -> float | None:
    return house.metrics.registry.get_sample_value("wa_rate_limited_total", {"door": door})
