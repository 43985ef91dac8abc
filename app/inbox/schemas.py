"""What the inbox API takes and returns."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from app.accounts.schemas import Colleague
from app.conversations.turns import Control
from app.core.schema import Input, Output
from app.outbound.schemas import Tick

Author = Literal["customer", "bot", "person", "phone"]
Status = Literal["open", "closed"]


class ContactSummary(Output, frozen=True, kw_only=True):
    """Whom a conversation is with. `phone` is digits with country code; null for people who hide it."""

    id: UUID
    name: str | None
    phone: str | None
    user_id: str | None
    approved: bool


class LastMessage(Output, frozen=True, kw_only=True):
    """The newest message of a conversation that was not withdrawn or overtaken before it left.

    `text` is cut after 200 characters and empty where nothing can be read. `delivery` is the tick of one that leaves,
    and null for what did not leave through us.
    """

    id: UUID
    author: Author
    kind: str
    text: str
    sent_at: datetime
    delivery: Tick | None


class Conversation(Output, frozen=True, kw_only=True):
    """A thread with one contact on one channel.

    `control` says who answers; `held_by` is the user when a person does, with `held_by_name` (null for the business's
    own phone). `control_version` grows with every change of control. `assignee` looks after it. `attention` is the
    reason why a person should look, null when nobody need. A `closed` one opens again when the customer writes.
    Free-form messages are refused from `window_closes_at` on; null when the customer never wrote.
    """

    id: UUID
    channel_id: UUID
    contact: ContactSummary
    status: Status
    closed_at: datetime | None
    close_reason: str | None
    assignee: Colleague | None
    control: Control
    control_version: int
    held_by: UUID | None
    held_by_name: str | None
    attention: str | None
    unread: int
    last_message_at: datetime
    last_message: LastMessage | None
    window_closes_at: datetime | None


class InboxCounts(Output, frozen=True, kw_only=True):
    """How many open conversations there are of each kind; 1000 stands for that many or more.

    `mine` are assigned to whoever asks, `unassigned` to nobody. `attention` and `unread` count those that have it.
    """

    open: int
    mine: int
    unassigned: int
    attention: int
    unread: int


class HitMessage(Output, frozen=True, kw_only=True):
    """A message that was found; the thread opens at it with `around`."""

    id: UUID
    author: Author
    kind: str
    sent_at: datetime


class SnippetPart(Output, frozen=True, kw_only=True):
    """A piece of a text; `marked` is what was searched for."""

    text: str
    marked: bool


class MessageHit(Output, frozen=True, kw_only=True):
    """A message that holds what was searched for, with its conversation as the inbox shows it.

    The texts of `snippet` join to the piece of the message around the first find.
    """

    conversation: Conversation
    message: HitMessage
    snippet: list[SnippetPart]


class ControlChange(Input, frozen=True, kw_only=True):
    """A change of who answers. With `expected_version` it fails if somebody else has changed it since."""

    expected_version: Annotated[int, Meta(ge=1)] | None = None


class Assignment(Input, frozen=True, kw_only=True):
    """Who shall look after the conversation; null for nobody."""

    user_id: UUID | None


class Closing(Input, frozen=True, kw_only=True):
    """Why a conversation is closed, for colleagues."""

    reason: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
