"""What people do with messages that leave: write one, withdraw one, decide about one that is not confirmed."""

from datetime import datetime, timedelta
from typing import Any, Final, assert_never
from uuid import UUID

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.conversations.canned_replies import count_use
from app.conversations.control import give_to
from app.conversations.errors import ConversationNotFound
from app.conversations.models import conversations, messages, turns
from app.conversations.turns import Reason
from app.conversations.turns import State as TurnState
from app.core.db import exclusive
from app.core.db.events import record
from app.core.errors import Conflict, InvalidInput
from app.core.log import current_correlation_id
from app.outbound.errors import KeyReused, OutboundNotFound, TooLate
from app.outbound.events import DeliveryChanged
from app.outbound.leaving import judge
from app.outbound.models import outbound_messages
from app.outbound.queue import Draft, enqueue
from app.outbound.schemas import Decision, NewMessage, to_content
from app.outbound.settle import settle_turns
from app.outbound.states import CLAIMABLE, State
from app.whatsapp import content_rules, uploads
from app.whatsapp.content import Content, Reaction, Template, decode_content, encode_content
from app.whatsapp.content_files import UploadedFile, uploaded_file
from app.whatsapp.errors import InvalidContent
from app.whatsapp.models import channels
from app.whatsapp.uploads import Upload
from app.whatsapp.window import has_window, is_window_open, window_closes_at

log = structlog.get_logger()

GIVEN_UP = "given up by a person"

_FURTHEST: Final = timedelta(days=366)


class WindowClosed(Conflict):
    """WhatsApp takes only templates now: 24 hours have passed since the customer last wrote."""

    code = "window_closed"

    def __init__(self, last_inbound_at: datetime | None) -> None:
        closed_at = window_closes_at(last_inbound_at)
        since = "the customer never wrote" if closed_at is None else f"the window closes at {closed_at.isoformat()}"
        super().__init__(f"only a template can be sent then: {since}")


class CannotResend(Conflict):
    """The answer has been overtaken: it would not leave."""

    code = "cannot_resend"

    def __init__(self, reason: Reason | None) -> None:
        super().__init__(f"this would not leave any more ({reason}): write a new message instead")


class Written(msgspec.Struct, frozen=True):
    """The message that a request to write stands for; `is_new` unless an earlier request with its key made it.

    `took_over`: the conversation was not its author's before.
    """

    id: UUID
    is_new: bool
    took_over: bool = False


async def write(
    connection: AsyncConnection,
    conversation_id: UUID,
    new: NewMessage,
    *,
    user_id: UUID,
    idempotency_key: str | None,
    now: datetime,
) -> Written:
    """Queue what a person wrote, and give the conversation to them.

    The same `idempotency_key` of the same user gives the same message again, for as long as the message is kept.

    Raises `InvalidContent` and `InvalidInput` (naming the field), `ConversationNotFound`, `WindowClosed`, `KeyReused`.
    """
    content = to_content(new.content)
    _check(content)
    key = None if idempotency_key is None else f"{user_id}:{idempotency_key}"
    if key is not None:
        await exclusive(connection, key)
        earlier = await _written_before(connection, key, conversation_id, new, content)
        if earlier is not None:
            return Written(earlier, is_new=False)
    conversation = await _conversation(connection, conversation_id)
    await _check_fit(connection, conversation, new, content, now)
    file = uploaded_file(content)
    upload = None if file is None else await _brought(connection, file, user_id)
    correlation_id = current_correlation_id()
    await give_to(connection, conversation_id, "person", user_id=user_id, correlation_id=correlation_id)
    draft = Draft(
        conversation_id=conversation_id,
        channel_id=conversation.channel_id,
        contact_id=conversation.contact_id,
        origin="person",
        user_id=user_id,
        content=content,
        reply_to=new.reply_to,
        priority=new.priority,
        scheduled_at=new.scheduled_at,
        idempotency_key=key,
        correlation_id=correlation_id,
    )
    (outbound_id,) = await enqueue(connection, [draft], now=now)
    if file is not None and upload is not None:
        await uploads.take_along(
            connection, upload, message_id=outbound_id, channel_id=conversation.channel_id, kind=file.kind
        )
    # Whoever answers has looked, also where the conversation was theirs already and taking it changed nothing.
    await connection.execute(
        sa.update(conversations).where(conversations.c.id == conversation_id).values(attention=None)
    )
    if new.canned_reply_id is not None:
        await count_use(connection, new.canned_reply_id)
    log.info("outbound.written", outbound_id=str(outbound_id), user_id=str(user_id))
    took_over = (conversation.control, conversation.held_by) != ("person", user_id)
    return Written(outbound_id, is_new=True, took_over=took_over)


