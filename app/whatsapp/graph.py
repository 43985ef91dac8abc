"""Client of Meta's Graph API, as far as WhatsApp needs it. Every answer is treated as written by a stranger.

Sources: Meta, Cloud API reference (messages, media, phone numbers, message templates), v23.0 to v26.0.
"""

import asyncio
import hmac
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from app.core.http_client import FilePart, HttpClient, HttpError, HttpResponse, MaybeSent, NotSent
from app.whatsapp.answers import call_failure, digest_of, send_outcome
from app.whatsapp.errors import CallUnavailable, MediaUnavailable, SendNotAttempted, SendUnknown
from app.whatsapp.identifiers import identifier
from app.whatsapp.repair import clean, lenient, objects_in
from app.whatsapp.transport import Accepted, ChannelAccess

__all__ = ["ChannelAccess", "FetchedMedia", "GraphClient", "MediaInfo", "PhoneNumber", "TemplateInfo"]

_T = TypeVar("_T", bound=msgspec.Struct)

_MOST_ANSWER_BYTES = 1024 * 1024
_MOST_TEMPLATE_PAGES = 100
_TEMPLATES_A_PAGE = 100
_TEMPLATE_FIELDS = "id,name,language,status,category,parameter_format,components"
_PHONE_FIELDS = "display_phone_number,verified_name,quality_rating,status,platform_type,is_on_biz_app,throughput"
_CALL_SECONDS = 15.0
_EXPIRED = frozenset({404, 410})
_META_HOSTS = (".fbsbx.com", ".fbcdn.net", ".facebook.com", ".whatsapp.net")
_MESSAGES_A_SECOND, _COEXISTENCE_MESSAGES_A_SECOND, _HIGH_MESSAGES_A_SECOND = 80, 20, 1000


class MediaInfo(msgspec.Struct, frozen=True):
    """Where a file can be fetched within five minutes. `digest` is its SHA-256 where Meta gives a usable one."""

    url: str
    mime_type: str | None
    digest: bytes | None
    size_bytes: int | None


class FetchedMedia(msgspec.Struct, frozen=True):
    """A file on our disk. `mime_type` is Meta's word: sniff before believing it. `sha256` is hexadecimal."""

    size_bytes: int
    sha256: str
    mime_type: str | None


class PhoneNumber(msgspec.Struct, frozen=True):
    """One of our numbers as Meta describes it; `quality` is GREEN, YELLOW, RED or UNKNOWN.

    `messages_a_second` counts in both directions (whatsapp.md A2, limits).
    """

    display_phone_number: str | None
    verified_name: str | None
    quality: str | None
    status: str | None
    coexistence: bool
    messages_a_second: int


class TemplateInfo(msgspec.Struct, frozen=True):
    """A template as Meta keeps it; only those with `status` APPROVED can be sent. `components` is a JSON array."""

    id: str
    name: str
    language: str
    status: str
    category: str
    parameter_format: str
    components: bytes


class _Media(msgspec.Struct):
    id: str | None = None
    url: str | None = None
    mime_type: str | None = None
    sha256: str | None = None
    file_size: int | str | None = None


class _Throughput(msgspec.Struct):
    level: str | None = None


class _Phone(msgspec.Struct):
    display_phone_number: str | None = None
    verified_name: str | None = None
    quality_rating: str | None = None
    status: str | None = None
    platform_type: str | None = None
    is_on_biz_app: bool | None = None
    throughput: _Throughput | None = None


class _Template(msgspec.Struct):
    id: str | None = None
    name: str | None = None
    language: str | None = None
    status: str | None = None
    category: str | None = None
    parameter_format: str | None = None
    components: msgspec.Raw = msgspec.Raw()


class _Cursors(msgspec.Struct):
    after: str | None = None


class _Paging(msgspec.Struct):
    cursors: _Cursors | None = None
    next: str | None = None


