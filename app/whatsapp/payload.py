"""What WhatsApp sends to our webhook, as it is on the wire.

Reading happens in two stages (whatsapp.md A1): a thin envelope whose values stay encoded, then each value, message and
status by itself. Every member is optional and none is closed, because Meta adds members without notice. What the strict
decoder refuses is read again member by member (`repair`), so a bad item never costs its neighbours.
"""

from typing import TypeVar

import msgspec

from app.whatsapp.errors import Unintelligible
from app.whatsapp.repair import clean, lenient, objects_in, prune

__all__ = [
    "Announcement",
    "Change",
    "Entry",
    "ErrorObject",
    "Message",
    "Metadata",
    "Profile",
    "Status",
    "UserPreference",
    "Value",
    "Webhook",
    "WireContact",
    "decode",
    "read",
]

_T = TypeVar("_T", bound=msgspec.Struct)


class Change(msgspec.Struct):
    """One change. `value` is still encoded; its shape follows from `field`."""

    field: str = ""
    value: msgspec.Raw = msgspec.Raw()


class Entry(msgspec.Struct):
    """The changes of one WhatsApp Business Account (`id`); `time` is in unix seconds."""

    id: str = ""
    time: str | int | float | None = None
    changes: list[Change] = []


class Webhook(msgspec.Struct):
    object: str
    entry: list[Entry]


class Metadata(msgspec.Struct):
    phone_number_id: str | None = None


class Profile(msgspec.Struct):
    name: str | None = None
    username: str | None = None


class WireContact(msgspec.Struct):
    profile: Profile | None = None
    wa_id: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None


class ErrorData(msgspec.Struct):
    details: str | None = None


class ErrorObject(msgspec.Struct):
    code: int | None = None
    title: str | None = None
    message: str | None = None
    error_data: ErrorData | None = None
    href: str | None = None


class Value(msgspec.Struct):
    """A value of `messages`, `smb_message_echoes`, `user_preferences` and their kin; items are still encoded."""

    metadata: Metadata | None = None
    contacts: list[WireContact] | None = None
    messages: list[msgspec.Raw] | None = None
    statuses: list[msgspec.Raw] | None = None
    message_echoes: list[msgspec.Raw] | None = None
    user_preferences: list[msgspec.Raw] | None = None
    errors: msgspec.Raw = msgspec.Raw()


class Context(msgspec.Struct):
    id: str | None = None
    forwarded: bool | None = None
    frequently_forwarded: bool | None = None


class TextBody(msgspec.Struct):
    body: str | None = None


class Media(msgspec.Struct):
    id: str | None = None
    mime_type: str | None = None
    sha256: str | None = None
    caption: str | None = None
    filename: str | None = None
    voice: bool | None = None
    animated: bool | None = None


class Place(msgspec.Struct):
    latitude: float | None = None
    longitude: float | None = None
    name: str | None = None
    address: str | None = None


class SharedName(msgspec.Struct):
    formatted_name: str | None = None


class SharedPhone(msgspec.Struct):
    phone: str | None = None
    wa_id: str | None = None


class SharedContact(msgspec.Struct):
    name: SharedName | None = None
    phones: list[SharedPhone] | None = None


class Choice(msgspec.Struct):
    id: str | None = None
    title: str | None = None
    description: str | None = None


class FormReply(msgspec.Struct):
    name: str | None = None
    body: str | None = None
    response_json: str | None = None


class CallPermission(msgspec.Struct):
    response: str | None = None


class Interactive(msgspec.Struct):
    type: str | None = None
    button_reply: Choice | None = None
    list_reply: Choice | None = None
    nfm_reply: FormReply | None = None
    call_permission_reply: CallPermission | None = None


class TemplateButton(msgspec.Struct):
    payload: str | None = None
    text: str | None = None


class ReactionBody(msgspec.Struct):
    message_id: str | None = None
    emoji: str | None = None


class OrderItem(msgspec.Struct):
    product_retailer_id: str | None = None
    quantity: int | float | str | None = None


class Order(msgspec.Struct):
    text: str | None = None
    product_items: list[OrderItem] | None = None


class System(msgspec.Struct):
    type: str | None = None
    body: str | None = None
    wa_id: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    previous_user_id: str | None = None
    previous_parent_user_id: str | None = None


class EditedMessage(msgspec.Struct):
    type: str | None = None
    text: TextBody | None = None
    image: Media | None = None
    video: Media | None = None
    document: Media | None = None


