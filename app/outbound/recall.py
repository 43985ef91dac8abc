"""Messages that are not confirmed, on transports that can say what became of them: asked until they know."""

from collections.abc import Collection, Mapping
from datetime import timedelta

import msgspec
import sqlalchemy as sa
import structlog

from app.core.db import Database, db_now_plus
from app.outbound.leaving import Leaving
from app.outbound.models import outbound_messages
from app.outbound.outcomes import Outcome
from app.outbound.states import State
from app.whatsapp.channels import ChannelNotFound, Channels
from app.whatsapp.content import decode_content
from app.whatsapp.errors import SendNotAttempted, SendRejected
from app.whatsapp.identifiers import Recipient
from app.whatsapp.models import channels as channel_table
from app.whatsapp.transport import Transport

log = structlog.get_logger()

_AT_ONCE = 50
_ASKED_FOR = timedelta(days=7)  # what a browser has not remembered by then, a person must decide

_o, _c = outbound_messages.c, channel_table.c
_UNCONFIRMED = (
    sa.select(
        _o.id,
        _o.conversation_id,
        _o.channel_id,
        _o.turn_id,
        _o.attempt,
        _o.attempt_id,
        _o.content,
        _o.reply_to,
        _o.event_id,
    )
    .join(channel_table, _c.id == _o.channel_id)
    .where(
        _o.state == State.UNKNOWN,
        _o.processing_at > db_now_plus(-_ASKED_FOR.total_seconds()),
        _c.kind.in_(sa.bindparam("kinds", expanding=True)),
    )
    .order_by(_o.processing_at.desc())
    .limit(_AT_ONCE)
)


async def recalled(database: Database, channels: Channels, transports: Mapping[str, Transport]) -> list[Outcome]:
    """Return the outcomes that transports can give by now for messages in `unknown`.

    One that certainly did not leave waits again: whether it may still leave is judged anew, and its transport knows it
    by its key.
    """
    kinds = [kind for kind, transport in transports.items() if transport.capabilities.recalls]
    if not kinds:
        return []
    outcomes = []
    for leaving in await _unconfirmed(database, kinds):
        try:
            channel = await channels.get(leaving.channel_id)
        except ChannelNotFound:
            continue
        if channel.access is None:
            continue
        try:
            accepted = await transports[channel.kind].recall(channel.access, leaving.id)
        except SendNotAttempted as error:
            outcomes.append(Outcome(leaving, State.RETRY, reason=f"not sent: {error.reason}", retry_seconds=0))
        except SendRejected as error:
            outcomes.append(Outcome(leaving, State.FAILED, reason=f"{error.title} {error.details}".strip()))
        else:
            if accepted is not None:
                outcomes.append(Outcome(leaving, State.SENT, wamid=accepted.message_id))
    return outcomes


async def _unconfirmed(database: Database, kinds: Collection[str]) -> list[Leaving]:
    async with database.read() as connection:
        rows = (await connection.execute(_UNCONFIRMED, {"kinds": list(kinds)})).all()
    found = []
    for row in rows:
        try:
            content = decode_content(row.content)
        except msgspec.DecodeError:
            log.error("outbound.unreadable", outbound_id=str(row.id))  # noqa: TRY400 - the trace would hold the content
            continue
        found.append(
            Leaving(
                id=row.id,
                conversation_id=row.conversation_id,
                channel_id=row.channel_id,
                turn_id=row.turn_id,
                attempt=row.attempt,
                attempt_id=row.attempt_id,
                recipient=Recipient(),
                content=content,
                reply_to=row.reply_to,
                event_id=row.event_id,
                opened_at=None,
            )
        )
    return found
