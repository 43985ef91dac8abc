"""The built panel: its page for every address a browser opens, its files, and a plain word where it was not built."""

import asyncio
import gzip
import hashlib
import mimetypes
import re
from pathlib import Path
from typing import Final

import msgspec
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

__all__ = ["Panel"]

# What answers these itself. Everything else that a browser opens as a page is the panel, which knows its own addresses.
_OTHERS: Final = ("/api", "/webhooks", "/media", "/schema", "/metrics", "/healthz", "/livez", "/readyz")
_SIMULATOR: Final = ("/simulator/graph", "/simulator/control")  # beside the panel's own page /simulator
_ASSETS: Final = "/assets/"
_ASSET = re.compile(r"/assets/[A-Za-z0-9_$.-]+")
_HASHED = re.compile(r"-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$")  # Vite writes what a file holds into its name
_COMPRESSED: Final = frozenset({".css", ".html", ".js", ".json", ".svg"})
_ROBOTS: Final = b"User-agent: *\nDisallow: /\n"
_NOT_BUILT: Final = b"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Mostrador</title>
<h1>The panel is not built</h1>
<p>In the folder of Mostrador, say <code>make ui</code>, then open this page again.
The server need not be restarted.</p>
<p>The API works without it: <a href="/schema/openapi.json">its document</a>.</p>
</html>
"""


class _File(msgspec.Struct, frozen=True):
    body: bytes
    zipped: bytes | None
    media_type: bytes
    etag: bytes


class Panel(ASGIMiddleware):
    """Serve the files of `folder` (`frontend/dist`) under `/assets/`, and its page where a browser asks for a page.

    A missing asset is 404 and never the page: a script that is HTML would be a riddle. Files whose name says what they
    hold may be kept for a year; the page is asked for each time. Files are read and compressed once.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, tuple[int, _File]] = {}

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        path = scope["path"]
        if scope.get("method") not in {"GET", "HEAD"}:
            await next_app(scope, receive, send)
        elif path == "/robots.txt":
            await _answer(scope, send, 200, _plain(_ROBOTS), b"public, max-age=86400")
        elif path.startswith(_ASSETS):
            await self._asset(scope, send)
        elif _is_page(scope):
            await self._page(scope, send)
        else:
            await next_app(scope, receive, send)

    async def _asset(self, scope: Scope, send: Send) -> None:
        path = scope["path"]
        found = await self._read(path.removeprefix("/")) if _ASSET.fullmatch(path) else None
        if found is None:
            await _answer(scope, send, 404, _plain(b"Not found\n"), b"no-store")
            return
        kept = b"public, max-age=31536000, immutable" if _HASHED.search(path) else b"no-cache"
        await _answer(scope, send, 200, found, kept)

    async def _page(self, scope: Scope, send: Send) -> None:
        found = await self._read("index.html")
        if found is None:
            page = _File(_NOT_BUILT, None, b"text/html; charset=utf-8", _etag(_NOT_BUILT))
            await _answer(scope, send, 503, page, b"no-store")
            return
        await _answer(scope, send, 200, found, b"no-cache")

    async def _read(self, name: str) -> _File | None:
        """Return a file of the folder; a build that replaced it is seen at once."""
        path = self._folder / name
        try:
            changed = (await asyncio.to_thread(path.stat)).st_mtime_ns
            kept = self._files.get(name)
            if kept is None or kept[0] != changed:
                kept = (changed, await asyncio.to_thread(_load, path))
                self._files[name] = kept
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        return kept[1]


def _is_page(scope: Scope) -> bool:
    """Tell whether a browser opens this address as a page. Programs do not ask for `text/html`, but may ask for /."""
    path = scope["path"]
    if path == "/":
        return True
    if any(path == other or path.startswith(f"{other}/") for other in (*_OTHERS, *_SIMULATOR)):
        return False
    return b"text/html" in _header(scope, b"accept")


def _load(path: Path) -> _File:
    body = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if media_type.startswith("text/"):
        media_type += "; charset=utf-8"
    zipped = gzip.compress(body, 6, mtime=0) if path.suffix in _COMPRESSED else None
    return _File(body, zipped, media_type.encode(), _etag(body))


def _plain(body: bytes) -> _File:
    return _File(body, None, b"text/plain; charset=utf-8", _etag(body))


def _etag(body: bytes) -> bytes:
    return b'W/"' + hashlib.sha256(body).hexdigest()[:20].encode() + b'"'


async def _answer(scope: Scope, send: Send, status: int, file: _File, kept: bytes) -> None:
    headers = [(b"content-type", file.media_type), (b"cache-control", kept), (b"etag", file.etag)]
    body = file.body
    if file.zipped is not None:
        headers.append((b"vary", b"accept-encoding"))
        if b"gzip" in _header(scope, b"accept-encoding"):
            headers.append((b"content-encoding", b"gzip"))
            body = file.zipped
    if status == 200 and file.etag in _header(scope, b"if-none-match"):  # noqa: PLR2004  # the status itself
        status, body = 304, b""
    else:
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    without_body = scope.get("method") == "HEAD"
    await send({"type": "http.response.body", "body": b"" if without_body else body, "more_body": False})


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")