class Edit(msgspec.Struct):
    original_message_id: str | None = None
    message: EditedMessage | None = None


class Revoke(msgspec.Struct):
    original_message_id: str | None = None


class Unsupported(msgspec.Struct):
    type: str | None = None


class Message(msgspec.Struct):
    """A message to us, or (in `message_echoes`) one that the owner sent from the phone: then `to` says to whom."""

    from_: str | None = msgspec.field(default=None, name="from")
    from_user_id: str | None = None
    from_parent_user_id: str | None = None
    to: str | None = None
    to_user_id: str | None = None
    to_parent_user_id: str | None = None
    id: str | None = None
    timestamp: str | int | float | None = None
    type: str | None = None
    group_id: str | None = None
    context: Context | None = None
    referral: msgspec.Raw = msgspec.Raw()
    errors: list[ErrorObject] | None = None
    text: TextBody | None = None
    image: Media | None = None
    video: Media | None = None
    audio: Media | None = None
    document: Media | None = None
    sticker: Media | None = None
    location: Place | None = None
    contacts: list[SharedContact] | None = None
    interactive: Interactive | None = None
    button: TemplateButton | None = None
    reaction: ReactionBody | None = None
    order: Order | None = None
    system: System | None = None
    edit: Edit | None = None
    revoke: Revoke | None = None
    unsupported: Unsupported | None = None


class WirePricing(msgspec.Struct):
    billable: bool | None = None
    pricing_model: str | None = None
    type: str | None = None
    category: str | None = None


class Status(msgspec.Struct):
    id: str | None = None
    status: str | None = None
    timestamp: str | int | float | None = None
    recipient_id: str | None = None
    recipient_user_id: str | None = None
    recipient_participant_id: str | None = None
    biz_opaque_callback_data: str | None = None
    pricing: WirePricing | None = None
    errors: list[ErrorObject] | None = None


class UserPreference(msgspec.Struct):
    wa_id: str | None = None
    user_id: str | None = None
    category: str | None = None
    value: str | None = None
    timestamp: str | int | float | None = None


class Announcement(msgspec.Struct):
    """What account fields have in common."""

    event: str | None = None


class _RoughWebhook(msgspec.Struct):
    object: str = ""
    entry: msgspec.Raw = msgspec.Raw()


class _RoughEntry(msgspec.Struct):
    id: str = ""
    time: str | int | float | None = None
    changes: msgspec.Raw = msgspec.Raw()


_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_decode_webhook = msgspec.json.Decoder(Webhook).decode
_decoders: dict[type[msgspec.Struct], msgspec.json.Decoder[msgspec.Struct]] = {
    shape: msgspec.json.Decoder(shape) for shape in (Value, Message, Status, UserPreference, ErrorObject, Announcement)
}


def decode(body: bytes) -> Webhook:
    """Read the envelope of a webhook.

    Texts in it hold no NUL and no lone surrogate (see `repair.clean`). An entry or change that cannot be read comes
    back as a `Change` without a field, so that it can be kept.

    Raises:
        Unintelligible: the body is not JSON, or not an object with a list of entries. Nothing else is ever raised.

    """
    body = clean(body)
    try:
        return _decode_webhook(body)
    except _UNREADABLE:
        return _decode_roughly(prune(body))


def read(raw: bytes | msgspec.Raw, shape: type[_T]) -> _T | None:
    """Read a value or an item; members that do not fit are left out. `None` if it is not a JSON object."""
    try:
        return _decoders[shape].decode(raw)  # type: ignore[return-value]  # the table pairs each shape with its decoder
    except _UNREADABLE:
        return lenient(prune(bytes(raw)), shape)


def _decode_roughly(body: bytes) -> Webhook:
    rough = lenient(body, _RoughWebhook)
    if rough is None:
        raise Unintelligible("not_a_webhook" if _is_json(body) else "not_json")
    if not bytes(rough.entry).startswith(b"["):
        raise Unintelligible("not_a_webhook")
    return Webhook(rough.object, [_rough_entry(raw) for raw in objects_in(rough.entry)])


def _rough_entry(raw: msgspec.Raw) -> Entry:
    rough = lenient(raw, _RoughEntry)
    if rough is None:
        return Entry(changes=[Change(value=raw)])
    changes = [lenient(one, Change) or Change(value=one) for one in objects_in(rough.changes)]
    return Entry(rough.id, rough.time, changes or [Change(value=raw)])


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body)
    except _UNREADABLE:
        return False
    return True
