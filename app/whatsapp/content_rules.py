"""What WhatsApp takes: the limits of each kind of message, checked before anything is queued.

Source: Meta, Cloud API message reference; OpenAPI v23.0 (whatsapp.md A2). Where a length could be counted in code
points or in UTF-16 units, UTF-16 units are counted, which is never fewer: nothing that passes here is too long there.
"""

import math
import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from app.whatsapp import content as c
from app.whatsapp.errors import InvalidContent

__all__ = ["LONGEST_TEXT", "check", "utf16_length"]

LONGEST_TEXT = 4096
_LONGEST_BODY, _LONGEST_CAPTION, _LONGEST_FOOTER, _LONGEST_HEADER = 1024, 1024, 60, 60
_LONGEST_BUTTON, _LONGEST_BUTTON_ID, _MOST_BUTTONS = 20, 256, 3
_LONGEST_ROW_ID, _LONGEST_ROW_TITLE, _LONGEST_ROW_DESCRIPTION = 200, 24, 72
_MOST_ROWS = _MOST_SECTIONS = 10
_LONGEST_FLOW_BUTTON = 30
_MOST_CONTACTS = 257
_MOST_TEMPLATE_BUTTONS = 10
_LONGEST_NAME, _LONGEST_LINK, _LONGEST_PARAMETER = 512, 2048, 1024
_LONGEST_EMOJI = 32
_LINK = re.compile(r"https?://[^\s/?#]+\S*")
_UNSENDABLE = re.compile("[\x00\ud800-\udfff]")
_TEMPLATE_NAME = re.compile(r"[a-z0-9_]{1,512}", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:_[A-Za-z]{2,4})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


