"""Addresses that a user can set lead to the internet only, in whatever way they are written (reliability.md S16)."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

import pytest

from app.core.http_client import HttpClient, NotSent
from app.core.security.ssrf import OutsideRules, UnsafeAddress, is_on_the_internet

RULES = OutsideRules()

INSIDE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1",  # noqa: S104 - a string, not bound to
    "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "100.127.255.255", "192.0.0.192", "192.0.2.1",
    "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255", "168.63.129.16",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "ff0e::1",
    "2001:db8::1", "3fff::1", "100::1", "5f00::1", "64:ff9b:1::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:7f00:1", "::127.0.0.1",
    "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b::10.0.0.1",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:808:808::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "", "localhost", "1.2.3", "2130706433",
]  # fmt: skip
OUTSIDE = [
    "8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "169.253.1.1", "11.0.0.1",
    "2606:4700:4700::1111", "2a00:1450:4003::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_that_is_not_on_the_internet_is_refused(address: str) -> None:
    assert not is_on_the_internet(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_on_the_internet_is_allowed(address: str) -> None:
    assert is_on_the_internet(address)


@pytest.mark.parametrize(
    "url",
    ["https://example.com/hook", "http://example.com", "https://example.com:443/a?b=c", "https://8.8.8.8/x",
     "https://[2606:4700:4700::1111]/", "https://xn--caf-dma.example/", "HTTPS://Example.COM/"],
)  # fmt: skip
def test_a_url_on_the_internet_may_be_stored(url: str) -> None:
    assert RULES.check_url(url) == url


BAD_URLS = [
    "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "javascript:alert(1)", "//example.com/", "",
    "example.com", "https://", "https:///path", "https://user@example.com/", "https://user:secret@example.com/",
    "https://example.com@127.0.0.1/", "https://127.0.0.1#@example.com/", "https://example.com:22/",
    "https://example.com:8443/", "https://example.com:0/", "https://example.com:99999/", "https://example.com:x/",
    "http://127.0.0.1/", "http://2130706433/", "http://0177.0.0.1/", "http://0x7f.0.0.1/", "http://0x7f000001/",
    "http://127.1/", "http://127.0.1/", "http://0/", "http://00000177.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://[fe80::1%25eth0]/",
    "http://169.254.169.254/latest/meta-data/", "http://100.64.0.1/", "http://127.0.0.1./", "http://localhost/",
    "http://LOCALHOST./", "http://printer/", "http://db.internal/", "http://metadata.google.internal/",
    "http://a.localhost/", "http://nas.local/", "http://\uff11\uff12\uff17.0.0.1/", "http://127\u30020\u30020\u30021/", "http://\u24d4xample.com/",
    "https://exa mple.com/", "https://example.com\\@127.0.0.1/", "https://example.com/\r\nHost: x", "https://a.b/\x00",
    "https://example.com/" + "a" * 2048,
]  # fmt: skip


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_url_that_could_lead_inside_may_not_even_be_stored(url: str) -> None:
    with pytest.raises(UnsafeAddress) as refused:
        RULES.check_url(url, field="webhook_url")
    assert (refused.value.status, refused.value.field) == (422, "webhook_url")


@pytest.mark.parametrize("url", BAD_URLS)
async def test_a_url_that_got_stored_all_the_same_is_not_called(url: str) -> None:
    async with outside() as client:
        with pytest.raises(NotSent) as refused:
            await client.request("GET", url, timeout_seconds=5)
    assert refused.value.reason in {"blocked", "bad_url", "dns"}


@pytest.mark.parametrize("address", [address for address in INSIDE if "." in address or ":" in address])
async def test_a_name_that_leads_inside_is_not_called(address: str) -> None:
    async with outside([address]) as client:
        with pytest.raises(NotSent, match="blocked"):
            await client.request("GET", "https://rebind.example/", timeout_seconds=5)


def test_other_ports_are_for_the_configuration_to_open() -> None:
    assert OutsideRules(ports=[443, 8443]).check_url("https://example.com:8443/")
    with pytest.raises(UnsafeAddress):
        OutsideRules(ports=[443]).check_url("http://example.com/")


async def test_the_address_that_was_checked_is_the_one_connected_to() -> None:
    """A resolver that changes its mind between check and use gains nothing: there is no second look-up."""
    async with two_servers() as (port, called):
        resolver = Rebinding([["127.0.0.2"], ["127.0.0.1"], ["127.0.0.1"]])
        guard_asked: list[str] = []

        def only_the_second(address: str) -> bool:
            guard_asked.append(address)
            return address == "127.0.0.2"

        async with aclosing(HttpClient(address_guard=only_the_second, look_up=resolver)) as client:
            answer = await client.request("GET", f"http://rebind.example:{port}/", timeout_seconds=5)
        assert answer.body == b"127.0.0.2"
        assert called == ["127.0.0.2"]
        assert guard_asked == ["127.0.0.2"]
        assert resolver.asked == 1


async def test_a_name_that_moved_inside_is_refused_at_its_next_use() -> None:
    async with two_servers() as (port, called):
        for address in ("127.0.0.2", "127.0.0.1"):
            client = HttpClient(address_guard=lambda ip: ip == "127.0.0.2", look_up=Rebinding([[address]]))
            async with aclosing(client):
                if address == "127.0.0.2":
                    await client.request("GET", f"http://rebind.example:{port}/", timeout_seconds=5)
                    continue
                with pytest.raises(NotSent, match="blocked"):
                    await client.request("GET", f"http://rebind.example:{port}/", timeout_seconds=5)
        assert called == ["127.0.0.2"]


async def test_of_several_addresses_only_the_allowed_ones_are_tried() -> None:
    async with two_servers() as (port, called):
        client = HttpClient(
            address_guard=lambda ip: ip == "127.0.0.2", look_up=Rebinding([["127.0.0.1", "127.0.0.2", "::1"]])
        )
        async with aclosing(client):
            await client.request("GET", f"http://rebind.example:{port}/", timeout_seconds=5)
        assert called == ["127.0.0.2"]


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async with two_servers(b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n") as (
        port,
        called,
    ):
        client = HttpClient(address_guard=lambda ip: ip == "127.0.0.2", look_up=Rebinding([["127.0.0.2"]]))
        async with aclosing(client):
            answer = await client.request("GET", f"http://rebind.example:{port}/", timeout_seconds=5)
        assert (answer.status, answer.headers["location"]) == (302, "http://169.254.169.254/")
        assert called == ["127.0.0.2"]


class Rebinding:
    """A resolver that answers something else each time it is asked."""

    def __init__(self, answers: Sequence[Sequence[str]]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self._answers[min(self.asked, len(self._answers)) - 1]


@asynccontextmanager
async def outside(addresses: Sequence[str] = ("127.0.0.1",)) -> AsyncIterator[HttpClient]:
    client = HttpClient(
        address_guard=RULES.allows_address, target_guard=RULES.allows_target, look_up=Rebinding([addresses])
    )
    async with aclosing(client):
        yield client


@asynccontextmanager
async def two_servers(answer: bytes | None = None) -> AsyncIterator[tuple[int, list[str]]]:
    """Serve on 127.0.0.1 and 127.0.0.2, on one port; yields it and the list of the addresses that were called."""
    called: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        own: str = writer.get_extra_info("sockname")[0]
        called.append(own)
        plain = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(own), own.encode())
        writer.write(answer or plain)
        await writer.drain()
        writer.close()

    with socket.create_server(("127.0.0.2", 0)) as second:
        port = second.getsockname()[1]
        servers = [
            await asyncio.start_server(serve, "127.0.0.1", port),
            await asyncio.start_server(serve, sock=second),
        ]
        try:
            yield port, called
        finally:
            for server in servers:
                server.close()
