"""WhatsApp through Meta's Cloud API."""

from pathlib import Path
from typing import Final, get_args
from uuid import UUID

from app.whatsapp.content import Content
from app.whatsapp.content_rules import check
from app.whatsapp.error_codes import ErrorAction, ErrorClass, ErrorRule
from app.whatsapp.errors import InvalidContent, SendRejected
from app.whatsapp.graph import GraphClient
from app.whatsapp.graph_body import encode_read_receipt, encode_send
from app.whatsapp.transport import Accepted, Capabilities, ChannelAccess, Recipient

__all__ = ["CloudTransport"]

_REFUSED_HERE = ErrorRule(ErrorClass.CONTENT, ErrorAction.FAIL)
_EVERY_KIND = frozenset(str(shape.__struct_config__.tag) for shape in get_args(Content))


class CloudTransport:
    """See `Transport`. Nothing is sent that `content_rules.check` refuses."""

    kind: Final = "cloud"
    capabilities: Final = Capabilities(_EVERY_KIND, tracks=True, has_window=True, typing=True)

    def __init__(self, graph: GraphClient) -> None:
        self._graph = graph

    async def send(
        self,
        channel: ChannelAccess,
        recipient: Recipient,
        content: Content,
        *,
        tracker: str,
        timeout_seconds: float,
        reply_to: str | None = None,
        key: UUID | None = None,  # noqa: ARG002 - the port's
    ) -> Accepted:
        body = _body(content, recipient, tracker, reply_to)
        return await self._graph.send_message(channel, body, timeout_seconds=timeout_seconds)

    async def recall(self, channel: ChannelAccess, key: UUID) -> Accepted | None:  # noqa: ARG002 - the port's
        return None  # WhatsApp cannot be asked: only a status says it

    async def upload(
        self, channel: ChannelAccess, path: Path, mime_type: str, *, filename: str, timeout_seconds: float
    ) -> str:
        return await self._graph.upload_media(
            channel, path, mime_type, filename=filename, timeout_seconds=timeout_seconds
        )

    async def mark_read(
        self, channel: ChannelAccess, message_id: str, *, typing: bool, timeout_seconds: float = 10
    ) -> None:
        body = encode_read_receipt(message_id, typing=typing)
        await self._graph.mark_read(channel, body, timeout_seconds=timeout_seconds)


def _body(content: Content, recipient: Recipient, tracker: str, reply_to: str | None) -> bytes:
    try:
        check(content)
        return encode_send(content, recipient, tracker=tracker, reply_to=reply_to)
    except InvalidContent as error:
        details = f"{error.field}: {error}"
        raise SendRejected(code=None, title="Invalid content", rule=_REFUSED_HERE, details=details) from error
    except ValueError as error:
        raise SendRejected(code=None, title="Invalid recipient", rule=_REFUSED_HERE, details=str(error)) from error
