"""The spoof matrix of reliability.md S20: who the client is, whatever it writes about itself."""

from typing import Any

import httpx
import pytest
from litestar import Litestar, Request, get

from app.core.http import install_edge
from app.core.security.client_address import ClientAddress, TrustedProxies, address_key

PROXY, SECOND_PROXY, STRANGER, CLIENT = "172.18.0.2", "172.18.7.7", "198.51.100.66", "203.0.113.7"
TRUSTED = TrustedProxies(["127.0.0.1", "172.18.0.0/16", "fd00::/8"])

HEADERS = {
    "none": [],
    "one hop": [CLIENT],
    "a written hop before": [f"1.2.3.4, {CLIENT}"],
    "three hops": [f"9.9.9.9, 1.2.3.4, {CLIENT}"],
    "two headers": ["1.2.3.4", CLIENT],
    "through a second proxy of ours": [f"{CLIENT}, {SECOND_PROXY}"],
    "spoofed, through two proxies": [f"127.0.0.1, {CLIENT}, {SECOND_PROXY}"],
    "with a port": [f"{CLIENT}:50123"],
    "with spaces": [f"  {CLIENT}  "],
    "mapped": [f"::ffff:{CLIENT}"],
}


@pytest.mark.parametrize("name", HEADERS)
def test_behind_a_trusted_proxy_the_rightmost_hop_that_is_not_ours_is_the_client(name: str) -> None:
    found = TRUSTED.client_of(PROXY, [value.encode() for value in HEADERS[name]])
    assert found == (PROXY if name == "none" else CLIENT)


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("trusted", [[], ["127.0.0.1"]])
def test_what_a_peer_that_is_no_proxy_of_ours_says_counts_for_nothing(name: str, trusted: list[str]) -> None:
    proxies = TrustedProxies(trusted)
    assert proxies.client_of(STRANGER, [value.encode() for value in HEADERS[name]]) == STRANGER


@pytest.mark.parametrize(
    "junk", ["unknown", "", "_hidden", "<script>", "999.1.1.1", "1.2.3", "2130706433", "a" * 5000, "1.2.3.4:x:y", "[::"]
)
def test_a_hop_that_is_no_address_ends_the_search_at_the_proxy_that_wrote_it(junk: str) -> None:
    assert TRUSTED.client_of(PROXY, [f"1.2.3.4, {junk}".encode()]) == PROXY
    assert TRUSTED.client_of(PROXY, [f"1.2.3.4, {junk}, {SECOND_PROXY}".encode()]) == SECOND_PROXY


@pytest.mark.parametrize(
    ("hop", "client"),
    [
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("2001:0DB8:0:0::7", "2001:db8::7"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_ipv6_hops_are_read_in_every_spelling(hop: str, client: str) -> None:
    assert TRUSTED.client_of("fd00::2", [hop.encode()]) == client


def test_a_proxy_reached_over_a_mapped_address_is_the_same_proxy() -> None:
    assert TRUSTED.client_of("::ffff:172.18.0.2", [CLIENT.encode()]) == CLIENT


def test_when_every_hop_is_ours_the_farthest_is_the_client() -> None:
    assert TRUSTED.client_of("127.0.0.1", [f"{PROXY}, {SECOND_PROXY}".encode()]) == PROXY


@pytest.mark.parametrize("peer", [None, "", "/run/mostrador.sock"])
def test_a_peer_without_an_address_is_not_believed(peer: str | None) -> None:
    assert TRUSTED.client_of(peer, [CLIENT.encode()]) == peer


@pytest.mark.parametrize(
    ("host", "key"),
    [
        (CLIENT, CLIENT),
        ("::ffff:203.0.113.7", CLIENT),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        (None, "unknown"),
        ("socket", "unknown"),
    ],
)
def test_limits_count_an_ipv4_address_or_an_ipv6_subscriber(host: str | None, key: str) -> None:
    assert address_key(host) == key


@get("/who")
async def who(request: Request[Any, Any, Any]) -> dict[str, str]:
    return {"client": request.client.host if request.client else "", "scheme": request.scope["scheme"]}


@pytest.mark.parametrize(
    ("peer", "seen"),
    [(PROXY, {"client": CLIENT, "scheme": "https"}), (STRANGER, {"client": STRANGER, "scheme": "http"})],
)
async def test_handlers_see_the_client_that_a_trusted_proxy_names(peer: str, seen: dict[str, str]) -> None:
    app = Litestar([who])
    install_edge(app, [ClientAddress([PROXY])])
    transport = httpx.ASGITransport(app, client=(peer, 4711))  # type: ignore[arg-type]  # Litestar types its scopes more narrowly
    headers = {"X-Forwarded-For": f"10.0.0.1, {CLIENT}", "X-Forwarded-Proto": "https", "X-Real-IP": "9.9.9.9"}
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.example") as client:
        assert (await client.get("/who", headers=headers)).json() == seen


@pytest.mark.parametrize("scheme", ["javascript", "https, http", ""])
async def test_a_scheme_that_is_none_is_not_taken_over(scheme: str) -> None:
    app = Litestar([who])
    install_edge(app, [ClientAddress([PROXY])])
    transport = httpx.ASGITransport(app, client=(PROXY, 4711))  # type: ignore[arg-type]  # as above
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.example") as client:
        answer = await client.get("/who", headers={"X-Forwarded-Proto": scheme})
    assert answer.json() == {"client": PROXY, "scheme": "http"}
