"""What a person would read in a message of each type, and the file that comes with it."""

from collections.abc import Callable

import msgspec

from app.whatsapp.identifiers import identifier
from app.whatsapp.inbound import InboundMedia
from app.whatsapp.payload import Media, Message, SharedContact
from app.whatsapp.repair import clean

__all__ = ["TURN_KINDS", "form_of", "media_of", "selection_of", "text_of"]

TURN_KINDS = frozenset(
    {
        "text",
        "image",
        "video",
        "audio",
        "document",
        "sticker",
        "location",
        "contacts",
        "interactive",
        "button",
        "order",
    }
)
"""The kinds that may deserve an answer; `request_welcome` (the chat was opened, nothing was said) does not."""

_MOST_NAMES = 5


def text_of(message: Message) -> str:
    """Return what a person would read; empty where there is nothing to read."""
    read_text = _READERS.get(message.type or "")
    return read_text(message) if read_text is not None else _caption(_media(message))


def media_of(message: Message) -> InboundMedia | None:
    """Return the file of the message, or `None` if there is none that could be fetched."""
    media = _media(message)
    media_id = identifier(media.id) if media else None
    if media is None or media_id is None:
        return None
    return InboundMedia(
        media_id,
        media.mime_type,
        media.sha256,
        media.filename,
        media.caption,
        voice=bool(media.voice),
        animated=bool(media.animated),
    )


def selection_of(message: Message) -> str | None:
    """Return our own id of what was pressed or chosen."""
    if message.type == "button" and message.button:
        return identifier(message.button.payload)
    if message.type == "interactive" and message.interactive:
        choice = message.interactive.button_reply or message.interactive.list_reply
        return identifier(choice.id) if choice else None
    return None


def form_of(message: Message) -> str | None:
    """Return the answers of a form if they are a JSON object, as text; Meta wraps them in a string."""
    reply = message.interactive.nfm_reply if message.interactive else None
    answers = reply.response_json if reply else None
    if not answers:
        return None
    try:
        msgspec.json.decode(answers, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return clean(answers.encode()).decode()


def _media(message: Message) -> Media | None:
    if message.type == "image":
        return message.image
    if message.type == "audio":
        return message.audio
    if message.type == "video":
        return message.video
    if message.type == "document":
        return message.document
    return message.sticker if message.type == "sticker" else None


def _caption(media: Media | None) -> str:
    return (media and media.caption) or ""


def _body(message: Message) -> str:
    return (message.text and message.text.body) or ""


def _emoji(message: Message) -> str:
    return (message.reaction and message.reaction.emoji) or ""


def _button(message: Message) -> str:
    return (message.button and (message.button.text or message.button.payload)) or ""


def _interactive(message: Message) -> str:
    interactive = message.interactive
    if interactive is None:
        return ""
    choice = interactive.button_reply or interactive.list_reply
    if choice is not None:
        return choice.title or choice.id or ""
    if interactive.nfm_reply is not None:
        return interactive.nfm_reply.body or f"[form] {interactive.nfm_reply.name or ''}".rstrip()
    if interactive.call_permission_reply is not None:
        return f"[call permission] {interactive.call_permission_reply.response or ''}".rstrip()
    return ""


def _location(message: Message) -> str:
    place = message.location
    if place is None:
        return ""
    named = ", ".join(part for part in (place.name, place.address) if part)
    if not named and place.latitude is not None and place.longitude is not None:
        named = f"{place.latitude}, {place.longitude}"
    return f"[location] {named}".rstrip()


def _contacts(message: Message) -> str:
    shared = [_contact(contact) for contact in (message.contacts or [])[:_MOST_NAMES]]
    return f"[contacts] {', '.join(filter(None, shared))}".rstrip()


def _contact(contact: SharedContact) -> str:
    name = contact.name.formatted_name if contact.name else None
    phones = (phone.phone or phone.wa_id for phone in contact.phones or ())
    return " ".join(part for part in (name, next(filter(None, phones), None)) if part)


def _order(message: Message) -> str:
    if message.order is None:
        return ""
    items = [f"{item.quantity or 1} x {item.product_retailer_id or '?'}" for item in message.order.product_items or ()]
    return f"[order] {', '.join(items)} {message.order.text or ''}".rstrip()


def _edit(message: Message) -> str:
    edited = message.edit.message if message.edit else None
    if edited is None:
        return ""
    if edited.text is not None:
        return edited.text.body or ""
    return _caption(edited.image or edited.video or edited.document)


_READERS: dict[str, Callable[[Message], str]] = {
    "text": _body,
    "interactive": _interactive,
    "button": _button,
    "location": _location,
    "contacts": _contacts,
    "reaction": _emoji,
    "order": _order,
    "edit": _edit,
}
