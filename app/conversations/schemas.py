"""What the conversations API takes and returns."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from app.conversations.turns import Control
from app.core.schema import Input, Output

Author = Literal["customer", "bot", "person", "phone"]


class ContactSummary(Output, frozen=True, kw_only=True):
    """Whom a conversation is with. `phone` is digits with country code; null for people who hide it."""

    id: UUID
    name: str | None
    phone: str | None
    user_id: str | None
    approved: bool


class LastMessage(Output, frozen=True, kw_only=True):
    """The newest message of a conversation; `text` is cut after 200 characters and empty where nothing can be read."""

    id: UUID
    author: Author
    kind: str
    text: str
    sent_at: datetime


class Conversation(Output, frozen=True, kw_only=True):
    """A thread with one contact on one channel.

    `control` says who answers; `held_by` is the user when a person does (null for the business's own phone).
    `control_version` grows with every change of control. `attention` is the reason why a person should look, null when
    nobody need. Free-form messages are refused from `window_closes_at` on; null when the customer never wrote.
    """

    id: UUID
    channel_id: UUID
    contact: ContactSummary
    control: Control
    control_version: int
    held_by: UUID | None
    attention: str | None
    unread: int
    last_message_at: datetime
    last_message: LastMessage | None
    window_closes_at: datetime | None


class ControlChange(Input, frozen=True, kw_only=True):
    """A change of who answers. With `expected_version` it fails if somebody else has changed it since."""

    expected_version: Annotated[int, Meta(ge=1)] | None = None
