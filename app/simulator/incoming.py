"""What a customer does, as the webhook message it becomes and the line it is on the customer's own screen."""

import secrets
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from typing import assert_never

import msgspec

from app.simulator.customer_messages import (
    AudioFromCustomer,
    ButtonReplyFromCustomer,
    ContactsFromCustomer,
    CustomerMessage,
    DocumentFromCustomer,
    EditFromCustomer,
    FlowReplyFromCustomer,
    ImageFromCustomer,
    ListReplyFromCustomer,
    LocationFromCustomer,
    NumberChangeFromCustomer,
    OrderFromCustomer,
    ReactionFromCustomer,
    RevokeFromCustomer,
    StickerFromCustomer,
    TemplateButtonFromCustomer,
    TextFromCustomer,
    UnsupportedFromCustomer,
    VideoFromCustomer,
    WelcomeFromCustomer,
)
from app.simulator.graph_errors import StatusError
from app.simulator.media import SAMPLES, MediaFile, MediaStore
from app.simulator.people import Customer
from app.simulator.wire import (
    WireButton,
    WireContext,
    WireEdit,
    WireInteractive,
    WireLocation,
    WireMedia,
    WireMessage,
    WireReaction,
    WireReply,
    WireRevoke,
    WireSystem,
    WireText,
    WireUnsupported,
)

__all__ = ["compose", "new_wamid"]

_MediaFromCustomer = (
    ImageFromCustomer | VideoFromCustomer | AudioFromCustomer | DocumentFromCustomer | StickerFromCustomer
)


def new_wamid(phone: str) -> str:
    """Return a message id in Meta's form: base64 of a header, the phone and random hexadecimal digits."""
    inner = b"\x1c\x18" + bytes((len(phone),)) + phone.encode() + b"\x15\x02\x00\x11\x18\x14"
    return "wamid." + b64encode(inner + secrets.token_hex(10).upper().encode() + b"\x00").decode()


def compose(  # noqa: C901, PLR0911, PLR0912 - one straight list, a case for each type
    sender: Customer, said: CustomerMessage, at: datetime, media: MediaStore, file_url: Callable[[str], str | None]
) -> tuple[WireMessage, str]:
    """Return the webhook message and the text on the customer's screen.

    `file_url` gives the short-lived address that newer payloads carry beside a media id, if there is one.
    """
    frame = _frame(sender, said, at)
    match said:
        case TextFromCustomer():
            return frame(type="text", text=WireText(body=said.body)), said.body
        case (
            ImageFromCustomer()
            | VideoFromCustomer()
            | AudioFromCustomer()
            | DocumentFromCustomer()
            | StickerFromCustomer()
        ):
            return _with_media(frame, said, media, file_url)
        case LocationFromCustomer():
            place = WireLocation(latitude=said.latitude, longitude=said.longitude, name=said.name, address=said.address)
            return frame(type="location", location=place), said.name or f"{said.latitude}, {said.longitude}"
        case ContactsFromCustomer():
            return frame(type="contacts", contacts=[_card(said)]), said.name
        case ButtonReplyFromCustomer():
            tap = WireInteractive(type="button_reply", button_reply=WireReply(id=said.id, title=said.title))
            return frame(type="interactive", interactive=tap), said.title
        case ListReplyFromCustomer():
            row = WireReply(id=said.id, title=said.title, description=said.description)
            return frame(type="interactive", interactive=WireInteractive(type="list_reply", list_reply=row)), said.title
        case TemplateButtonFromCustomer():
            return frame(type="button", button=WireButton(payload=said.payload, text=said.text)), said.text
        case FlowReplyFromCustomer():
            reply = {"name": "flow", "body": said.body, "response_json": said.response_json}
            return frame(type="interactive", interactive=WireInteractive(type="nfm_reply", nfm_reply=reply)), said.body
        case ReactionFromCustomer():
            # Meta leaves the emoji out when the reaction was taken away.
            reaction = WireReaction(message_id=said.message_id, emoji=said.emoji or None)
            return frame(type="reaction", reaction=reaction), said.emoji
        case OrderFromCustomer():
            return frame(type="order", order=_order(said)), said.text or f"{said.quantity} x {said.product_retailer_id}"
        case EditFromCustomer():
            new: dict[str, object] = {"type": "text", "text": {"body": said.body}}
            return frame(type="edit", edit=WireEdit(original_message_id=said.message_id, message=new)), said.body
        case RevokeFromCustomer():
            return frame(type="revoke", revoke=WireRevoke(original_message_id=said.message_id)), ""
        case UnsupportedFromCustomer():
            unknown = WireUnsupported(type=said.what)
            return frame(type="unsupported", unsupported=unknown, errors=[StatusError.of(131051)]), said.what
        case WelcomeFromCustomer():
            return frame(type="request_welcome"), ""
        case NumberChangeFromCustomer():
            text = f"User {sender.name} changed from {sender.phone} to {said.phone}"
            return frame(
                type="system", system=WireSystem(type="user_changed_number", body=text, wa_id=said.phone)
            ), text
    assert_never(said)


def _frame(sender: Customer, said: CustomerMessage, at: datetime) -> Callable[..., WireMessage]:
    """Return a maker of messages that carry this sender, a new id, the time and what is quoted."""
    context = None if said.reply_to is None else WireContext(id=said.reply_to)

    def make(**content: object) -> WireMessage:
        common = {
            "from_": sender.phone,
            "from_user_id": sender.user_id,
            "id": new_wamid(sender.phone or sender.user_id[-11:]),
            "timestamp": str(int(at.timestamp())),
            "context": context,
        }
        return WireMessage(**common, **content)  # type: ignore[arg-type]  # one member a type, named at each call

    return make


def _with_media(
    frame: Callable[..., WireMessage],
    said: _MediaFromCustomer,
    media: MediaStore,
    file_url: Callable[[str], str | None],
) -> tuple[WireMessage, str]:
    kind = type(said).__struct_config__.tag
    sample_type, sample = SAMPLES[str(kind)]
    stored = media.from_customer(said.mime_type or sample_type, sample if said.data is None else said.data)
    seen = _media_member(said, stored, file_url(stored.id))
    text = seen.caption or seen.filename or f"[{kind}]"
    return frame(type=kind, **{str(kind): seen}), text


def _media_member(said: _MediaFromCustomer, stored: MediaFile, url: str | None) -> WireMedia:
    member = WireMedia(id=stored.id, mime_type=stored.mime_type, sha256=stored.sha256_base64, url=url)
    match said:
        case ImageFromCustomer() | VideoFromCustomer():
            return msgspec.structs.replace(member, caption=said.caption)
        case AudioFromCustomer():
            return msgspec.structs.replace(member, voice=said.voice)
        case DocumentFromCustomer():
            return msgspec.structs.replace(member, caption=said.caption, filename=said.filename)
        case StickerFromCustomer():
            return msgspec.structs.replace(member, animated=said.animated)
    assert_never(said)


def _card(said: ContactsFromCustomer) -> dict[str, object]:
    phones = [{"phone": phone, "type": "CELL"} for phone in said.phones]
    return {"name": {"formatted_name": said.name, "first_name": said.name}, "phones": phones}


def _order(said: OrderFromCustomer) -> dict[str, object]:
    item = {
        "product_retailer_id": said.product_retailer_id,
        "quantity": said.quantity,
        "item_price": said.item_price,
        "currency": said.currency,
    }
    return {"catalog_id": said.catalog_id, "text": said.text, "product_items": [item]}
