"""Webhook payloads as Meta sends them (`reference/whatsapp.md` A1), and the bytes they become.

Times are strings of unix seconds, but integers in an entry. Members that are None are left out.
"""

import hashlib
import hmac
import re

import msgspec

from app.simulator.graph_errors import StatusError

__all__ = [
    "WireButton",
    "WireContact",
    "WireContext",
    "WireConversation",
    "WireEdit",
    "WireInteractive",
    "WireLocation",
    "WireMedia",
    "WireMessage",
    "WireMetadata",
    "WireOrigin",
    "WirePricing",
    "WireProfile",
    "WireReaction",
    "WireReply",
    "WireRevoke",
    "WireStatus",
    "WireSystem",
    "WireText",
    "WireUnsupported",
    "WireValue",
    "encode_change",
    "sign",
]


class _Wire(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Optional members default to None and are left out of the JSON."""


class WireProfile(_Wire, frozen=True, kw_only=True):
    name: str | None = None
    username: str | None = None


class WireContact(_Wire, frozen=True, kw_only=True):
    profile: WireProfile
    wa_id: str | None = None
    user_id: str | None = None


class WireMetadata(_Wire, frozen=True, kw_only=True):
    display_phone_number: str
    phone_number_id: str


class WireText(_Wire, frozen=True, kw_only=True):
    body: str


class WireMedia(_Wire, frozen=True, kw_only=True):
    """`sha256` is base64, as in Meta's payloads."""

    id: str
    mime_type: str
    sha256: str
    caption: str | None = None
    filename: str | None = None
    voice: bool | None = None
    animated: bool | None = None
    url: str | None = None


class WireLocation(_Wire, frozen=True, kw_only=True):
    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None
    url: str | None = None


class WireReply(_Wire, frozen=True, kw_only=True):
    id: str
    title: str
    description: str | None = None


class WireInteractive(_Wire, frozen=True, kw_only=True):
    type: str
    button_reply: WireReply | None = None
    list_reply: WireReply | None = None
    nfm_reply: dict[str, str] | None = None


class WireButton(_Wire, frozen=True, kw_only=True):
    payload: str
    text: str


class WireReaction(_Wire, frozen=True, kw_only=True):
    message_id: str
    emoji: str | None = None


class WireContext(_Wire, frozen=True, kw_only=True, rename={"from_": "from"}):
    from_: str | None = None
    id: str | None = None
    forwarded: bool | None = None


class WireEdit(_Wire, frozen=True, kw_only=True):
    original_message_id: str
    message: dict[str, object]


class WireRevoke(_Wire, frozen=True, kw_only=True):
    original_message_id: str


class WireSystem(_Wire, frozen=True, kw_only=True):
    type: str
    body: str
    wa_id: str | None = None
    user_id: str | None = None
    previous_user_id: str | None = None


class WireUnsupported(_Wire, frozen=True, kw_only=True):
    type: str


class WireMessage(_Wire, frozen=True, kw_only=True, rename={"from_": "from"}):
    """One entry of `value.messages[]`: the member named by `type` holds the content."""

    from_: str | None = None
    from_user_id: str | None = None
    id: str
    timestamp: str
    type: str
    context: WireContext | None = None
    text: WireText | None = None
    image: WireMedia | None = None
    video: WireMedia | None = None
    audio: WireMedia | None = None
    document: WireMedia | None = None
    sticker: WireMedia | None = None
    location: WireLocation | None = None
    contacts: list[dict[str, object]] | None = None
    interactive: WireInteractive | None = None
    button: WireButton | None = None
    reaction: WireReaction | None = None
    order: dict[str, object] | None = None
    referral: dict[str, str] | None = None
    edit: WireEdit | None = None
    revoke: WireRevoke | None = None
    system: WireSystem | None = None
    unsupported: WireUnsupported | None = None
    errors: list[StatusError] | None = None


class WireOrigin(_Wire, frozen=True, kw_only=True):
    type: str


class WireConversation(_Wire, frozen=True, kw_only=True):
    id: str
    origin: WireOrigin
    expiration_timestamp: str | None = None


class WirePricing(msgspec.Struct, frozen=True, kw_only=True):
    billable: bool
    pricing_model: str
    type: str
    category: str


class WireStatus(_Wire, frozen=True, kw_only=True):
    """One entry of `value.statuses[]`."""

    id: str
    status: str
    timestamp: str
    recipient_id: str | None = None
    recipient_user_id: str | None = None
    biz_opaque_callback_data: str | None = None
    conversation: WireConversation | None = None
    pricing: WirePricing | None = None
    errors: list[StatusError] | None = None


class WireValue(_Wire, frozen=True, kw_only=True):
    """`value` of the field `messages`."""

    # Not defaulted: omit_defaults would leave it out.
    messaging_product: str
    metadata: WireMetadata
    contacts: list[WireContact] | None = None
    messages: list[WireMessage | msgspec.Raw] | None = None
    statuses: list[WireStatus] | None = None


class _Change(msgspec.Struct, frozen=True):
    value: WireValue | msgspec.Raw
    field: str


class _Entry(msgspec.Struct, frozen=True):
    id: str
    time: int
    changes: list[_Change]


class _Envelope(msgspec.Struct, frozen=True):
    object: str
    entry: list[_Entry]


def encode_change(business_account_id: str, time: int, field: str, value: WireValue | msgspec.Raw) -> bytes:
    r"""Return the bytes of a webhook with one change, non-ASCII characters written as `\uXXXX` like Meta's."""
    entry = _Entry(business_account_id, time, [_Change(value, field)])
    return _ascii(msgspec.json.encode(_Envelope("whatsapp_business_account", [entry])))


def sign(app_secret: str, body: bytes) -> str:
    """Return the value of `X-Hub-Signature-256` for exactly these bytes."""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_BEYOND_BMP = 0xFFFF


def _ascii(body: bytes) -> bytes:
    # In JSON such characters stand only inside strings, so they can be replaced without parsing.
    if body.isascii():
        return body
    return _NOT_ASCII.sub(_escaped, body.decode()).encode("ascii")


def _escaped(match: re.Match[str]) -> str:
    point = ord(match[0])
    if point <= _BEYOND_BMP:
        return f"\\u{point:04x}"
    point -= 0x10000
    return f"\\u{0xD800 + (point >> 10):04x}\\u{0xDC00 + (point & 0x3FF):04x}"
