"""What a page tells, in the words of Meta's webhooks, so that after the door there is one path for every transport.

A page names people by phone (`<digits>@c.us`) or by LID (`<digits>@lid`), the id that WhatsApp uses where a number is
not shown. A LID stands where the Cloud API has a business-scoped user id. Messages are known by their bare id, the last
part of `false_<chat>_<id>`, because some pages show no more than that.
"""

from typing import Any, Final, Literal

import msgspec

__all__ = ["MediaTold", "WebAck", "WebEvent", "WebMessage", "ack_body", "message_body", "people_of", "status_of"]

_ACCOUNT: Final = "whatsapp-web"
_FILES: Final = {
    "image": "image",
    "video": "video",
    "ptv": "video",
    "gif": "video",
    "audio": "audio",
    "ptt": "audio",
    "document": "document",
    "sticker": "sticker",
}
_STATUSES: Final = {1: "sent", 2: "delivered", 3: "read", 4: "played", -1: "failed"}


class MediaTold(msgspec.Struct, frozen=True, kw_only=True):
    """A file that the page can fetch. `sha256` is base64."""

    mime_type: str | None = None
    filename: str | None = None
    sha256: str | None = None


class WebMessage(msgspec.Struct, frozen=True, kw_only=True, tag_field="told", tag="message"):
    """A message in a chat, either way. `at` is in unix seconds.

    `key` is the whole id, with which the page finds it again; `kind` is WhatsApp Web's type, an open set. `phone` and
    `lid` name the person of the chat. Without both the page could not say who it is: then `title` is all we know, and
    the message is shown but never answered.
    """

    id: str
    key: str
    chat: str
    from_me: bool
    kind: str
    text: str = ""
    at: int
    phone: str | None = None
    lid: str | None = None
    name: str | None = None
    title: str | None = None
    group: bool = False
    quoted_id: str | None = None
    media: MediaTold | None = None
    latitude: float | None = None
    longitude: float | None = None
    emoji: str | None = None
    target_id: str | None = None

    @property
    def is_verified(self) -> bool:
        return self.phone is not None or self.lid is not None


class WebAck(msgspec.Struct, frozen=True, kw_only=True, tag_field="told", tag="ack"):
    """What became of messages of ours: -1 failed, 1 sent, 2 delivered, 3 read, 4 played."""

    ids: tuple[str, ...]
    chat: str
    ack: int
    at: int


WebEvent = WebMessage | WebAck


def people_of(message: WebMessage, channel_number: str) -> tuple[str | None, str | None]:
    """Return (phone digits, user id) of the person of the chat; a title is only one within its own channel."""
    if message.is_verified:
        return message.phone, f"{message.lid}@lid" if message.lid else None
    return None, f"{channel_number}:{message.title or message.chat}"[:150]


def message_body(message: WebMessage, number: str) -> bytes:
    """Return the webhook body of a message to us, or of one that was typed on the phone. The same message, the same."""
    phone, user_id = people_of(message, number)
    item: dict[str, Any] = {"id": message.id, "timestamp": str(message.at), **_content(message)}
    if message.quoted_id:
        item["context"] = {"id": message.quoted_id}
    if message.group:
        item["group_id"] = message.chat
    if message.from_me:
        item |= {"to": phone, "to_user_id": user_id}
        return _body("smb_message_echoes", number, {"message_echoes": [_present(item)]})
    item |= {"from": phone, "from_user_id": user_id}
    contact = {"wa_id": phone, "user_id": user_id, "profile": {"name": message.name or message.title or ""}}
    # What Meta calls standby is what we do with people we cannot be sure of: look on, and do not answer.
    field: Literal["messages", "standby"] = "messages" if message.is_verified else "standby"
    return _body(field, number, {"contacts": [_present(contact)], "messages": [_present(item)]})


def ack_body(ack: WebAck, message_id: str, tracker: str | None, number: str) -> bytes | None:
    """Return the webhook body of a delivery status; None for an ack that says nothing."""
    status = status_of(ack.ack)
    if status is None:
        return None
    item = {"id": message_id, "status": status, "timestamp": str(ack.at), "biz_opaque_callback_data": tracker}
    return _body("messages", number, {"statuses": [_present(item)]})


def status_of(ack: int) -> str | None:
    return _STATUSES.get(ack)


def _content(message: WebMessage) -> dict[str, Any]:
    kind = message.kind
    if kind in _FILES and message.media is not None:
        file = {
            "id": message.key,
            "mime_type": message.media.mime_type,
            "sha256": message.media.sha256,
            "filename": message.media.filename,
            "caption": message.text or None,
            "voice": True if kind == "ptt" else None,
        }
        return {"type": _FILES[kind], _FILES[kind]: _present(file)}
    match kind:
        case "chat":
            return {"type": "text", "text": {"body": message.text}}
        case "location":
            place = {"latitude": message.latitude, "longitude": message.longitude, "name": message.text or None}
            return {"type": "location", "location": _present(place)}
        case "reaction":
            return {"type": "reaction", "reaction": {"message_id": message.target_id, "emoji": message.emoji or ""}}
        case "revoked":
            return {"type": "revoke", "revoke": {"original_message_id": message.target_id}}
        case _:
            return {"type": "unsupported", "unsupported": {"type": kind}, "errors": [{"code": 131051, "title": kind}]}


def _body(field: str, number: str, value: dict[str, Any]) -> bytes:
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": number}, **value}
    entry = {"id": _ACCOUNT, "changes": [{"field": field, "value": value}]}
    return msgspec.json.encode({"object": "whatsapp_business_account", "entry": [entry]})


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
