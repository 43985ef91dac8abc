"""What a customer may do on the phone, as people and tests ask for it (control API)."""

from typing import Annotated

import msgspec

__all__ = [
    "AudioFromCustomer",
    "BusinessScopedId",
    "ButtonReplyFromCustomer",
    "ContactsFromCustomer",
    "ControlInput",
    "CustomerKey",
    "CustomerMessage",
    "DocumentFromCustomer",
    "EditFromCustomer",
    "FlowReplyFromCustomer",
    "Id",
    "ImageFromCustomer",
    "ListReplyFromCustomer",
    "LocationFromCustomer",
    "NumberChangeFromCustomer",
    "OrderFromCustomer",
    "PhoneDigits",
    "ReactionFromCustomer",
    "RevokeFromCustomer",
    "StickerFromCustomer",
    "TemplateButtonFromCustomer",
    "TextFromCustomer",
    "UnsupportedFromCustomer",
    "VideoFromCustomer",
    "WelcomeFromCustomer",
]

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
PhoneDigits = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{5,14}$")]
# Meta: two letters of the country, a dot, up to 128 letters and digits.
CustomerKey = Annotated[str, msgspec.Meta(pattern=r"^(\+?[1-9][0-9]{5,14}|[A-Z]{2}\.[A-Za-z0-9]{1,128})$")]
BusinessScopedId = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}\.[A-Za-z0-9]{1,128}$")]


class ControlInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the control API takes refuses members it does not know."""


class _FromCustomer(ControlInput, frozen=True, kw_only=True, tag_field="type"):
    """What a customer does on the phone; `reply_to` is the id of the message they quote."""

    reply_to: Id | None = None


class TextFromCustomer(_FromCustomer, frozen=True, kw_only=True, tag="text"):
    body: str


class _MediaFromCustomer(_FromCustomer, frozen=True, kw_only=True):
    """`data` is base64 in JSON; without it a small sample of the kind is sent."""

    data: bytes | None = None
    mime_type: str | None = None


class ImageFromCustomer(_MediaFromCustomer, frozen=True, kw_only=True, tag="image"):
    caption: str | None = None


class VideoFromCustomer(_MediaFromCustomer, frozen=True, kw_only=True, tag="video"):
    caption: str | None = None


class AudioFromCustomer(_MediaFromCustomer, frozen=True, kw_only=True, tag="audio"):
    """`voice` is a voice note, recorded in the chat."""

    voice: bool = True


class DocumentFromCustomer(_MediaFromCustomer, frozen=True, kw_only=True, tag="document"):
    caption: str | None = None
    filename: str = "document.pdf"


class StickerFromCustomer(_MediaFromCustomer, frozen=True, kw_only=True, tag="sticker"):
    animated: bool = False


class LocationFromCustomer(_FromCustomer, frozen=True, kw_only=True, tag="location"):
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    name: str | None = None
    address: str | None = None


class ContactsFromCustomer(_FromCustomer, frozen=True, kw_only=True, tag="contacts"):
    """One card: a name and phone numbers as typed."""

    name: str
    phones: tuple[str, ...] = ()


class ButtonReplyFromCustomer(_FromCustomer, frozen=True, kw_only=True, tag="button_reply"):
    """A tap on a reply button of an interactive message."""

    id: Id
    title: str


class ListReplyFromCustomer(_FromCustomer, frozen=True, kw_only=True, tag="list_reply"):
    """A row chosen from a list."""

    id: Id
    title: str
    description: str | None = None


class TemplateButtonFromCustomer(_FromCustomer, frozen=True, kw_only=True, tag="button"):
    """A tap on a quick-reply button of a template."""

    payload: str
    text: str


class FlowReplyFromCustomer(_FromCustomer, frozen=True, kw_only=True, tag="flow_reply"):
    """A completed flow; `response_json` is JSON in a string."""

    response_json: str
    body: str = "Sent"


class ReactionFromCustomer(_FromCustomer, frozen=True, kw_only=True, tag="reaction"):
    """An empty emoji takes the reaction away."""

    message_id: Id
    emoji: str = ""


class OrderFromCustomer(_FromCustomer, frozen=True, kw_only=True, tag="order"):
    catalog_id: Id
    product_retailer_id: Id
    quantity: int = 1
    item_price: float = 1.0
    currency: str = "USD"
    text: str = ""


class EditFromCustomer(_FromCustomer, frozen=True, kw_only=True, tag="edit"):
    """A new text for a message sent before."""

    message_id: Id
    body: str


class RevokeFromCustomer(_FromCustomer, frozen=True, kw_only=True, tag="revoke"):
    """Delete for everyone."""

    message_id: Id


class UnsupportedFromCustomer(_FromCustomer, frozen=True, kw_only=True, tag="unsupported"):
    """Something that Meta does not pass on, such as a poll."""

    what: str = "poll_creation"


class WelcomeFromCustomer(_FromCustomer, frozen=True, kw_only=True, tag="request_welcome"):
    """The customer opened the chat for the first time."""


class NumberChangeFromCustomer(_FromCustomer, frozen=True, kw_only=True, tag="user_changed_number"):
    """The customer has a new phone number (and so a new business-scoped user id)."""

    phone: PhoneDigits


CustomerMessage = (
    TextFromCustomer
    | ImageFromCustomer
    | VideoFromCustomer
    | AudioFromCustomer
    | DocumentFromCustomer
    | StickerFromCustomer
    | LocationFromCustomer
    | ContactsFromCustomer
    | ButtonReplyFromCustomer
    | ListReplyFromCustomer
    | TemplateButtonFromCustomer
    | FlowReplyFromCustomer
    | ReactionFromCustomer
    | OrderFromCustomer
    | EditFromCustomer
    | RevokeFromCustomer
    | UnsupportedFromCustomer
    | WelcomeFromCustomer
    | NumberChangeFromCustomer
)
