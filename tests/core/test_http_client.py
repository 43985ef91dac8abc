import asyncio
import hashlib
import io
import socket
import ssl
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.core.http_client import FilePart, HttpClient, HttpError, MaybeSent, NotSent

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Callable[[Callable[[], Awaitable[None]]], None]:
    def run_in_loop(scenario: Callable[[], Awaitable[None]]) -> None:
        async def main() -> None:
            await scenario()

        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            runner.run(main())

    return run_in_loop


@asynccontextmanager
async def tcp_server(handler: Handler) -> AsyncIterator[str]:
    """Serve `handler` on a free port of this machine; yields `127.0.0.1:port`."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.CancelledError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


async def read_request(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = 0
    for line in head.lower().split("\r\n"):
        if line.startswith("content-length:"):
            length = int(line.partition(":")[2])
    return head, await reader.readexactly(length)


def answering(*pieces: bytes) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            writer.writelines(pieces)
            await writer.drain()

    return handler


async def hang(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read(-1)


async def close_after_request(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await read_request(reader)


async def reset_after_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def answer_once_then_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
    await read_request(reader)


def self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "certificate.pem"
    path.write_bytes(private + certificate.public_bytes(pem))
    return path


async def post(client: HttpClient, url: str, timeout_seconds: float = 5, connect_seconds: float = 5) -> None:
    await client.request(
        "POST", url, content=b"{}", timeout_seconds=timeout_seconds, connect_timeout_seconds=connect_seconds
    )


@pytest.mark.parametrize(
    ("handler", "scheme", "error", "reason"),
    [
        (hang, "https", NotSent, "connect_timeout"),
        (answering(b"plain text\r\n"), "https", NotSent, "tls"),
        (close_after_request, "http", MaybeSent, "reset"),
        (reset_after_request, "http", MaybeSent, "reset"),
        (hang, "http", MaybeSent, "timeout"),
        (answering(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\ncut", b""), "http", MaybeSent, "timeout"),
        (answering(b"SSH-2.0-OpenSSH_9.2\r\n"), "http", MaybeSent, "not_http"),
    ],
)
def test_a_failure_is_sorted_by_whether_the_request_may_have_left(
    run: Callable[[Callable[[], Awaitable[None]]], None],
    handler: Handler,
    scheme: str,
    error: type[HttpError],
    reason: str,
) -> None:
    async def scenario() -> None:
        # A TLS peer that answers in plain text needs no request to show it.
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if reason == "tls":
                writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await handler(reader, writer)

        async with tcp_server(serve) as address, aclosing(HttpClient()) as client:
            with pytest.raises(error) as caught:
                await post(client, f"{scheme}://{address}/", timeout_seconds=0.4, connect_seconds=0.2)
        assert caught.value.reason == reason

    run(scenario)


def test_a_body_cut_short_may_have_been_sent(run: Callable[[Callable[[], Awaitable[None]]], None]) -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\ncut")

    async def scenario() -> None:
        async with tcp_server(cut) as address, aclosing(HttpClient()) as client:
            with pytest.raises(MaybeSent) as caught:
                await post(client, f"http://{address}/")
        assert caught.value.reason == "truncated"

    run(scenario)


def test_a_refused_connection_was_not_sent(run: Callable[[Callable[[], Awaitable[None]]], None]) -> None:
    async def scenario() -> None:
        with socket.socket() as unheard:
            unheard.bind(("127.0.0.1", 0))
            async with aclosing(HttpClient()) as client:
                with pytest.raises(NotSent) as caught:
                    await post(client, f"http://127.0.0.1:{unheard.getsockname()[1]}/")
        assert caught.value.reason == "refused"

    run(scenario)


def test_a_name_that_does_not_resolve_was_not_sent(run: Callable[[Callable[[], Awaitable[None]]], None]) -> None:
    async def scenario() -> None:
        async with aclosing(HttpClient()) as client:
            with pytest.raises(NotSent) as caught:
                await post(client, "http://mostrador.invalid/")
        assert caught.value.reason == "dns"

    run(scenario)


def test_waiting_in_vain_for_a_free_connection_was_not_sent(
    run: Callable[[Callable[[], Awaitable[None]]], None],
) -> None:
    async def scenario() -> None:
        waiting = 0
        all_taken = asyncio.Event()

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal waiting
            waiting += 1
            if waiting == 64:
                all_taken.set()
            await hang(reader, writer)

        async with tcp_server(take) as address, aclosing(HttpClient()) as client:
            occupied = [asyncio.create_task(post(client, f"http://{address}/")) for _ in range(64)]
            try:
                await asyncio.wait_for(all_taken.wait(), 10)
                with pytest.raises(NotSent) as caught:
                    await post(client, f"http://{address}/", connect_seconds=0.2)
            finally:
                for task in occupied:
                    task.cancel()
                await asyncio.gather(*occupied, return_exceptions=True)
        assert caught.value.reason == "connect_timeout"

    run(scenario)


def test_a_kept_connection_that_dies_under_a_second_post_may_have_been_sent(
    run: Callable[[Callable[[], Awaitable[None]]], None],
) -> None:
    async def scenario() -> None:
        async with tcp_server(answer_once_then_close) as address, aclosing(HttpClient()) as client:
            await post(client, f"http://{address}/")
            with pytest.raises(MaybeSent) as caught:
                await post(client, f"http://{address}/")
        assert caught.value.reason == "reset"

    run(scenario)


def test_a_dripping_answer_ends_at_the_deadline(run: Callable[[Callable[[], Awaitable[None]]], None]) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    async def scenario() -> None:
        async with tcp_server(drip) as address, aclosing(HttpClient()) as client:
            clock = asyncio.get_running_loop().time
            began = clock()
            with pytest.raises(MaybeSent) as caught:
                await post(client, f"http://{address}/", timeout_seconds=0.3)
            assert clock() - began < 3
        assert caught.value.reason == "timeout"

    run(scenario)


@pytest.mark.parametrize(
    "url", ["", "nothing", "ftp://127.0.0.1/", "http://", "http://[::1", "http://h:port/", "http://h:99999/"]
)
async def test_an_address_that_is_none_is_refused_before_anything_leaves(url: str) -> None:
    async with aclosing(HttpClient()) as client:
        with pytest.raises(NotSent) as caught:
            await post(client, url)
    assert caught.value.reason == "bad_url"


async def test_an_answer_of_any_status_is_returned_whole() -> None:
    answer = b"HTTP/1.1 503 Unavailable\r\nRetry-After: 7\r\nx-a: 1\r\nX-A: 2\r\ncontent-length: 4\r\n\r\nlate"
    async with tcp_server(answering(answer)) as address, aclosing(HttpClient()) as client:
        response = await client.request("GET", f"http://{address}/", timeout_seconds=5)
    assert (response.status, response.body) == (503, b"late")
    assert response.headers["retry-after"] == "7"
    assert response.headers["x-a"] == "1, 2"


async def test_no_cookie_is_sent_back_and_no_redirect_followed() -> None:
    heads = []

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            heads.append((await read_request(reader))[0].lower())
            writer.write(b"HTTP/1.1 302 Found\r\nlocation: /b\r\nset-cookie: s=1; Path=/\r\ncontent-length: 0\r\n\r\n")

    async with tcp_server(redirect) as address, aclosing(HttpClient()) as client:
        for _ in range(2):
            assert (await client.request("GET", f"http://{address}/a", timeout_seconds=5)).status == 302
    assert len(heads) == 2
    assert all(head.startswith("get /a ") and "cookie" not in head for head in heads)


async def test_headers_of_the_caller_replace_ours_whatever_their_case() -> None:
    heads = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await read_request(reader))[0])
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async with tcp_server(note) as address, aclosing(HttpClient(user_agent="Ours/1")) as client:
        await client.request("GET", f"http://{address}/", headers={"User-Agent": "Theirs/2"}, timeout_seconds=5)
    assert heads[0].lower().count("user-agent") == 1
    assert "Theirs/2" in heads[0]


@pytest.mark.parametrize("head", [b"content-length: 5000\r\n", b"connection: close\r\n"])
async def test_an_answer_above_the_ceiling_is_too_large(head: bytes) -> None:
    async def large(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + b"x" * 5000)

    async with tcp_server(large) as address, aclosing(HttpClient()) as client:
        with pytest.raises(MaybeSent) as caught:
            await client.request("GET", f"http://{address}/", timeout_seconds=5, max_response_bytes=4000)
    assert caught.value.reason == "too_large"


async def test_a_compressed_answer_is_unpacked_and_its_ceiling_counts_unpacked_bytes() -> None:
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(b"a" * 100_000) + packer.flush()
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {len(packed)}\r\n\r\n".encode()
    async with tcp_server(answering(head, packed)) as address, aclosing(HttpClient()) as client:
        response = await client.request("GET", f"http://{address}/", timeout_seconds=5)
        assert response.body == b"a" * 100_000
        with pytest.raises(MaybeSent, match="too_large"):
            await client.request("GET", f"http://{address}/", timeout_seconds=5, max_response_bytes=50_000)


async def test_a_form_streams_files_with_its_length_announced(tmp_path: Path) -> None:
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(b"\xff\xd8" + bytes(600_000))
    received: list[tuple[str, bytes]] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await read_request(reader))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")

    parts = [
        FilePart(name="messaging_product", content=b"whatsapp"),
        FilePart(name="file", content=picture, filename='a"b\r\n.jpg', content_type="image/jpeg"),
    ]
    async with tcp_server(note) as address, aclosing(HttpClient()) as client:
        response = await client.request("POST", f"http://{address}/media", files=parts, timeout_seconds=5)
    assert response.status == 200
    head, body = received[0]
    assert "transfer-encoding" not in head.lower()
    boundary = head.partition("boundary=")[2].split("\r\n")[0].encode()
    first, second, end = body.split(b"--" + boundary)[1:]
    assert first == b'\r\nContent-Disposition: form-data; name="messaging_product"\r\n\r\nwhatsapp\r\n'
    assert b'filename="a%22b%0D%0A.jpg"\r\nContent-Type: image/jpeg\r\n\r\n' in second
    assert second.endswith(picture.read_bytes() + b"\r\n")
    assert end == b"--\r\n"


async def test_a_download_is_streamed_to_its_file_and_hashed(tmp_path: Path) -> None:
    content = bytes(range(256)) * 4096
    head = f"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: {len(content)}\r\n\r\n".encode()
    target = tmp_path / "media"
    async with tcp_server(answering(head, content)) as address, aclosing(HttpClient()) as client:
        done = await client.download(f"http://{address}/", sink=target, timeout_seconds=5, max_bytes=len(content))
    assert target.read_bytes() == content
    assert (done.status, done.size_bytes) == (200, len(content))
    assert done.sha256 == hashlib.sha256(content).hexdigest()
    assert done.headers["content-type"] == "image/png"


async def test_a_download_that_breaks_off_or_is_too_large_leaves_no_file(tmp_path: Path) -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\ncut")

    target = tmp_path / "media"
    async with tcp_server(cut) as address, aclosing(HttpClient()) as client:
        for max_bytes, reason in ((1000, "truncated"), (100, "too_large")):
            with pytest.raises(MaybeSent) as caught:
                await client.download(f"http://{address}/", sink=target, timeout_seconds=5, max_bytes=max_bytes)
            assert caught.value.reason == reason
            assert not target.exists()


async def test_a_refused_download_writes_nothing_and_shows_the_refusal(tmp_path: Path) -> None:
    answer = b'HTTP/1.1 404 Not Found\r\ncontent-length: 15\r\n\r\n{"error":"gone"}'[:-1]
    buffer, target = io.BytesIO(), tmp_path / "media"
    async with tcp_server(answering(answer)) as address, aclosing(HttpClient()) as client:
        for sink in (buffer, target):
            done = await client.download(f"http://{address}/", sink=sink, timeout_seconds=5, max_bytes=100)
            assert (done.status, done.size_bytes, done.refusal) == (404, 0, b'{"error":"gone"')
    assert buffer.getvalue() == b""
    assert not target.exists()


async def test_a_guard_refuses_addresses_written_out_and_addresses_behind_names() -> None:
    asked: list[str] = []

    def refuse(address: str) -> bool:
        asked.append(address)
        return False

    async with aclosing(HttpClient(address_guard=refuse)) as client:
        for host in ("127.0.0.1", "[::1]", "localhost"):
            with pytest.raises(NotSent, match="blocked"):
                await post(client, f"http://{host}:9/")
        for odd_spelling in ("127.1", "2130706433"):
            with pytest.raises(NotSent):
                await post(client, f"http://{odd_spelling}:9/")
    assert set(asked) <= {"127.0.0.1", "::1"}


async def test_a_guard_lets_allowed_addresses_through() -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    async with (
        tcp_server(answering(answer)) as address,
        aclosing(HttpClient(address_guard=lambda ip: ip == "127.0.0.1")) as client,
    ):
        by_name = address.replace("127.0.0.1", "localhost")
        assert (await client.request("GET", f"http://{by_name}/", timeout_seconds=5)).body == b"ok"


async def test_a_certificate_nobody_vouches_for_is_a_tls_failure_before_sending(tmp_path: Path) -> None:
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(self_signed(tmp_path))
    received: list[bytes] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read(-1))
        writer.close()

    server = await asyncio.start_server(note, "127.0.0.1", 0, ssl=server_side)
    try:
        async with aclosing(HttpClient()) as client:
            with pytest.raises(NotSent) as caught:
                await post(client, f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    finally:
        server.close()
    assert caught.value.reason == "tls"
    assert not any(received)


async def test_a_cancelled_call_frees_its_connection_for_nobody_else_to_misread() -> None:
    seen = 0
    arrived = asyncio.Event()
    release = asyncio.Event()

    async def late_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        await read_request(reader)
        seen += 1
        text = b"first" if seen == 1 else b"other"
        if seen == 1:
            arrived.set()
            await release.wait()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n" + text)
        await writer.drain()
        await reader.read(-1)

    async with tcp_server(late_first) as address, aclosing(HttpClient()) as client:
        task = asyncio.create_task(client.request("GET", f"http://{address}/", timeout_seconds=5))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        release.set()
        assert (await client.request("GET", f"http://{address}/", timeout_seconds=5)).body == b"other"