def utf16_length(text: str) -> int:
    """Return the length in UTF-16 units: 1 for most letters, 2 for most emoji."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def check(content: c.Content) -> None:
    """Check a message against what WhatsApp takes.

    Raises:
        InvalidContent: it would be refused; `field` names the member at fault (`sections[1].rows[0].title`).

    """
    _CHECKS[type(content)](content)


def _text(content: c.Text) -> None:
    _words(content.body, "body", LONGEST_TEXT)


def _captioned(content: c.Image | c.Video) -> None:
    _file(content)
    _optional(content.caption, "caption", _LONGEST_CAPTION)


def _document(content: c.Document) -> None:
    _file(content)
    _optional(content.caption, "caption", _LONGEST_CAPTION)
    _optional(content.filename, "filename", _LONGEST_NAME)


def _location(content: c.Location) -> None:
    _degrees(content.latitude, "latitude", 90)
    _degrees(content.longitude, "longitude", 180)
    _optional(content.name, "name", _LONGEST_BODY)
    _optional(content.address, "address", _LONGEST_BODY)


def _contacts(content: c.Contacts) -> None:
    _count(content.contacts, "contacts", _MOST_CONTACTS)
    for number, card in enumerate(content.contacts):
        at = f"contacts[{number}]."
        _words(card.formatted_name, f"{at}formatted_name", _LONGEST_NAME)
        for member in ("first_name", "last_name", "company"):
            _optional(getattr(card, member), at + member, _LONGEST_NAME)
        for index, phone in enumerate(card.phones):
            _words(phone.phone, f"{at}phones[{index}].phone", _LONGEST_NAME)
            _optional(phone.type, f"{at}phones[{index}].type", _LONGEST_NAME)
            _optional(phone.wa_id, f"{at}phones[{index}].wa_id", _LONGEST_NAME)
        for index, email in enumerate(card.emails):
            _words(email, f"{at}emails[{index}]", _LONGEST_NAME)


def _reaction(content: c.Reaction) -> None:
    _words(content.message_id, "message_id", _LONGEST_NAME)
    if content.emoji:
        _words(content.emoji, "emoji", _LONGEST_EMOJI)


def _buttons(content: c.Buttons) -> None:
    _frame(content)
    _count(content.buttons, "buttons", _MOST_BUTTONS)
    for number, button in enumerate(content.buttons):
        _words(button.id, f"buttons[{number}].id", _LONGEST_BUTTON_ID)
        _words(button.title, f"buttons[{number}].title", _LONGEST_BUTTON)
    _unique((button.id for button in content.buttons), "buttons[{}].id")
    _unique((button.title for button in content.buttons), "buttons[{}].title")


def _list_menu(content: c.ListMenu) -> None:
    _frame(content)
    _words(content.button, "button", _LONGEST_BUTTON)
    _count(content.sections, "sections", _MOST_SECTIONS)
    for number, section in enumerate(content.sections):
        at = f"sections[{number}]"
        _count(section.rows, f"{at}.rows", _MOST_ROWS)
        if len(content.sections) > 1 and section.title is None:
            raise InvalidContent("each of several sections needs a title", f"{at}.title")
        _optional(section.title, f"{at}.title", _LONGEST_ROW_TITLE)
        for index, row in enumerate(section.rows):
            _words(row.id, f"{at}.rows[{index}].id", _LONGEST_ROW_ID)
            _words(row.title, f"{at}.rows[{index}].title", _LONGEST_ROW_TITLE)
            _optional(row.description, f"{at}.rows[{index}].description", _LONGEST_ROW_DESCRIPTION)
    rows = [row.id for section in content.sections for row in section.rows]
    if len(rows) > _MOST_ROWS:
        raise InvalidContent(f"{len(rows)} rows in all, at most {_MOST_ROWS} are taken", "sections")
    if len(set(rows)) < len(rows):
        raise InvalidContent("two rows have the same id", "sections")


def _cta_url(content: c.CtaUrl) -> None:
    _frame(content)
    _words(content.display_text, "display_text", _LONGEST_BUTTON)
    _link(content.url, "url")


def _flow(content: c.Flow) -> None:
    _frame(content)
    _words(content.button, "button", _LONGEST_FLOW_BUTTON)
    _words(content.token, "token", _LONGEST_NAME)
    if (content.flow_id is None) == (content.flow_name is None):
        raise InvalidContent("give exactly one of flow_id and flow_name", "flow_id")
    _optional(content.flow_id, "flow_id", _LONGEST_NAME)
    _optional(content.flow_name, "flow_name", _LONGEST_NAME)
    _optional(content.screen, "screen", _LONGEST_NAME)
    if bytes(content.data):
        if content.screen is None:
            raise InvalidContent("data fills a screen: name it", "screen")
        _json_object(content.data)


def _request(content: c.LocationRequest | c.ContactInfoRequest) -> None:
    _words(content.body, "body", _LONGEST_BODY)


def _template(content: c.Template) -> None:
    if not _TEMPLATE_NAME.fullmatch(content.name):
        raise InvalidContent("a template's name has lower-case letters, digits and underscores only", "name")
    if not _LANGUAGE.fullmatch(content.language):
        raise InvalidContent("a language is written like es, pt_BR or en_US", "language")
    _unique((_place(component) for component in content.components), "components[{}]")
    for number, component in enumerate(content.components):
        _component(component, f"components[{number}]")


def _place(component: c.TemplateComponent) -> str:
    return f"button {component.index}" if isinstance(component, c.ButtonParameters) else type(component).__name__


def _component(component: c.TemplateComponent, at: str) -> None:
    if isinstance(component, c.ButtonParameters):
        if not 0 <= component.index < _MOST_TEMPLATE_BUTTONS:
            raise InvalidContent(
                f"a template has at most {_MOST_TEMPLATE_BUTTONS} buttons, counted from 0", f"{at}.index"
            )
        _parameter(component.parameter, f"{at}.parameter")
        return
    _count(component.parameters, f"{at}.parameters", _LONGEST_NAME)
    for number, parameter in enumerate(component.parameters):
        _parameter(parameter, f"{at}.parameters[{number}]")


def _parameter(parameter: msgspec.Struct, at: str) -> None:
    if isinstance(parameter, c.ImageParameter | c.VideoParameter | c.DocumentParameter):
        _file(parameter, f"{at}.")
    if isinstance(parameter, c.CurrencyParameter) and not _CURRENCY.fullmatch(parameter.code):
        raise InvalidContent("a currency is written in three capitals, EUR", f"{at}.code")
    for field in msgspec.structs.fields(parameter):
        value = getattr(parameter, field.name)
        if isinstance(value, str):
            _words(value, f"{at}.{field.name}", _LONGEST_LINK if field.name == "link" else _LONGEST_PARAMETER)


def _frame(content: c.Buttons | c.ListMenu | c.CtaUrl | c.Flow) -> None:
    _words(content.body, "body", _LONGEST_BODY)
    _optional(content.footer, "footer", _LONGEST_FOOTER)
    header = content.header
    if isinstance(header, c.TextHeader):
        _words(header.text, "header.text", _LONGEST_HEADER)
    elif header is not None:
        _file(header, "header.")
        if isinstance(header, c.DocumentHeader):
            _optional(header.filename, "header.filename", _LONGEST_NAME)


def _file(
    file: c.Image
    | c.Video
    | c.Audio
    | c.Document
    | c.Sticker
    | c.ImageHeader
    | c.VideoHeader
    | c.DocumentHeader
    | c.ImageParameter
    | c.VideoParameter
    | c.DocumentParameter,
    at: str = "",
) -> None:
    if (file.media_id is None) == (file.link is None):
        raise InvalidContent("give exactly one of media_id and link", f"{at}media_id")
    if file.link is not None:
        _link(file.link, f"{at}link")
    else:
        _optional(file.media_id, f"{at}media_id", _LONGEST_NAME)


def _link(link: str, field: str) -> None:
    _words(link, field, _LONGEST_LINK)
    if not _LINK.fullmatch(link):
        raise InvalidContent("this is no http or https address", field)


def _words(text: str, field: str, longest: int) -> None:
    if not text.strip():
        raise InvalidContent("this may not be empty", field)
    if utf16_length(text) > longest:
        raise InvalidContent(f"this is longer than {longest} characters", field)
    if _UNSENDABLE.search(text):
        raise InvalidContent("this has a character that cannot be sent (NUL or half a surrogate pair)", field)


def _optional(text: str | None, field: str, longest: int) -> None:
    if text is not None:
        _words(text, field, longest)


def _count(items: tuple[object, ...], field: str, most: int) -> None:
    if not 1 <= len(items) <= most:
        raise InvalidContent(f"1 to {most} are needed, not {len(items)}", field)


def _unique(values: Iterable[str], field: str) -> None:
    seen = set()
    for number, value in enumerate(values):
        if value in seen:
            raise InvalidContent("this is there twice", field.format(number))
        seen.add(value)


def _degrees(value: float, field: str, most: float) -> None:
    if not math.isfinite(value) or abs(value) > most:
        raise InvalidContent(f"degrees between -{most} and {most} are needed", field)


def _json_object(data: msgspec.Raw) -> None:
    try:
        msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidContent("this is no JSON object", "data") from error


# The key is the class of the one argument, which the type checker cannot express.
_CHECKS: dict[type, Callable[[Any], None]] = {
    c.Text: _text,
    c.Image: _captioned,
    c.Video: _captioned,
    c.Audio: _file,
    c.Document: _document,
    c.Sticker: _file,
    c.Location: _location,
    c.Contacts: _contacts,
    c.Reaction: _reaction,
    c.Buttons: _buttons,
    c.ListMenu: _list_menu,
    c.CtaUrl: _cta_url,
    c.Flow: _flow,
    c.LocationRequest: _request,
    c.ContactInfoRequest: _request,
    c.Template: _template,
}
