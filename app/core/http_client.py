"""The one door to other machines over HTTP, and the only file that knows httpx and aiohttp.

aiohttp carries the calls (a twenty-fifth of the CPU of httpx's own transport at 100 connections, a third of httpx over
aiohttp); httpx judges URLs, trusts certificates and unpacks what is compressed. Every failure is sorted by its cause
into `NotSent` and `MaybeSent`, because a sender may repeat the first and never the second.
"""

import asyncio
import hashlib
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import BinaryIO, NoReturn, Protocol

import aiohttp
import httpx
import msgspec
import yarl
from aiohttp.abc import AbstractResolver, ResolveResult

from app.core.http_files import FilePart, multipart_body

__all__ = [
    "Downloaded",
    "FilePart",
    "HttpClient",
    "HttpError",
    "HttpResponse",
    "MaybeSent",
    "NotSent",
]

_MEBIBYTE = 1024 * 1024
_FILE_CHUNK_BYTES = 256 * 1024
_REFUSAL_BYTES = 64 * 1024
_BODYLESS_STATUSES = frozenset({204, 304})


class HttpResponse(msgspec.Struct, frozen=True):
    """A whole answer, whatever its status. Header names are lower case; repeated headers are joined by `, `."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Downloaded(msgspec.Struct, frozen=True):
    """What became of a download. Only a 2xx body reaches the sink.

    `size_bytes` and `sha256` (hexadecimal) describe what was written to the sink; `refusal` holds the first 64 KiB of
    the body of any other status, so that the caller can read the error in it.
    """

    status: int
    headers: Mapping[str, str]
    size_bytes: int
    sha256: str
    refusal: bytes = b""


class HttpError(Exception):
    """No complete answer came. `reason` is a short code.

    One of `bad_url`, `blocked`, `refused`, `dns`, `tls`, `connect_timeout` (all `NotSent`) or `timeout`, `reset`,
    `truncated`, `not_http`, `too_large`, `connection` (all `MaybeSent`).
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class NotSent(HttpError):
    """Provably no byte of the request left this machine: the same request may be sent again."""


class MaybeSent(HttpError):
    """The other side may have seen the request and acted on it."""


# The first class that fits says what happened, so subclasses stand before their bases.
_TRUTH: tuple[tuple[type[BaseException], type[HttpError], str], ...] = (
    (aiohttp.ClientConnectorDNSError, NotSent, "dns"),
    (aiohttp.ClientSSLError, NotSent, "tls"),
    (aiohttp.ClientConnectorError, NotSent, "refused"),
    (aiohttp.ConnectionTimeoutError, NotSent, "connect_timeout"),
    (aiohttp.InvalidURL, NotSent, "bad_url"),
    (aiohttp.ServerTimeoutError, MaybeSent, "timeout"),
    (aiohttp.ClientPayloadError, MaybeSent, "truncated"),
    (aiohttp.ClientResponseError, MaybeSent, "not_http"),
    (aiohttp.ServerDisconnectedError, MaybeSent, "reset"),
    (OSError, MaybeSent, "reset"),
)


class BinaryWriter(Protocol):
    """Where a download goes: `write` is called in a thread, one call at a time."""

    def write(self, data: bytes, /) -> object: ...


AddressGuard = Callable[[str], bool]
LookUp = Callable[[str, int], Awaitable[Sequence[str]]]


class TargetGuard(Protocol):
    """Tells whether a request may be made for a URL of these parts."""

    def __call__(self, scheme: str, host: str, port: int | None, *, userinfo: bool) -> bool: ...


