"""What the contacts API takes and returns."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from app.core.schema import Input, Output


class Identifier(Output, frozen=True, kw_only=True):
    """A name WhatsApp has shown for a person: business-scoped user id, its parent, LID, or phone digits."""

    kind: Literal["bsuid", "lid", "parent", "phone"]
    value: str


class Contact(Output, frozen=True, kw_only=True):
    """Somebody we talk with. `name` was written by the person: never trust it.

    `phone` is digits with country code, and null for people who hide it; `user_id` is the business-scoped user id.
    `approved` people are answered where only approved ones are.
    """

    id: UUID
    name: str | None
    phone: str | None
    user_id: str | None
    approved: bool
    marketing_stopped_at: datetime | None
    created_at: datetime
    identifiers: list[Identifier]


class ContactChange(Input, frozen=True, kw_only=True):
    """What a colleague decides about a contact."""

    approved: bool
