"""Writes content as the JSON body of `POST /{phone number id}/messages`. Nulls are left out: Graph refuses them."""

from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from app.whatsapp import content as c
from app.whatsapp.identifiers import Recipient

__all__ = ["encode_read_receipt", "encode_send", "to_graph"]

Json: TypeAlias = dict[str, Any]
_encoder = msgspec.json.Encoder()


def to_graph(
    content: c.Content, recipient: Recipient, *, tracker: str | None = None, reply_to: str | None = None
) -> dict[str, object]:
    """Return the body for content that has passed `content_rules.check`.

    `tracker` comes back in every status of the message (at most 512 characters, no personal data); `reply_to` is the
    id of the message to quote.

    Raises:
        ValueError: the recipient has neither a phone number nor a user id.

    """
    body: dict[str, object] = {"messaging_product": "whatsapp", "recipient_type": "individual"}
    if recipient.phone:
        body["to"] = recipient.phone
    elif recipient.user_id:
        body["recipient"] = recipient.user_id
    else:
        raise ValueError("a recipient needs a phone number or a user id")
    if tracker:
        body["biz_opaque_callback_data"] = tracker
    if reply_to:
        body["context"] = {"message_id": reply_to}
    kind, write = _WRITERS[type(content)]
    body["type"] = kind
    body[kind] = write(content)
    return body


def encode_send(
    content: c.Content, recipient: Recipient, *, tracker: str | None = None, reply_to: str | None = None
) -> bytes:
    """Return the body of `to_graph` as JSON bytes."""
    return _encoder.encode(to_graph(content, recipient, tracker=tracker, reply_to=reply_to))


def encode_read_receipt(message_id: str, *, typing: bool) -> bytes:
    """Return the body that marks a message (and all earlier ones) as read.

    `typing` also shows the typing indicator, for at most 25 seconds or until our answer.
    """
    body: dict[str, object] = {"messaging_product": "whatsapp", "status": "read", "message_id": message_id}
    if typing:
        body["typing_indicator"] = {"type": "text"}
    return _encoder.encode(body)


def _text(content: c.Text) -> Json:
    return {"body": content.body, "preview_url": content.preview_url}


def _file(content: Any) -> Json:
    """Write what all files have: exactly one of `id` and `link`, and the members that are set."""
    file = {"id": content.media_id} if content.media_id is not None else {"link": content.link}
    for member in ("caption", "filename"):
        value = getattr(content, member, None)
        if value is not None:
            file[member] = value
    return file


def _audio(content: c.Audio) -> Json:
    return {**_file(content), "voice": True} if content.voice else _file(content)


def _location(content: c.Location) -> Json:
    place = {"latitude": content.latitude, "longitude": content.longitude}
    return place | _given(name=content.name, address=content.address)


def _contacts(content: c.Contacts) -> list[Json]:
    return [_card(card) for card in content.contacts]


def _card(card: c.ContactCard) -> Json:
    # Graph wants at least one part of the name beside the whole.
    first_name = card.first_name or (None if card.last_name else card.formatted_name)
    name = {"formatted_name": card.formatted_name} | _given(first_name=first_name, last_name=card.last_name)
    written: Json = {"name": name}
    if card.phones:
        written["phones"] = [{"phone": p.phone} | _given(type=p.type, wa_id=p.wa_id) for p in card.phones]
    if card.emails:
        written["emails"] = [{"email": email} for email in card.emails]
    if card.company:
        written["org"] = {"company": card.company}
    return written


def _reaction(content: c.Reaction) -> Json:
    return {"message_id": content.message_id, "emoji": content.emoji}


def _buttons(content: c.Buttons) -> Json:
    buttons = [{"type": "reply", "reply": {"id": b.id, "title": b.title}} for b in content.buttons]
    return _interactive("button", content, {"buttons": buttons})


def _list_menu(content: c.ListMenu) -> Json:
    sections = [
        _given(title=section.title)
        | {"rows": [{"id": row.id, "title": row.title} | _given(description=row.description) for row in section.rows]}
        for section in content.sections
    ]
    return _interactive("list", content, {"button": content.button, "sections": sections})


def _cta_url(content: c.CtaUrl) -> Json:
    parameters = {"display_text": content.display_text, "url": content.url}
    return _interactive("cta_url", content, {"name": "cta_url", "parameters": parameters})


