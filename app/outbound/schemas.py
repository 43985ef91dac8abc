"""What the API takes and returns about messages: the thread, and the queue of what leaves."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from app.accounts.schemas import Colleague
from app.core.schema import Input, Output
from app.outbound.states import State
from app.whatsapp import content as contents
from app.whatsapp.content import Content, Header

Tick = Literal["queued", "sent", "delivered", "read", "failed", "not_confirmed"]
Decision = Literal["mark_sent", "discard", "resend"]


class Delivery(Output, frozen=True, kw_only=True):
    """What became of a message that leaves.

    `tick` is what a person is shown: `failed` means that it did not arrive (`state` and `reason` say why),
    `not_confirmed` that WhatsApp may have it. What WhatsApp reported stands beside the state, each with its time:
    `accepted_at` when it took the message, then sent, delivered, read, failed. `pricing` is as WhatsApp tells it.
    """

    state: State
    tick: Tick
    reason: str | None
    error_code: int | None
    attempt: int
    accepted_at: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    failed_at: datetime | None
    pricing: msgspec.Raw | None


class MediaSummary(Output, frozen=True, kw_only=True):
    """The file of a message. `state` is pending, stored, refused or failed; `filename` was written by the sender."""

    id: UUID
    kind: str
    mime_type: str | None
    filename: str | None
    state: str
    size_bytes: int | None


class Message(Output, frozen=True, kw_only=True):
    """One message of a thread.

    `author` is the customer, the bot, a person at the panel, or a person at the business's own phone. `wamid` is
    WhatsApp's id, `reply_to` that of the quoted message. `turn_id` is the turn that answers an inbound message, or that
    an outbound one answers. `written_by` is who wrote it at the panel. `delivery` is null for what did not leave
    through us. `payload` is the message as it came, or the content as it leaves, and null unless it was asked for.
    """

    id: UUID
    conversation_id: UUID
    author: Literal["customer", "bot", "person", "phone"]
    kind: str
    text: str
    sent_at: datetime
    wamid: str | None
    reply_to: str | None
    turn_id: UUID | None
    written_by: Colleague | None
    media: MediaSummary | None
    delivery: Delivery | None
    payload: msgspec.Raw | None


class FlowMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="flow"):
    """A button that opens a form: exactly one of `flow_id` and `flow_name`. The answer carries `token` back.

    `data` fills `screen`; with `data_exchange` an endpoint chooses the first screen.
    """

    body: str
    button: str
    token: str
    flow_id: str | None = None
    flow_name: str | None = None
    draft: bool = False
    data_exchange: bool = False
    screen: str | None = None
    data: dict[str, object] | None = None
    header: Header | None = None
    footer: str | None = None


# The queue keeps a form's data as unread JSON, which only arrives here as objects: its own struct takes them.
NewContent = (
    contents.Text
    | contents.Image
    | contents.Video
    | contents.Audio
    | contents.Document
    | contents.Sticker
    | contents.Location
    | contents.Contacts
    | contents.Reaction
    | contents.Buttons
    | contents.ListMenu
    | contents.CtaUrl
    | contents.LocationRequest
    | contents.ContactInfoRequest
    | contents.Template
    | FlowMessage
)


def to_content(new: NewContent) -> Content:
    """Return what is queued for `new`."""
    if not isinstance(new, FlowMessage):
        return new
    members = {name: getattr(new, name) for name in new.__struct_fields__ if name != "data"}
    data = msgspec.Raw() if new.data is None else msgspec.Raw(msgspec.json.encode(new.data))
    return contents.Flow(**members, data=data)


class NewMessage(Input, frozen=True, kw_only=True):
    """A message that a person writes. `reply_to` is the `wamid` of the message to quote.

    A file in the content is named by the `media_id` of an upload (`POST /api/media`), or by a `link`.

    `scheduled_at` is within a year; without it the message leaves as soon as it can. Of what may leave, a higher
    `priority` leaves first. `canned_reply_id` is the canned reply it was written with, which counts its uses.
    """

    content: NewContent
    reply_to: Annotated[str, Meta(min_length=1, max_length=250)] | None = None
    scheduled_at: Annotated[datetime, Meta(tz=True)] | None = None
    priority: Annotated[int, Meta(ge=0, le=9)] = 0
    canned_reply_id: UUID | None = None


class OutboundMessage(Output, frozen=True, kw_only=True):
    """A message in the queue of what leaves. `text` is cut after 200 characters.

    `origin` is an answer of the bot (`reply`), a set text (`fallback`) or a person; `part` counts the parts of one
    answer. `scheduled_at` is the wish of its author, `due_at` when it is tried next.
    """

    id: UUID
    conversation_id: UUID
    channel_id: UUID
    contact_id: UUID
    origin: Literal["reply", "fallback", "person"]
    turn_id: UUID | None
    part: int
    kind: str
    text: str
    priority: int
    wamid: str | None
    reply_to: str | None
    created_at: datetime
    scheduled_at: datetime
    due_at: datetime
    processing_at: datetime | None
    delivery: Delivery


class OutboundDetails(OutboundMessage, frozen=True, kw_only=True):
    """A message in the queue of what leaves, with its whole `content`."""

    content: msgspec.Raw


class Resolution(Input, frozen=True, kw_only=True):
    """What a person decides about a message that is not confirmed.

    `mark_sent`: it has arrived. `discard`: it shall not be tried again. `resend`: try again, knowing that the customer
    may receive it twice.
    """

    decision: Decision