class HttpClient:
    """A pool of HTTP/1.1 connections, one for each process. No cookies, no redirects, no proxies from the environment.

    `address_guard` makes it safe for addresses that a user can set: it is asked for every IP address that a name
    resolves to (and for IP literals) and answers whether we may connect there; a refusal is `NotSent("blocked")`.
    `target_guard` is asked first, about the parts of the URL. `look_up` replaces the system's resolver: it returns the
    IP addresses of a name.
    The pool is opened by the first request and belongs to the event loop of that request.
    """

    def __init__(
        self,
        *,
        user_agent: str = "Mostrador/0.1.0",
        ssl_context: ssl.SSLContext | None = None,
        address_guard: AddressGuard | None = None,
        target_guard: TargetGuard | None = None,
        look_up: LookUp | None = None,
    ) -> None:
        self._base_headers = {"user-agent": user_agent, "accept": "*/*", "accept-encoding": "identity"}
        self._address_guard = address_guard
        self._target_guard = target_guard
        tls = ssl_context or httpx.create_ssl_context(trust_env=False)
        self._open_session = partial(_open_session, tls, address_guard, look_up)
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        files: Sequence[FilePart] | None = None,
        timeout_seconds: float,
        connect_timeout_seconds: float = 5,
        max_response_bytes: int = 8 * _MEBIBYTE,
    ) -> HttpResponse:
        """Send one request and read the whole answer within `timeout_seconds`, whatever the answer's pace.

        Give `content` or `files`, not both. Every status is an answer, not an error.

        Raises:
            NotSent: nothing left; the same request may be repeated.
            MaybeSent: anything else that kept a complete answer of at most `max_response_bytes` from coming.

        """
        connect_seconds = min(connect_timeout_seconds, timeout_seconds)
        try:
            async with asyncio.timeout(timeout_seconds):
                async with self._answer(method, url, headers, content, files, connect_seconds) as response:
                    body = await _read_body(response, method, max_response_bytes)
        except TimeoutError as error:
            raise MaybeSent("timeout", f"no complete answer in {timeout_seconds:.1f} s") from error
        return HttpResponse(response.status, _plain_headers(response), body)

    async def download(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        sink: Path | BinaryWriter,
        timeout_seconds: float,
        max_bytes: int,
        connect_timeout_seconds: float = 5,
    ) -> Downloaded:
        """GET `url` and stream a 2xx body into `sink`, hashing it on the way; writing happens in a thread.

        A `Path` is created or overwritten, and removed again if the download fails or is refused. A writer is left
        as it is.

        Raises:
            NotSent: nothing left.
            MaybeSent: the body broke off, came too slowly, or is larger than `max_bytes` (`too_large`).
            OSError: the sink cannot be written.

        """
        if not isinstance(sink, Path):
            return await self._download(url, headers, sink, timeout_seconds, connect_timeout_seconds, max_bytes)
        file = await asyncio.to_thread(sink.open, "wb")
        kept = False
        try:
            done = await self._download(url, headers, file, timeout_seconds, connect_timeout_seconds, max_bytes)
            kept = 200 <= done.status < 300  # noqa: PLR2004 - the 2xx class of RFC 9110
            return done
        finally:
            await asyncio.shield(asyncio.to_thread(_close, file, None if kept else sink))

    async def aclose(self) -> None:
        """Close every connection. Requests under way fail."""
        if self._session is not None:
            await self._session.close()

    async def _download(
        self,
        url: str,
        headers: Mapping[str, str] | None,
        writer: BinaryWriter,
        timeout_seconds: float,
        connect_timeout_seconds: float,
        max_bytes: int,
    ) -> Downloaded:
        connect_seconds = min(connect_timeout_seconds, timeout_seconds)
        try:
            async with asyncio.timeout(timeout_seconds):
                async with self._answer("GET", url, headers, None, None, connect_seconds) as response:
                    if not 200 <= response.status < 300:  # noqa: PLR2004 - the 2xx class of RFC 9110
                        refusal = await _read_prefix(response, _REFUSAL_BYTES)
                        return Downloaded(response.status, _plain_headers(response), 0, "", refusal)
                    size_bytes, sha256 = await _pour(response, writer, max_bytes)
        except TimeoutError as error:
            raise MaybeSent("timeout", f"no complete body in {timeout_seconds:.1f} s") from error
        return Downloaded(response.status, _plain_headers(response), size_bytes, sha256)

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        content: bytes | None,
        files: Sequence[FilePart] | None,
        connect_seconds: float,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request; give its answer, whose body is still to be read. Leaving the block frees the connection."""
        target = _parse_url(url)
        self._check(target)
        all_headers = self._base_headers.copy()
        for name, value in (headers or {}).items():
            all_headers[name.lower()] = value
        body: bytes | AsyncIterator[bytes] | None = content or None
        if files is not None:
            body, form_headers = await multipart_body(files)
            all_headers.update(form_headers)
        if self._session is None:
            self._session = self._open_session()
        try:
            response = await self._session.request(
                method,
                target.address,
                headers=all_headers,
                data=body,
                allow_redirects=False,
                auto_decompress=False,
                timeout=_connect_timeout(connect_seconds),
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            _raise_sorted(error)
        async with response:
            yield response

    def _check(self, target: "_Target") -> None:
        """Ask the guards about the URL as it will be used. Names are judged when they are resolved."""
        if self._target_guard is not None and not self._target_guard(
            target.scheme, target.host, target.port, userinfo=target.has_userinfo
        ):
            raise NotSent("blocked", "this address may not be called")
        if self._address_guard is None or not _skips_resolver(target.host):
            return
        if not _is_ip(target.host) or not self._address_guard(target.host):
            raise NotSent("blocked", "this address may not be called")


class _Target(msgspec.Struct, frozen=True):
    """A URL that may be called, in parts and as aiohttp takes it."""

    scheme: str
    host: str
    port: int | None
    has_userinfo: bool
    address: yarl.URL


@lru_cache(maxsize=512)
def _parse_url(url: str) -> _Target:
    """Raises `NotSent` for one that cannot be called."""
    try:
        parsed = httpx.URL(url)
        address = yarl.URL(str(parsed))
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise NotSent("bad_url", str(error)) from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise NotSent("bad_url", "only http and https addresses with a host can be called")
    return _Target(parsed.scheme, parsed.host, parsed.port, bool(parsed.userinfo), address)


@lru_cache(maxsize=64)
def _connect_timeout(seconds: float) -> aiohttp.ClientTimeout:
    """No read time-out: the caller's asyncio.timeout ends the whole call, dripping answers included."""
    return aiohttp.ClientTimeout(total=None, connect=seconds, sock_connect=seconds)


