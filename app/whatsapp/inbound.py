"""What arrived, in our words: the neutral facts that the rest of the house works with.

Every fact carries `key`, which is the same for every delivery of the same fact, so that a second delivery can be
recognised (`ON CONFLICT DO NOTHING`): at most 200 ASCII characters. Identifiers are at most 512 characters; texts hold
no NUL. `payload` is the JSON of the item as Meta sent it, cleaned in the same way.
"""

from datetime import datetime

import msgspec

__all__ = [
    "AccountNotice",
    "DeliveryStatus",
    "IdentityChange",
    "Inbound",
    "InboundMedia",
    "InboundMessage",
    "PhoneEcho",
    "PreferenceChange",
    "Pricing",
    "Sender",
    "Unreadable",
    "WireProblem",
]


class Sender(msgspec.Struct, frozen=True):
    """Who wrote: `phone` (digits) or `user_id` (BSUID) is present, often both. The names are self-chosen."""

    phone: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    profile_name: str | None = None
    username: str | None = None


class InboundMedia(msgspec.Struct, frozen=True):
    """A file to fetch by `media_id` within 7 days. `sha256` is base64 as Meta sends it, `filename` the person's word.

    `voice` marks a voice note, `animated` a moving sticker.
    """

    media_id: str
    mime_type: str | None = None
    sha256: str | None = None
    filename: str | None = None
    caption: str | None = None
    voice: bool = False
    animated: bool = False


class WireProblem(msgspec.Struct, frozen=True):
    """An error object of a webhook; `error_codes.rule_for(code)` says what it means."""

    code: int | None
    title: str = ""
    details: str = ""


class Pricing(msgspec.Struct, frozen=True):
    """What Meta says a message cost: book this, never a guess (whatsapp.md 0.4)."""

    billable: bool | None = None
    model: str | None = None
    type: str | None = None
    category: str | None = None


class InboundMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that a person sent to one of our numbers.

    `kind` is Meta's type, an open set. `text` is what a person would read: the body, a caption, the title of a pressed
    button, `[location] name`; empty if there is nothing to read. `turn` says whether it deserves an answer: not for
    reactions, edits, revocations, unsupported and unknown kinds, groups, nor while Meta's own agent holds the thread
    (`standby`). `sent_at` is Meta's time, or the time of receipt where that is unusable.
    """

    phone_number_id: str
    business_account_id: str
    message_id: str
    sender: Sender
    sent_at: datetime
    kind: str
    text: str
    turn: bool
    key: str
    payload: bytes
    media: InboundMedia | None = None
    reply_to: str | None = None
    """The message that is quoted, or whose button was pressed."""
    target_id: str | None = None
    """The message that a reaction, an edit or a revocation is about. An edit's may not match byte for byte."""
    selected_id: str | None = None
    """Our own id of the pressed button or chosen row, or a template button's payload."""
    form_json: str | None = None
    """The answers of a Flow or address form: a JSON object in text."""
    latitude: float | None = None
    longitude: float | None = None
    forwarded: bool = False
    group_id: str | None = None
    standby: bool = False
    referral: bytes | None = None
    """JSON of the advertisement the person came from; it opens the 72-hour free entry point."""
    problems: tuple[WireProblem, ...] = ()


class PhoneEcho(msgspec.Struct, frozen=True, kw_only=True):
    """A message that the owner sent from the WhatsApp Business app: a person has taken over. Never opens the window."""

    phone_number_id: str
    business_account_id: str
    message_id: str
    recipient_phone: str | None
    recipient_user_id: str | None
    sent_at: datetime
    kind: str
    text: str
    key: str
    payload: bytes
    media: InboundMedia | None = None
    reply_to: str | None = None
    target_id: str | None = None


class DeliveryStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message of ours. `status` is an open set: sent, delivered, read, played, failed.

    `tracker` is what we gave as `biz_opaque_callback_data`; it identifies a send whose answer was lost.
    """

    phone_number_id: str
    business_account_id: str
    message_id: str
    status: str
    at: datetime
    key: str
    payload: bytes
    recipient_phone: str | None = None
    recipient_user_id: str | None = None
    participant: str | None = None
    tracker: str | None = None
    pricing: Pricing | None = None
    problems: tuple[WireProblem, ...] = ()


class IdentityChange(msgspec.Struct, frozen=True, kw_only=True):
    """A person is known by something else from now on. `kind` is Meta's: `user_changed_number`, ...

    `customer_identity_changed` (a new device) has the same person before and after. `before` and `after` hold only what
    Meta names.
    """

    phone_number_id: str
    business_account_id: str
    message_id: str
    kind: str
    before: Sender
    after: Sender
    at: datetime
    key: str
    payload: bytes


class PreferenceChange(msgspec.Struct, frozen=True, kw_only=True):
    """A person allows or forbids a `category` (`marketing_messages`): `value` is `stop`, `resume` or `signup`."""

    phone_number_id: str | None
    business_account_id: str
    phone: str | None
    user_id: str | None
    category: str
    value: str
    at: datetime
    key: str
    payload: bytes


class AccountNotice(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about the account rather than a person: `field` is Meta's, `event` its event or error title."""

    business_account_id: str
    phone_number_id: str | None
    field: str
    event: str
    at: datetime
    key: str
    payload: bytes
    problems: tuple[WireProblem, ...] = ()


class Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """An item that cannot be used, kept for a person to look at. `reason` is a short code.

    One of `not_an_object`, `no_phone_number_id`, `no_message_id`, `no_sender`, `no_status`, `no_person`.
    """

    business_account_id: str
    field: str
    reason: str
    at: datetime
    key: str
    payload: bytes


Inbound = InboundMessage | PhoneEcho | DeliveryStatus | IdentityChange | PreferenceChange | AccountNotice | Unreadable
