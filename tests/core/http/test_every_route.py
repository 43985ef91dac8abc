"""What surrounds every route of the whole application: headers, host names, origins, sizes and shapes of bodies."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.core.http import DEFAULT_BODY_BYTES, UPLOAD_BODY_BYTES, WEBHOOK_BODY_BYTES
from app.core.http.edge import API_CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY, PERMISSIONS_POLICY
from tests.core.http.whole import HOST, Whole, whole_app

PANEL = "https://panel.example.org"
SOME_ID = "0192d5f0-0000-7000-8000-000000000000"

pytestmark = pytest.mark.xdist_group("every-route")


@pytest.fixture
async def whole(tmp_path: Path) -> AsyncIterator[Whole]:
    async with whole_app(tmp_path, CORS_ORIGINS=PANEL) as running:
        yield running


def address(path: str) -> str:
    return re.sub(r"\{[^}]*\}", SOME_ID, path)


async def test_every_answer_of_every_route_carries_the_security_headers(whole: Whole) -> None:
    token = await whole.sign_in("viewer")
    documented = [(method, path) for method, path, _ in whole.operations() if path != "/api/auth/logout"]
    pages = [("GET", path) for path in ("/", "/schema/openapi.json", "/nowhere", "/metrics", "/api/nowhere")]
    webhooks = [("GET", "/webhooks/whatsapp"), ("POST", "/webhooks/whatsapp")]
    for signed_in in (None, token):
        async with whole.client(token=signed_in) as client:
            for method, path in [*documented, *pages, *webhooks]:
                answer = await client.request(method, address(path))
                faults = header_faults(path, answer)
                assert not faults, f"{method} {path} {answer.status_code}: {faults}"


def header_faults(path: str, answer: httpx.Response) -> list[str]:
    """Return the headers that are not as promised."""
    data = path.startswith(("/api/", "/webhooks/"))
    promised = {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": PERMISSIONS_POLICY,
        "strict-transport-security": "max-age=31536000; includeSubDomains",
        "content-security-policy": API_CONTENT_SECURITY_POLICY if data else CONTENT_SECURITY_POLICY,
    } | ({"cache-control": "no-store"} if data else {})
    wrong = [name for name, value in promised.items() if answer.headers.get_list(name) != [value]]
    return wrong + [name for name in ("server", "x-powered-by") if name in answer.headers]


def test_the_policy_for_pages_allows_our_own_files_only_and_no_text_to_become_script() -> None:
    policy = dict(part.strip().split(" ", 1) for part in CONTENT_SECURITY_POLICY.split(";"))
    assert policy["default-src"] == policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert (policy["require-trusted-types-for"], policy["trusted-types"]) == ("'script'", "'none'")
    for weak in ("unsafe", "*", "http:", "https:", "strict-dynamic"):
        assert weak not in CONTENT_SECURITY_POLICY
        assert weak not in API_CONTENT_SECURITY_POLICY


STRANGE_HOSTS = [
    "evil.example", f"{HOST}.evil.example", f"x{HOST}", HOST.replace(".", "X", 1), "127.0.0.1", "localhost", "", "a b",
    f"{HOST}@evil.example", f"{HOST}/x", f"{HOST}:x", f"{HOST}:443:1", "[::1",
]  # fmt: skip
OWN_HOSTS = [HOST, HOST.upper(), f"{HOST}:8443", f"{HOST}.", "other.example.net"]


async def test_in_production_a_host_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    environ = {"APP_ENV": "production", "ALLOWED_HOSTS": "other.example.net"}
    async with whole_app(tmp_path, **environ) as whole, whole.client() as client:
        for host in STRANGE_HOSTS:
            headers = {"Host": host, "X-Forwarded-Host": HOST}
            for path in ("/", "/api/auth/me", "/webhooks/whatsapp", "/schema/openapi.json"):
                answer = await client.get(path, headers=headers)
                assert (answer.status_code, answer.json()["code"]) == (400, "unknown_host"), (host, path)
        assert (await client.get("/livez", headers={"Host": "10.0.0.7:8003"})).status_code == 200, (
            "probes ask by address"
        )
        for host in OWN_HOSTS:
            assert (await client.get("/api/auth/me", headers={"Host": host})).status_code == 401, host


async def test_while_developing_this_machines_own_names_are_served(whole: Whole) -> None:
    async with whole.client() as client:
        for host in ("127.0.0.1:8003", "localhost:5173", "[::1]:8003"):
            assert (await client.get("/api/auth/me", headers={"Host": host})).status_code == 401, host
        assert (await client.get("/api/auth/me", headers={"Host": "evil.example"})).status_code == 400


async def test_a_listed_origin_may_call_with_a_token_and_never_with_cookies(whole: Whole) -> None:
    async with whole.client() as client:
        answer = await client.get("/api/auth/me", headers={"Origin": PANEL})
        preflight = await client.options(
            "/api/auth/me",
            headers={
                "Origin": PANEL,
                "Access-Control-Request-Method": "GET",
                "Access-Control-Request-Headers": "authorization",
            },
        )
    assert answer.headers["access-control-allow-origin"] == preflight.headers["access-control-allow-origin"] == PANEL
    assert "origin" in answer.headers["vary"].lower()
    assert preflight.status_code == 204
    for headers in (answer.headers, preflight.headers):
        assert "access-control-allow-credentials" not in headers
        assert "*" not in headers.get("access-control-allow-headers", "")


STRANGE_ORIGINS = [
    "https://evil.example", "null", "https://panelXexample.org", f"{PANEL}.evil.example", "http://panel.example.org",
    f"{PANEL}:444", "https://sub.panel.example.org", f"{PANEL}/", "https://PANEL.example.org.", "*", f"https://{HOST}.x",
]  # fmt: skip


async def test_another_origin_is_told_nothing(whole: Whole) -> None:
    async with whole.client() as client:
        for origin in STRANGE_ORIGINS:
            asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}
            answer = await client.get("/api/auth/me", headers={"Origin": origin})
            preflight = await client.options("/api/auth/me", headers=asked)
            assert "access-control-allow-origin" not in answer.headers, origin
            assert "access-control-allow-origin" not in preflight.headers, origin
            assert preflight.status_code == 400, origin


UPLOADS = {"/api/simulator/people/{person_id}/messages"}


async def test_no_route_takes_a_body_over_its_limit(whole: Whole) -> None:
    token = await whole.sign_in("admin")
    for path, method, _ in bodies(whole):
        async with whole.client(token=token) as client:
            answer = await client.request(
                method,
                address(path),
                content=b" " * ((UPLOAD_BODY_BYTES if path in UPLOADS else DEFAULT_BODY_BYTES) + 1),
                headers={"Content-Type": "application/json"},
            )
        assert answer.status_code in {404, 413, 403}, f"{method} {path} {answer.status_code}"
        assert answer.status_code == 413 or "{" in path or path.startswith("/api/auth"), f"{method} {path}"


async def test_a_webhook_over_its_limit_is_refused(whole: Whole) -> None:
    async with whole.client() as client:
        assert (await client.post("/webhooks/whatsapp", content=b" " * WEBHOOK_BODY_BYTES)).status_code == 401
        assert (await client.post("/webhooks/whatsapp", content=b" " * (WEBHOOK_BODY_BYTES + 1))).status_code == 413


BOMBS = {
    "a thousand arrays": b"[" * 1000 + b"]" * 1000,
    "a thousand objects": b'{"a":' * 1000 + b"1" + b"}" * 1000,
    "half a million brackets": b"[" * 500_000,
    "a member a thousand deep": b'{"name":' + b"[" * 1000 + b"]" * 1000 + b"}",
    "a number without end": b'{"name":' + b"9" * 100_000 + b"}",
}


@pytest.mark.parametrize("bomb", BOMBS)
async def test_no_route_is_brought_down_by_a_json_bomb(whole: Whole, bomb: str) -> None:
    token = await whole.sign_in("admin")
    async with whole.client(token=token) as client:
        for path, method, _ in bodies(whole):
            answer = await client.request(
                method, address(path), content=BOMBS[bomb], headers={"Content-Type": "application/json"}
            )
            deep = bomb != "a number without end"
            assert answer.status_code in ({400, 403} if deep else {400, 403, 422}), f"{method} {path}: {answer.text}"


async def test_a_long_flat_array_is_judged_by_its_shape_and_not_as_a_bomb(whole: Whole) -> None:
    token = await whole.sign_in("admin")
    async with whole.client(token=token) as client:
        answer = await client.post(
            "/api/auth/login", content=b"[" + b"1," * 200_000 + b"1]", headers={"Content-Type": "application/json"}
        )
    assert answer.status_code == 422


def bodies(whole: Whole) -> list[tuple[str, str, Any]]:
    """Return path, method and description of every operation that takes JSON."""
    return [
        (path, method, operation)
        for method, path, operation in whole.operations()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    ]


async def test_limits_are_on_unless_they_are_switched_off(tmp_path: Path) -> None:
    environ = {"RATE_LIMIT_ENABLED": "true", "RATE_LIMIT_AUTH_REQUESTS": "3"}
    async with whole_app(tmp_path, **environ) as whole, whole.client() as client:
        wrong = {"username": "nobody", "password": "wrong"}
        answers = [await client.post("/api/auth/login", json=wrong) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
        assert (await client.get("/api/auth/me")).headers["x-ratelimit-limit"] == "1200"
        assert (await client.get("/api/system/health")).headers["x-ratelimit-limit"] == "240"
        assert "x-ratelimit-limit" not in (await client.get("/livez")).headers
