"""What a person reads of a message that leaves: for the thread, the search, and the model's history."""

from app.whatsapp.content import (
    Audio,
    Buttons,
    ContactInfoRequest,
    Contacts,
    Content,
    CtaUrl,
    Document,
    Flow,
    Image,
    ListMenu,
    Location,
    LocationRequest,
    Reaction,
    Sticker,
    Template,
    Text,
    Video,
)


def kind_of(content: Content) -> str:
    """Return the content's kind as it is stored."""
    return str(content.__struct_config__.tag)


def readable_text(content: Content) -> str:
    """Return the words of the content; empty if it has none."""
    match content:
        case Text() | Buttons() | ListMenu() | CtaUrl() | Flow() | LocationRequest() | ContactInfoRequest():
            return content.body
        case Image() | Video() | Document():
            return content.caption or ""
        case Location():
            return content.name or content.address or ""
        case Contacts():
            return ", ".join(card.formatted_name for card in content.contacts)
        case Reaction():
            return content.emoji
        case Template():
            return content.name
        case Audio() | Sticker():
            return ""
