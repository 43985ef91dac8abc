"""What the control API takes and shows."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from app.simulator.customer_messages import (
    BusinessScopedId,
    ControlInput,
    CustomerKey,
    CustomerMessage,
    Id,
    PhoneDigits,
)
from app.simulator.faults import Fault
from app.simulator.ledger import Acknowledged, Received

__all__ = [
    "AcknowledgedPage",
    "Change",
    "Choice",
    "ClockAnswer",
    "ClockMove",
    "Confirmation",
    "ControlProblem",
    "CustomerInput",
    "CustomerView",
    "CustomerWrites",
    "FaultsInput",
    "FaultsView",
    "LedgerPage",
    "NumberView",
    "PhoneMessage",
    "PhoneView",
    "Progress",
    "SimulatorView",
    "TemplateVerdict",
    "Written",
    "WrittenAnswer",
]


class CustomerInput(ControlInput, frozen=True, kw_only=True):
    """A person with a phone. Give `phone`, or only `user_id` for one who hides the number behind a user name.

    reads: whether they open the chat (the status `read` comes). reachable: whether messages arrive; if not, every
    send fails later with 131026.
    """

    phone: PhoneDigits | None = None
    user_id: BusinessScopedId | None = None
    name: str | None = None
    username: str | None = None
    reads: bool = True
    reachable: bool = True


class Written(ControlInput, frozen=True, kw_only=True):
    """A message of `customer` (phone or user id; made if unknown) to the number `channel` (None: the first one)."""

    customer: CustomerKey
    message: CustomerMessage
    channel: str | None = None
    name: str | None = None


class FaultsInput(ControlInput, frozen=True, kw_only=True):
    faults: list[Fault]
    seed: int | None = None


class ClockMove(ControlInput, frozen=True, kw_only=True):
    advance_seconds: Annotated[float, msgspec.Meta(ge=0, le=366 * 86_400)]


class Change(ControlInput, frozen=True, kw_only=True):
    """A webhook of any other field, such as `user_preferences`; `value` is passed on as it is."""

    field: Id
    value: msgspec.Raw
    channel: str | None = None


class TemplateVerdict(ControlInput, frozen=True, kw_only=True):
    """What Meta's review or quality watch says about a template."""

    template_id: Id
    event: Literal["APPROVED", "REJECTED", "PENDING", "PAUSED", "DISABLED", "FLAGGED", "REINSTATED"]
    reason: str = "NONE"


class Choice(msgspec.Struct, frozen=True):
    """A button or list row that the customer may tap. `kind` says which message type the tap makes."""

    id: str
    title: str
    kind: Literal["button_reply", "list_reply", "button"]


class PhoneMessage(msgspec.Struct, kw_only=True):
    """A message as the customer sees it.

    changed: the phone's change number when this message last changed; ask for what is above the last one you saw.
    mine: written by the customer. tick (of these): `sent` = Meta has it, `delivered` = the business acknowledged it,
    `read` = the business marked it as read.
    """

    id: str
    changed: int
    mine: bool
    kind: str
    text: str
    at: datetime
    tick: Literal["none", "sent", "delivered", "read"]
    choices: tuple[Choice, ...]
    media_id: str | None
    reply_to: str | None
    reaction: str | None


class PhoneView(msgspec.Struct, frozen=True, kw_only=True):
    """Messages that changed after the asked number, oldest first; ask again with `seq`."""

    customer: str
    seq: int
    typing: bool
    messages: list[PhoneMessage]


class CustomerView(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    phone: str | None
    user_id: str
    name: str
    username: str | None
    reads: bool
    reachable: bool
    last_wrote_at: datetime | None


class NumberView(msgspec.Struct, frozen=True, kw_only=True):
    phone_number_id: str
    display_phone_number: str
    verified_name: str
    business_account_id: str


class WrittenAnswer(msgspec.Struct, frozen=True):
    """`seq` is the phone's change number of the new message."""

    customer: str
    message_id: str
    seq: int


class CustomerWrites(ControlInput, frozen=True, kw_only=True):
    """What a person does on the phone, towards the number `channel` (null: the first one)."""

    message: CustomerMessage
    channel: str | None = None


class SimulatorView(msgspec.Struct, frozen=True, kw_only=True):
    """The business numbers of this Meta, its time, and how many webhooks are not acknowledged yet (`promised`)."""

    numbers: list[NumberView]
    now: datetime
    promised: int


class FaultsView(msgspec.Struct, frozen=True):
    faults: list[Fault]


class ClockAnswer(msgspec.Struct, frozen=True):
    now: datetime


class LedgerPage(msgspec.Struct, frozen=True):
    entries: list[Received]


class AcknowledgedPage(msgspec.Struct, frozen=True):
    """`next` continues the list: give it as `after`."""

    webhooks: list[Acknowledged]
    next: int


class Confirmation(msgspec.Struct, frozen=True):
    ok: bool = True


class Progress(msgspec.Struct, frozen=True):
    """`promised`: messages, statuses and changes that the product has not acknowledged yet."""

    promised: int


class ControlProblem(msgspec.Struct, frozen=True, omit_defaults=True):
    """problem+json (RFC 9457; without `type`, which means `about:blank`) with a stable code."""

    title: str
    status: int
    code: str
    detail: str
    field: str | None = None