async def cancel(connection: AsyncConnection, outbound_id: UUID, *, user_id: UUID, now: datetime) -> None:
    """Withdraw a message that waits. Raises `OutboundNotFound`, and `TooLate` once it is being sent or has ended."""
    row = await _lock(connection, outbound_id)
    if row.state not in CLAIMABLE:
        raise TooLate("cancelled", row.state)
    await _change(connection, row, {"state": State.CANCELLED, "reason": "cancelled by a person", "due_at": now}, now)
    log.info("outbound.cancelled", outbound_id=str(outbound_id), user_id=str(user_id))


async def resolve(
    connection: AsyncConnection, outbound_id: UUID, decision: Decision, *, user_id: UUID, now: datetime
) -> None:
    """Settle a message that is not confirmed as a person says.

    One that shall be sent again waits as `retry` and keeps the id of its unconfirmed attempt until the next one starts:
    a status that comes before that still settles it, and nothing is sent twice.

    Raises `OutboundNotFound`, `TooLate` unless the message is `unknown`, and `WindowClosed` or `CannotResend` for one
    that would not leave.
    """
    row = await _lock(connection, outbound_id)
    if row.state != State.UNKNOWN:
        raise TooLate("resolved", row.state)
    values: dict[str, object]
    match decision:
        case "mark_sent":
            values = {"state": State.SENT, "reason": "marked as sent by a person", "due_at": now}
        case "discard":
            values = {"state": State.FAILED, "reason": GIVEN_UP, "due_at": now, "failed_at": now}
        case "resend":
            _check_resend(row, now)
            # Its author's time has come anyway; a template's life starts again.
            values = {"state": State.RETRY, "reason": "sent again by a person", "due_at": now, "scheduled_at": now}
        case _:
            assert_never(decision)
    await _change(connection, row, values, now)
    log.info("outbound.resolved", outbound_id=str(outbound_id), decision=decision, user_id=str(user_id))


async def retry(connection: AsyncConnection, outbound_id: UUID, *, user_id: UUID, now: datetime) -> None:
    """Try a message that has failed once more: WhatsApp has definitely not delivered it.

    The turn that it answers, which its failure ended, is being sent again.

    Raises `OutboundNotFound`, `TooLate` unless the message has failed, and `WindowClosed` or `CannotResend` for one
    that would not leave.
    """
    row = await _lock(connection, outbound_id)
    if row.state != State.FAILED:
        raise TooLate("tried again", row.state)
    reopens = row.turn_state == TurnState.FAILED
    _check_resend(msgspec.structs.replace(row, turn_state=TurnState.SENDING) if reopens else row, now)
    if reopens:
        sending = {"state": TurnState.SENDING, "reason": None, "ended_at": None}
        await connection.execute(sa.update(turns).where(turns.c.id == row.turn_id).values(**sending))
    values = {"reason": "tried again by a person", "due_at": now, "scheduled_at": now, "error_code": None}
    await _change(connection, row, {"state": State.RETRY, "failed_at": None, **values}, now)
    log.info("outbound.retried", outbound_id=str(outbound_id), user_id=str(user_id))


def _check(content: Content) -> None:
    try:
        content_rules.check(content)
    except InvalidContent as error:
        field = "content" if error.field is None else f"content.{error.field}"
        raise InvalidContent(str(error), field) from error


async def _written_before(
    connection: AsyncConnection, key: str, conversation_id: UUID, new: NewMessage, content: Content
) -> UUID | None:
    """Return the message that was written with this key. Raises `KeyReused` if that was another one."""
    o = outbound_messages.c
    row = (
        await connection.execute(
            sa.select(o.id, o.conversation_id, o.content, o.reply_to, o.priority, o.created_at, messages.c.sent_at)
            .join(messages, messages.c.id == o.id)
            .where(o.idempotency_key == key)
        )
    ).one_or_none()
    if row is None:
        return None
    # A message without a wish was queued for the moment it was written; the thread keeps that, whatever came after.
    scheduled_at = None if row.sent_at == row.created_at else row.sent_at
    before = (row.conversation_id, row.content, row.reply_to, row.priority, scheduled_at)
    if before != (conversation_id, encode_content(content).decode(), new.reply_to, new.priority, new.scheduled_at):
        raise KeyReused
    return UUID(str(row.id))


async def _conversation(connection: AsyncConnection, conversation_id: UUID) -> Any:
    c = conversations.c
    row = (
        await connection.execute(
            sa.select(
                c.id,
                c.channel_id,
                c.contact_id,
                c.last_inbound_at,
                c.control,
                c.held_by,
                channels.c.kind.label("channel_kind"),
            )
            .join(channels, channels.c.id == c.channel_id)
            .where(c.id == conversation_id)
            .with_for_update(of=conversations)
        )
    ).one_or_none()
    if row is None:
        raise ConversationNotFound
    return row