def _raise_sorted(error: Exception) -> NoReturn:
    """Turn a failure of aiohttp into ours by its class (table of reference/llm.md 2.2)."""
    if isinstance(error, aiohttp.ClientConnectorDNSError) and isinstance(error.os_error, _Blocked):
        raise NotSent("blocked", "this name leads to an address that may not be called") from error
    for kind, ours, reason in _TRUTH:
        if isinstance(error, kind):
            raise ours(reason, type(error).__name__) from error
    raise MaybeSent("connection", type(error).__name__) from error


async def _read_body(response: aiohttp.ClientResponse, method: str, max_bytes: int) -> bytes:
    if method == "HEAD" or response.status in _BODYLESS_STATUSES:
        return b""
    chunks = []
    size_bytes = 0
    async for chunk in _chunks(response, max_bytes):
        size_bytes += len(chunk)
        if size_bytes > max_bytes:
            raise MaybeSent("too_large", f"the answer is larger than {max_bytes} bytes")
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _read_prefix(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """Read up to `max_bytes`; a refusal that breaks off is still a refusal."""
    prefix = bytearray()
    try:
        async for chunk in _decoded(response):
            prefix += chunk
            if len(prefix) >= max_bytes:
                break
    except MaybeSent:
        pass
    return bytes(prefix[:max_bytes])


async def _pour(response: aiohttp.ClientResponse, writer: BinaryWriter, max_bytes: int) -> tuple[int, str]:
    """Write the body in pieces of about 256 KiB, so that a thread is asked a few times and not for every packet."""
    digest = hashlib.sha256()
    size_bytes = 0
    piece = bytearray()
    async for chunk in _chunks(response, max_bytes):
        size_bytes += len(chunk)
        if size_bytes > max_bytes:
            raise MaybeSent("too_large", f"the body is larger than {max_bytes} bytes")
        piece += chunk
        if len(piece) >= _FILE_CHUNK_BYTES:
            await asyncio.to_thread(_write_and_hash, writer, digest.update, bytes(piece))
            piece.clear()
    if piece:
        await asyncio.to_thread(_write_and_hash, writer, digest.update, bytes(piece))
    return size_bytes, digest.hexdigest()


async def _chunks(response: aiohttp.ClientResponse, max_bytes: int) -> AsyncIterator[bytes]:
    """Yield the body, refusing at once one whose announced length is too large."""
    announced = response.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise MaybeSent("too_large", f"{announced} bytes are announced, {max_bytes} are allowed")
    async for chunk in _decoded(response):
        yield chunk


async def _decoded(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Yield the body's bytes; a server that compresses although we asked it not to is understood."""
    source: AsyncIterator[bytes] = response.content.iter_any()
    if "content-encoding" in response.headers:
        source = httpx.Response(response.status, headers=response.raw_headers, content=source).aiter_bytes()
    try:
        async for chunk in source:
            yield chunk
    except (httpx.HTTPError, aiohttp.ClientError, OSError) as error:
        _raise_sorted(error)


def _write_and_hash(writer: BinaryWriter, update: Callable[[bytes], None], piece: bytes) -> None:
    writer.write(piece)
    update(piece)


def _close(file: BinaryIO, remove: Path | None) -> None:
    try:
        file.close()
    finally:
        if remove is not None:
            remove.unlink(missing_ok=True)


def _plain_headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    plain: dict[str, str] = {}
    for raw_name, raw_value in response.raw_headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        plain[name] = f"{plain[name]}, {value}" if name in plain else value
    return plain


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _skips_resolver(host: str) -> bool:
    """Tell whether aiohttp takes this host for an address that needs no resolver (its `helpers.is_ip_address`)."""
    return ":" in host or host.replace(".", "").isdigit()


def _open_session(
    tls: ssl.SSLContext, address_guard: AddressGuard | None, look_up: LookUp | None
) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        limit=256,
        limit_per_host=64,
        keepalive_timeout=60,
        ttl_dns_cache=300,
        ssl=tls,
        resolver=None if address_guard is None and look_up is None else _GuardedResolver(address_guard, look_up),
    )
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)


class _Blocked(OSError):
    """The name resolves to no address that may be called."""


class _GuardedResolver(AbstractResolver):
    """Resolves names and keeps only the addresses that the guard allows (SSRF, reliability.md section 7).

    aiohttp connects to the very addresses returned here, so a name cannot change its mind between check and use.
    """

    def __init__(self, address_guard: AddressGuard | None, look_up: LookUp | None) -> None:
        self._address_guard = address_guard
        self._look_up = look_up
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._found(host, port, family)
        guard = self._address_guard
        allowed = found if guard is None else [entry for entry in found if guard(entry["host"])]
        if not allowed:
            raise _Blocked("no allowed address")
        return allowed

    async def _found(self, host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        if self._look_up is None:
            return await self._resolver.resolve(host, port, family)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in await self._look_up(host, port)
        ]

    async def close(self) -> None:
        await self._resolver.close()