class _Page(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw()
    paging: _Paging | None = None


class _Done(msgspec.Struct):
    success: bool | None = None


class GraphClient:
    """Speaks to Graph for any channel. Never repeats a call, except that an expired media address is asked for anew.

    `outside` is the client for addresses that an answer names: it reaches the public internet only. Files that lie on
    the Graph server itself are fetched from there by `http`, wherever the configuration says it is.
    """

    def __init__(self, http: HttpClient, outside: HttpClient | None = None) -> None:
        self._http = http
        self._outside = outside or http

    async def send_message(self, channel: ChannelAccess, body: bytes, *, timeout_seconds: float) -> Accepted:
        """POST a message.

        Raises:
            SendNotAttempted, SendRejected, SendUnknown: as `Transport.send` says.

        """
        try:
            response = await self._http.request(
                "POST",
                f"{_number_url(channel)}/messages",
                headers={"authorization": f"Bearer {channel.token}", "content-type": "application/json"},
                content=body,
                timeout_seconds=timeout_seconds,
                max_response_bytes=_MOST_ANSWER_BYTES,
            )
        except NotSent as error:
            raise SendNotAttempted(error.reason) from error
        except MaybeSent as error:
            raise SendUnknown(error.reason) from error
        return send_outcome(response)

    async def mark_read(self, channel: ChannelAccess, body: bytes, *, timeout_seconds: float) -> None:
        """POST a read receipt.

        Raises:
            CallRefused, CallUnavailable: it was not taken.

        """
        url = f"{_number_url(channel)}/messages"
        await self._call(channel, "POST", url, _Done, content=body, timeout_seconds=timeout_seconds)

    async def upload_media(
        self,
        channel: ChannelAccess,
        content: bytes | Path,
        mime_type: str,
        *,
        filename: str = "file",
        timeout_seconds: float = 120,
    ) -> str:
        """Upload a file that `media_rules.check_file` has passed; return its media id, good for 30 days.

        Raises:
            CallRefused, CallUnavailable: it was not taken.

        """
        form = [
            FilePart(name="messaging_product", content=b"whatsapp"),
            FilePart(name="type", content=mime_type.encode()),
            FilePart(name="file", content=content, filename=filename, content_type=mime_type),
        ]
        url = f"{_number_url(channel)}/media"
        media = await self._call(channel, "POST", url, _Media, files=form, timeout_seconds=timeout_seconds)
        media_id = identifier(media.id)
        if media_id is None:
            raise CallUnavailable("no_media_id")
        return media_id

    async def media_info(self, channel: ChannelAccess, media_id: str) -> MediaInfo:
        """Ask where a file can be fetched.

        Raises:
            MediaUnavailable: the answer holds no address that our token may be sent to.
            CallRefused, CallUnavailable: no answer.

        """
        media = await self._call(channel, "GET", _media_url(channel, media_id), _Media)
        if media.url is None or not _may_have_token(media.url, channel):
            raise MediaUnavailable("unreadable_answer")
        size = media.file_size
        size_bytes = int(size) if isinstance(size, int) or (isinstance(size, str) and _is_count(size)) else None
        return MediaInfo(media.url, media.mime_type, digest_of(media.sha256), size_bytes)

    async def download_media(
        self, channel: ChannelAccess, media_id: str, sink: Path, *, max_bytes: int, timeout_seconds: float = 120
    ) -> FetchedMedia:
        """Fetch a file into `sink`, checking its size and digest; `sink` is not left behind if that fails.

        Raises:
            MediaUnavailable: `gone`, `too_large`, `corrupt`, `unreadable_answer`.
            CallRefused, CallUnavailable: no file this time.
            OSError: the sink cannot be written.

        """
        for _ in range(2):
            info = await self.media_info(channel, media_id)
            if info.size_bytes is not None and info.size_bytes > max_bytes:
                raise MediaUnavailable("too_large")
            fetched = await self._fetch(channel, info, sink, max_bytes, timeout_seconds)
            if fetched is not None:
                return fetched
        raise MediaUnavailable("gone")

    async def delete_media(self, channel: ChannelAccess, media_id: str) -> None:
        """Delete a file on WhatsApp's side.

        Raises:
            CallRefused, CallUnavailable: it was not deleted.

        """
        await self._call(channel, "DELETE", _media_url(channel, media_id), _Done)

    async def phone_number(self, channel: ChannelAccess) -> PhoneNumber:
        """Describe the channel's number.

        Raises:
            CallRefused, CallUnavailable: no answer; this is also how a token is tried.

        """
        phone = await self._call(channel, "GET", f"{_number_url(channel)}?fields={_PHONE_FIELDS}", _Phone)
        coexistence = bool(phone.is_on_biz_app) and phone.platform_type == "CLOUD_API"
        high = phone.throughput is not None and (phone.throughput.level or "").upper() == "HIGH"
        usual = _HIGH_MESSAGES_A_SECOND if high else _MESSAGES_A_SECOND
        return PhoneNumber(
            phone.display_phone_number,
            phone.verified_name,
            phone.quality_rating,
            phone.status,
            coexistence,
            _COEXISTENCE_MESSAGES_A_SECOND if coexistence else usual,
        )

    async def try_account(self, channel: ChannelAccess) -> None:
        """Ask for a template of the channel's business account, to see whether the token may.

        Raises:
            ValueError: the channel has no business account id.
            CallRefused, CallUnavailable: it may not, or no answer.

        """
        await self._call(channel, "GET", f"{_account_url(channel)}/message_templates?limit=1", _Page)

    async def is_subscribed(self, channel: ChannelAccess) -> bool:
        """Tell whether any app gets the webhooks of the channel's business account.

        Raises:
            ValueError: the channel has no business account id.
            CallRefused, CallUnavailable: no answer.

        """
        page = await self._call(channel, "GET", f"{_account_url(channel)}/subscribed_apps", _Page)
        return bool(bytes(page.data)) and any(True for _ in objects_in(page.data))

    async def templates(self, channel: ChannelAccess) -> AsyncIterator[TemplateInfo]:
        """Yield the templates of the channel's business account, page by page; entries that make no sense are skipped.

        Raises:
            ValueError: the channel has no business account id.
            CallRefused, CallUnavailable: a page could not be had.

        """
        base = f"{_account_url(channel)}/message_templates"
        after: str | None = None
        for _ in range(_MOST_TEMPLATE_PAGES):
            query = {"fields": _TEMPLATE_FIELDS, "limit": str(_TEMPLATES_A_PAGE)} | ({"after": after} if after else {})
            page = await self._call(
                channel, "GET", f"{base}?{urlencode(query)}", _Page, max_bytes=8 * _MOST_ANSWER_BYTES
            )
            for raw in objects_in(page.data) if bytes(page.data) else ():
                template = _template_info(lenient(raw, _Template))
                if template is not None:
                    yield template
            following = _cursor(page.paging)
            if following is None or following == after:
                return
            after = following

    async def _call(
        self,
        channel: ChannelAccess,
        method: str,
        url: str,
        shape: type[_T],
        *,
        content: bytes | None = None,
        files: Sequence[FilePart] | None = None,
        timeout_seconds: float = _CALL_SECONDS,
        max_bytes: int = _MOST_ANSWER_BYTES,
    ) -> _T:
        headers = {"authorization": f"Bearer {channel.token}"}
        if content is not None:
            headers["content-type"] = "application/json"
        try:
            response = await self._http.request(
                method,
                url,
                headers=headers,
                content=content,
                files=files,
                timeout_seconds=timeout_seconds,
                max_response_bytes=max_bytes,
            )
        except HttpError as error:
            raise CallUnavailable(error.reason) from error
        if not _is_success(response.status):
            raise call_failure(response)
        answer = lenient(clean(response.body), shape)
        if answer is None:
            raise CallUnavailable("not_json")
        return answer

    async def _fetch(
        self, channel: ChannelAccess, info: MediaInfo, sink: Path, max_bytes: int, timeout_seconds: float
    ) -> FetchedMedia | None:
        """Fetch from the address; `None` if it has expired."""
        client = self._http if _is_of_graph_server(info.url, channel) else self._outside
        try:
            done = await client.download(
                info.url,
                headers={"authorization": f"Bearer {channel.token}"},
                sink=sink,
                timeout_seconds=timeout_seconds,
                max_bytes=max_bytes,
            )
        except HttpError as error:
            if error.reason == "too_large":
                raise MediaUnavailable("too_large") from error
            raise CallUnavailable(error.reason) from error
        if done.status in _EXPIRED:
            return None
        if not _is_success(done.status):
            raise call_failure(HttpResponse(done.status, done.headers, done.refusal))
        if info.digest is not None and not hmac.compare_digest(info.digest.hex(), done.sha256):
            await asyncio.to_thread(sink.unlink, missing_ok=True)
            raise MediaUnavailable("corrupt")
        return FetchedMedia(done.size_bytes, done.sha256, info.mime_type)


def _base_url(channel: ChannelAccess) -> str:
    return f"{channel.graph_url}/{channel.api_version}"


def _account_url(channel: ChannelAccess) -> str:
    if channel.business_account_id is None:
        raise ValueError("this belongs to a business account, and the channel names none")
    return f"{_base_url(channel)}/{quote(channel.business_account_id, safe='')}"


def _number_url(channel: ChannelAccess) -> str:
    return f"{_base_url(channel)}/{quote(channel.phone_number_id, safe='')}"


def _media_url(channel: ChannelAccess, media_id: str) -> str:
    number = quote(channel.phone_number_id, safe="")
    return f"{_base_url(channel)}/{quote(media_id, safe='')}?phone_number_id={number}"


def _may_have_token(url: str, channel: ChannelAccess) -> bool:
    """Say whether this address is Meta's (or that of the Graph server in use): only there may our token go."""
    try:
        asked = urlsplit(url)
    except ValueError:
        return False
    of_meta = asked.scheme == "https" and f".{asked.hostname or ''}".endswith(_META_HOSTS)
    return of_meta or _is_of_graph_server(url, channel)


def _is_of_graph_server(url: str, channel: ChannelAccess) -> bool:
    try:
        asked, graph = urlsplit(url), urlsplit(channel.graph_url)
        same_port = asked.port == graph.port
    except ValueError:
        return False
    return same_port and (asked.scheme, asked.hostname) == (graph.scheme, graph.hostname)


def _is_success(status: int) -> bool:
    return 200 <= status < 300  # noqa: PLR2004 - the 2xx class of RFC 9110


def _is_count(written: str) -> bool:
    return written.isascii() and written.isdigit() and len(written) <= len(str(2**63))


def _cursor(paging: _Paging | None) -> str | None:
    """Return the cursor of the next page; the last page has no `next`."""
    return identifier(paging.cursors.after) if paging and paging.next and paging.cursors else None


def _template_info(template: _Template | None) -> TemplateInfo | None:
    if template is None or not (template.id and template.name and template.language and template.status):
        return None
    components = bytes(template.components)
    return TemplateInfo(
        template.id,
        template.name,
        template.language,
        template.status,
        template.category or "",
        template.parameter_format or "POSITIONAL",
        components if components.startswith(b"[") else b"[]",
    )
