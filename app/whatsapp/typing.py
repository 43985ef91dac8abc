"""Blue ticks and "typing…" while somebody waits for an answer: a courtesy, never worth a failure."""

from collections.abc import Mapping
from uuid import UUID

import structlog

from app.core.errors import MostradorError
from app.whatsapp.channels import Channels
from app.whatsapp.transport import Transport

log = structlog.get_logger()


async def show_reading(
    channels: Channels, transports: Mapping[str, Transport], channel_id: UUID, message_id: str
) -> None:
    """Mark the message `message_id` (a wamid) as read and show the typing indicator, which lasts up to 25 s."""
    try:
        channel = await channels.get(channel_id)
        if channel.access is not None and not channel.stopped:
            await transports[channel.kind].mark_read(channel.access, message_id, typing=True)
    except MostradorError as error:
        log.debug("whatsapp.mark_read_failed", channel_id=str(channel_id), code=error.code)
