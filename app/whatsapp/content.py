"""What we send, as it is stored in the outbound queue and handed to a transport: one tagged union.

The structs only hold; `content_rules.check` says whether WhatsApp would take them, and `graph_body` writes them for the
Cloud API. Stored content is read back as it was written, even if a limit has changed since.
"""

import msgspec

__all__ = [
    "Audio",
    "BodyParameters",
    "ButtonParameters",
    "Buttons",
    "ContactCard",
    "ContactInfoRequest",
    "ContactPhone",
    "Contacts",
    "Content",
    "CouponParameter",
    "CtaUrl",
    "CurrencyParameter",
    "DateTimeParameter",
    "Document",
    "DocumentHeader",
    "DocumentParameter",
    "Flow",
    "FlowParameter",
    "Header",
    "HeaderParameters",
    "Image",
    "ImageHeader",
    "ImageParameter",
    "ListMenu",
    "Location",
    "LocationRequest",
    "PayloadParameter",
    "Reaction",
    "ReplyButton",
    "Row",
    "Section",
    "Sticker",
    "Template",
    "TemplateComponent",
    "Text",
    "TextHeader",
    "TextParameter",
    "Video",
    "VideoHeader",
    "VideoParameter",
    "decode_content",
    "encode_content",
]


class _Struct(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Frozen, compact in JSON, and strict about member names."""


class _File(_Struct, frozen=True, kw_only=True):
    """A file: exactly one of `media_id` (uploaded, lives 30 days) and `link` (fetched and cached by Meta)."""

    media_id: str | None = None
    link: str | None = None


class Text(_Struct, frozen=True, tag="text"):
    body: str
    preview_url: bool = False


class Image(_File, frozen=True, kw_only=True, tag="image"):
    caption: str | None = None


class Video(_File, frozen=True, kw_only=True, tag="video"):
    caption: str | None = None


class Audio(_File, frozen=True, kw_only=True, tag="audio"):
    """`voice` makes a voice note of an OGG/OPUS file."""

    voice: bool = False


class Document(_File, frozen=True, kw_only=True, tag="document"):
    caption: str | None = None
    filename: str | None = None


class Sticker(_File, frozen=True, kw_only=True, tag="sticker"):
    pass


class Location(_Struct, frozen=True, tag="location"):
    """Degrees of WGS 84."""

    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


class ContactPhone(_Struct, frozen=True):
    phone: str
    type: str | None = None
    wa_id: str | None = None


class ContactCard(_Struct, frozen=True):
    formatted_name: str
    phones: tuple[ContactPhone, ...] = ()
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    emails: tuple[str, ...] = ()


class Contacts(_Struct, frozen=True, tag="contacts"):
    contacts: tuple[ContactCard, ...]


class Reaction(_Struct, frozen=True, tag="reaction"):
    """An emoji on the message `message_id`; an empty one removes ours."""

    message_id: str
    emoji: str


class TextHeader(_Struct, frozen=True, tag="text"):
    text: str


class ImageHeader(_File, frozen=True, kw_only=True, tag="image"):
    pass


class VideoHeader(_File, frozen=True, kw_only=True, tag="video"):
    pass


class DocumentHeader(_File, frozen=True, kw_only=True, tag="document"):
    filename: str | None = None


Header = TextHeader | ImageHeader | VideoHeader | DocumentHeader


class ReplyButton(_Struct, frozen=True):
    id: str
    title: str


class Buttons(_Struct, frozen=True, tag="buttons"):
    """One to three buttons that answer with their `id`."""

    body: str
    buttons: tuple[ReplyButton, ...]
    header: Header | None = None
    footer: str | None = None


class Row(_Struct, frozen=True):
    id: str
    title: str
    description: str | None = None


class Section(_Struct, frozen=True):
    """`title` is needed as soon as there is more than one section."""

    rows: tuple[Row, ...]
    title: str | None = None


class ListMenu(_Struct, frozen=True, tag="list"):
    """A menu behind one `button`; at most 10 rows in all sections together."""

    body: str
    button: str
    sections: tuple[Section, ...]
    header: TextHeader | None = None
    footer: str | None = None


class CtaUrl(_Struct, frozen=True, tag="cta_url"):
    """A button that opens `url`."""

    body: str
    display_text: str
    url: str
    header: Header | None = None
    footer: str | None = None


class Flow(_Struct, frozen=True, tag="flow"):
    """A button that opens a form: exactly one of `flow_id` and `flow_name`. The answer carries `token` back.

    `data` is a JSON object that fills `screen`; with `data_exchange` our own endpoint chooses the first screen.
    """

    body: str
    button: str
    token: str
    flow_id: str | None = None
    flow_name: str | None = None
    draft: bool = False
    data_exchange: bool = False
    screen: str | None = None
    data: msgspec.Raw = msgspec.Raw()
    header: Header | None = None
    footer: str | None = None


class LocationRequest(_Struct, frozen=True, tag="location_request"):
    body: str


class ContactInfoRequest(_Struct, frozen=True, tag="contact_info_request"):
    """Asks a person who is known by a user id only for the phone number; the answer is a `contacts` message."""

    body: str


class TextParameter(_Struct, frozen=True, tag="text"):
    """`name` is needed where the template's parameters are named, not numbered."""

    text: str
    name: str | None = None


class CurrencyParameter(_Struct, frozen=True, tag="currency"):
    """`amount_1000` is the amount in thousandths of the currency unit; `code` is ISO 4217."""

    fallback_value: str
    code: str
    amount_1000: int
    name: str | None = None


class DateTimeParameter(_Struct, frozen=True, tag="date_time"):
    fallback_value: str
    name: str | None = None


class ImageParameter(_File, frozen=True, kw_only=True, tag="image"):
    pass


class VideoParameter(_File, frozen=True, kw_only=True, tag="video"):
    pass


class DocumentParameter(_File, frozen=True, kw_only=True, tag="document"):
    filename: str | None = None


class PayloadParameter(_Struct, frozen=True, tag="payload"):
    """What a quick-reply button answers with."""

    payload: str


class CouponParameter(_Struct, frozen=True, tag="coupon_code"):
    coupon_code: str


class FlowParameter(_Struct, frozen=True, tag="flow"):
    token: str


class HeaderParameters(_Struct, frozen=True, tag="header"):
    parameters: tuple[TextParameter | ImageParameter | VideoParameter | DocumentParameter, ...]


class BodyParameters(_Struct, frozen=True, tag="body"):
    parameters: tuple[TextParameter | CurrencyParameter | DateTimeParameter, ...]


class ButtonParameters(_Struct, frozen=True, tag="button"):
    """Fills button `index` (from 0).

    A quick reply takes a payload, an address button (`url`) the text that completes its address, a copy-code button a
    coupon code, a form button a flow token; the kind of button follows from the parameter.
    """

    index: int
    parameter: PayloadParameter | TextParameter | CouponParameter | FlowParameter


TemplateComponent = HeaderParameters | BodyParameters | ButtonParameters


class Template(_Struct, frozen=True, tag="template"):
    """An approved template. `language` is Meta's code (`es`, `pt_BR`, `en_US`)."""

    name: str
    language: str
    components: tuple[TemplateComponent, ...] = ()


Content = (
    Text
    | Image
    | Video
    | Audio
    | Document
    | Sticker
    | Location
    | Contacts
    | Reaction
    | Buttons
    | ListMenu
    | CtaUrl
    | Flow
    | LocationRequest
    | ContactInfoRequest
    | Template
)

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Content] = msgspec.json.Decoder(Content)


def encode_content(content: Content) -> bytes:
    """Return the content as JSON, with its kind in `type`."""
    return _encoder.encode(content)


def decode_content(stored: bytes | str) -> Content:
    """Read what `encode_content` wrote.

    Raises:
        msgspec.ValidationError: it is something else.

    """
    return _decoder.decode(stored)