def _flow(content: c.Flow) -> Json:
    parameters: Json = {"flow_message_version": "3", "flow_token": content.token, "flow_cta": content.button}
    parameters |= _given(flow_id=content.flow_id, flow_name=content.flow_name)
    if content.draft:
        parameters["mode"] = "draft"
    parameters["flow_action"] = "data_exchange" if content.data_exchange else "navigate"
    if content.screen is not None:
        parameters["flow_action_payload"] = {"screen": content.screen} | _given(data=content.data)
    return _interactive("flow", content, {"name": "flow", "parameters": parameters})


def _location_request(content: c.LocationRequest) -> Json:
    action = {"name": "send_location"}
    return {"type": "location_request_message", "body": {"text": content.body}, "action": action}


def _contact_info_request(content: c.ContactInfoRequest) -> Json:
    action = {"name": "request_contact_info"}
    return {"type": "request_contact_info", "body": {"text": content.body}, "action": action}


def _interactive(kind: str, content: c.Buttons | c.ListMenu | c.CtaUrl | c.Flow, action: Json) -> Json:
    written: Json = {"type": kind, "body": {"text": content.body}, "action": action}
    header = content.header
    if isinstance(header, c.TextHeader):
        written["header"] = {"type": "text", "text": header.text}
    elif header is not None:
        member = _MEDIA_NAMES[type(header)]
        written["header"] = {"type": member, member: _file(header)}
    if content.footer is not None:
        written["footer"] = {"text": content.footer}
    return written


def _template(content: c.Template) -> Json:
    template: Json = {"name": content.name, "language": {"code": content.language}}
    if content.components:
        template["components"] = [_component(component) for component in content.components]
    return template


def _component(component: c.TemplateComponent) -> Json:
    if isinstance(component, c.ButtonParameters):
        parameter = component.parameter
        button = {"type": "button", "sub_type": _BUTTON_KINDS[type(parameter)], "index": str(component.index)}
        return {**button, "parameters": [_parameter(parameter)]}
    kind = "header" if isinstance(component, c.HeaderParameters) else "body"
    return {"type": kind, "parameters": [_parameter(parameter) for parameter in component.parameters]}


def _parameter(parameter: msgspec.Struct) -> Json:
    written: object
    match parameter:
        case c.TextParameter():
            kind, written = "text", parameter.text
        case c.CurrencyParameter():
            money = {"code": parameter.code, "amount_1000": parameter.amount_1000}
            kind, written = "currency", {"fallback_value": parameter.fallback_value, **money}
        case c.DateTimeParameter():
            kind, written = "date_time", {"fallback_value": parameter.fallback_value}
        case c.PayloadParameter():
            kind, written = "payload", parameter.payload
        case c.CouponParameter():
            kind, written = "coupon_code", parameter.coupon_code
        case c.FlowParameter():
            kind, written = "action", {"flow_token": parameter.token}
        case _:
            kind, written = _MEDIA_NAMES[type(parameter)], _file(parameter)
    return {"type": kind, kind: written} | _given(parameter_name=getattr(parameter, "name", None))


def _given(**members: object) -> Json:
    """Return the members that have a value."""
    return {name: value for name, value in members.items() if value is not None and value != _NOTHING}


_NOTHING = msgspec.Raw()
_MEDIA_NAMES: dict[type, str] = {
    c.ImageHeader: "image",
    c.VideoHeader: "video",
    c.DocumentHeader: "document",
    c.ImageParameter: "image",
    c.VideoParameter: "video",
    c.DocumentParameter: "document",
}
_BUTTON_KINDS: dict[type, str] = {
    c.PayloadParameter: "quick_reply",
    c.TextParameter: "url",
    c.CouponParameter: "copy_code",
    c.FlowParameter: "flow",
}
# The key is the class of the writer's one argument, which the type checker cannot express.
_WRITERS: dict[type, tuple[str, Callable[[Any], object]]] = {
    c.Text: ("text", _text),
    c.Image: ("image", _file),
    c.Video: ("video", _file),
    c.Audio: ("audio", _audio),
    c.Document: ("document", _file),
    c.Sticker: ("sticker", _file),
    c.Location: ("location", _location),
    c.Contacts: ("contacts", _contacts),
    c.Reaction: ("reaction", _reaction),
    c.Buttons: ("interactive", _buttons),
    c.ListMenu: ("interactive", _list_menu),
    c.CtaUrl: ("interactive", _cta_url),
    c.Flow: ("interactive", _flow),
    c.LocationRequest: ("interactive", _location_request),
    c.ContactInfoRequest: ("interactive", _contact_info_request),
    c.Template: ("template", _template),
}