async def _check_fit(
    connection: AsyncConnection, conversation: Any, new: NewMessage, content: Content, now: datetime
) -> None:
    """Check what depends on the conversation and the moment."""
    if new.scheduled_at is not None and not now < new.scheduled_at < now + _FURTHEST:
        raise InvalidInput("this is not within the next year", field="scheduled_at")
    if not isinstance(content, Template) and has_window(conversation.channel_kind):
        leaves_at = new.scheduled_at or now
        if not is_window_open(conversation.last_inbound_at, leaves_at):
            raise WindowClosed(conversation.last_inbound_at)
    if new.reply_to is not None:
        await _check_quoted(connection, conversation, new.reply_to, "reply_to")
    if isinstance(content, Reaction):
        await _check_quoted(connection, conversation, content.message_id, "content.message_id")


async def _brought(connection: AsyncConnection, file: UploadedFile, user_id: UUID) -> Upload:
    """Return the upload that the content takes along. Raises `InvalidContent`."""
    upload = await uploads.find(connection, file.upload_id, user_id=user_id)
    if upload is None:
        raise InvalidContent("nobody brought this file within the last day: upload it again", f"content.{file.field}")
    if file.kind not in (upload.kind, "document"):
        raise InvalidContent(f"this file is sent as {upload.kind} or document", f"content.{file.field}")
    return upload


async def _check_quoted(connection: AsyncConnection, conversation: Any, wamid: str, field: str) -> None:
    m, o = messages.c, outbound_messages.c
    theirs = sa.exists().where(
        m.channel_id == conversation.channel_id, m.wamid == wamid, m.conversation_id == conversation.id
    )
    ours = sa.exists().where(o.wamid == wamid, o.conversation_id == conversation.id)
    if not await connection.scalar(sa.select(sa.or_(theirs, ours))):
        raise InvalidInput("there is no message with this wamid in the conversation", field=field)


async def _lock(connection: AsyncConnection, outbound_id: UUID) -> "_Locked":
    """Lock in the order that everybody keeps: the outbound message, its conversation, its turn."""
    o, c, t = outbound_messages.c, conversations.c, turns.c
    row = (await connection.execute(sa.select(*o).where(o.id == outbound_id).with_for_update())).one_or_none()
    if row is None:
        raise OutboundNotFound
    conversation = (
        await connection.execute(
            sa.select(c.control_version, c.last_inbound_at, channels.c.kind.label("channel_kind"))
            .join(channels, channels.c.id == row.channel_id)
            .where(c.id == row.conversation_id)
            .with_for_update(of=conversations)
        )
    ).one()
    turn_state = None
    if row.turn_id is not None:
        turn_state = await connection.scalar(sa.select(t.state).where(t.id == row.turn_id).with_for_update())
    return _Locked(
        id=row.id,
        conversation_id=row.conversation_id,
        event_id=row.event_id,
        state=State(row.state),
        content=decode_content(row.content),
        control_version=row.control_version,
        current_version=conversation.control_version,
        last_inbound_at=conversation.last_inbound_at,
        channel_kind=conversation.channel_kind,
        turn_id=row.turn_id,
        turn_state=turn_state,
    )


class _Locked(msgspec.Struct, frozen=True, kw_only=True):
    """A locked message, and what its conversation and turn say: all that `judge` asks of it."""

    id: UUID
    conversation_id: UUID
    event_id: UUID | None
    state: State
    content: Content
    control_version: int | None
    current_version: int
    last_inbound_at: datetime | None
    channel_kind: str
    turn_id: UUID | None
    turn_state: TurnState | None
    scheduled_at: datetime | None = None


def _check_resend(row: _Locked, now: datetime) -> None:
    verdict = judge(msgspec.structs.replace(row, scheduled_at=now), row.content, now)
    if verdict is None:
        return
    if verdict.reason is Reason.WINDOW_CLOSED:
        raise WindowClosed(row.last_inbound_at)
    raise CannotResend(verdict.reason)


async def _change(connection: AsyncConnection, row: _Locked, values: dict[str, object], now: datetime) -> None:
    await connection.execute(sa.update(outbound_messages).where(outbound_messages.c.id == row.id).values(**values))
    await record(
        connection,
        [
            DeliveryChanged(
                correlation_id=row.event_id,
                conversation_id=row.conversation_id,
                outbound_id=row.id,
                change=str(values["state"]),
            )
        ],
    )
    if row.turn_id is not None:
        await settle_turns(connection, [row.turn_id], now=now)
