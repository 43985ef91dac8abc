"""What the API takes and returns about linked phones."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from app.core.schema import Input, Output
from app.whatsapp.web.governor import WebPolicy
from app.whatsapp.web.states import State

Digits = Annotated[str, Meta(pattern=r"^[1-9][0-9]{6,14}$")]


class WebNotice(Output, frozen=True, kw_only=True):
    """The risks, by language (`en`, `es`, `pt`). Whoever adds a session accepts this `version` of them."""

    version: str
    texts: dict[str, str]


class WebSessionToAdd(Input, frozen=True, kw_only=True):
    """A phone to be linked. `consent_version` is the version of the notice that the person has accepted."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    consent_version: Annotated[str, Meta(min_length=1, max_length=20)]


class PairingPhone(Input, frozen=True, kw_only=True):
    """The phone to be linked by a code: digits with country code, without `+`."""

    phone: Digits


class WebPolicyChange(Input, frozen=True, kw_only=True):
    """How the phone behaves from now on; a whole policy, not a part of one."""

    policy: WebPolicy


class WebSessionDetails(Output, frozen=True, kw_only=True):
    """A linked phone, or one to be linked.

    `wanted` is what people want of it, `state` what it is. `reason` says why, in English, where there is something to
    say; `engine` is how its page is read, while one is open: `wpp`, or `dom`, which answers only people whose number is
    shown, and carries only text. `account_ends_with` are the last four digits of the linked phone. `last_seen_at` is
    when its page last answered, `memory_bytes` what its browser takes. A screenshot is there once something has failed.
    """

    id: UUID
    name: str
    wanted: Literal["running", "stopped"]
    state: State
    reason: str | None
    state_at: datetime
    engine: Literal["wpp", "dom"] | None
    account_ends_with: str | None
    linked_at: datetime | None
    last_seen_at: datetime | None
    memory_bytes: int | None
    restarts: int
    screenshot_at: datetime | None
    backup_at: datetime | None
    policy: WebPolicy
    consent_version: str
    consent_at: datetime


class WebSessionList(Output, frozen=True, kw_only=True):
    """All linked phones. There are few: the list is whole."""

    items: list[WebSessionDetails]


class WebLink(Output, frozen=True, kw_only=True):
    """How to link the phone now: `qr` is the text to draw as a QR code, `pairing_code` what to type on the phone.

    Both are null while there is nothing to scan or type. They are secrets while they last: not for logs.
    """

    state: State
    qr: str | None
    pairing_code: str | None
    pairing_phone: str | None
    expires_at: datetime | None
