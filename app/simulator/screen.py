"""What the customer sees on the screen: messages of the business with what can be tapped, and their own."""

from collections.abc import Mapping

import msgspec

from app.simulator.customer_messages import (
    CustomerMessage,
    EditFromCustomer,
    ReactionFromCustomer,
    RevokeFromCustomer,
)
from app.simulator.ledger import Received, Wrote
from app.simulator.people import Phone
from app.simulator.schemas import Choice, PhoneMessage
from app.simulator.wire import WireMessage

__all__ = ["Shown", "show", "show_again", "show_received", "show_written"]


class Shown(msgspec.Struct, frozen=True):
    text: str
    choices: tuple[Choice, ...] = ()
    media_id: str | None = None


class _Reply(msgspec.Struct):
    id: str
    title: str


class _Button(msgspec.Struct):
    reply: _Reply


class _Section(msgspec.Struct):
    rows: list[_Reply] = []


class _Parameters(msgspec.Struct):
    display_text: str | None = None
    flow_cta: str | None = None
    url: str | None = None


class _Action(msgspec.Struct):
    buttons: list[_Button] = []
    sections: list[_Section] = []
    parameters: _Parameters = msgspec.field(default_factory=_Parameters)


class _Words(msgspec.Struct):
    text: str


class _Interactive(msgspec.Struct):
    action: _Action
    body: _Words = msgspec.field(default_factory=lambda: _Words(""))


def show(kind: str, content: object) -> Shown:
    """Return what the customer sees of the member named by the type of an accepted body (not of a template)."""
    if kind == "interactive":
        return _show_interactive(content)
    if isinstance(content, Mapping):
        text = content.get("body") or content.get("caption") or content.get("emoji") or content.get("name")
        media_id = content.get("id")
        return Shown(
            text if isinstance(text, str) else f"[{kind}]", media_id=media_id if isinstance(media_id, str) else None
        )
    return Shown(f"[{kind}]")


def _show_interactive(content: object) -> Shown:
    shape = msgspec.convert(content, _Interactive)
    buttons = [Choice(button.reply.id, button.reply.title, "button_reply") for button in shape.action.buttons]
    rows = [Choice(row.id, row.title, "list_reply") for section in shape.action.sections for row in section.rows]
    link = shape.action.parameters
    label = link.display_text or link.flow_cta
    text = shape.body.text if label is None else f"{shape.body.text}\n[{label}] {link.url or ''}".rstrip()
    return Shown(text, tuple(buttons + rows))


def show_again(record: Received) -> Shown:
    """Return what a message of an earlier life of the simulator looked like."""
    if record.kind == "template":
        return Shown(record.body)
    return show(record.kind, msgspec.json.decode(record.content))


def show_received(phone: Phone, entry: Received, shown: Shown, reply_to: str | None) -> None:
    """Put a message of the business on the screen."""
    phone.show(
        PhoneMessage(
            id=entry.wamid,
            changed=0,
            mine=False,
            kind=entry.kind,
            text=shown.text,
            at=entry.at,
            choices=shown.choices,
            media_id=shown.media_id,
            reply_to=reply_to,
            tick="none",
            reaction=None,
        )
    )


def show_written(phone: Phone, record: Wrote, message: CustomerMessage | None) -> None:
    """Put what the customer did on the screen; a reaction, an edit or a deletion also changes its target."""
    if isinstance(message, ReactionFromCustomer | EditFromCustomer | RevokeFromCustomer):
        _change_target(phone, message, record.text)
    wire = record.message
    phone.show(
        PhoneMessage(
            id=wire.id,
            changed=0,
            mine=True,
            kind=wire.type,
            text=record.text,
            at=record.at,
            tick="sent",
            choices=(),
            media_id=_media_id(wire),
            reaction=None,
            reply_to=None if wire.context is None else wire.context.id,
        )
    )


def _change_target(
    phone: Phone, message: ReactionFromCustomer | EditFromCustomer | RevokeFromCustomer, text: str
) -> None:
    target = phone.find(message.message_id)
    if target is None:
        return
    if isinstance(message, ReactionFromCustomer):
        target.reaction = message.emoji or None
    else:
        target.text = text
    phone.touch(target)


def _media_id(wire: WireMessage) -> str | None:
    media = wire.image or wire.video or wire.audio or wire.document or wire.sticker
    return None if media is None else media.id
