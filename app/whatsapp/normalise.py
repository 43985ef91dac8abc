"""From a webhook body to the facts in it, in the order of arrival.

Keys for de-duplication follow whatsapp.md A1: a message by number and id, a status by id, status and participant,
everything else by the digest of its canonical JSON.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from app.whatsapp.identifiers import identifier, phone_digits
from app.whatsapp.inbound import (
    AccountNotice,
    DeliveryStatus,
    IdentityChange,
    Inbound,
    InboundMessage,
    PhoneEcho,
    PreferenceChange,
    Pricing,
    Sender,
    Unreadable,
    WireProblem,
)
from app.whatsapp.message_text import TURN_KINDS, form_of, media_of, selection_of, text_of
from app.whatsapp.payload import (
    Announcement,
    Change,
    Entry,
    ErrorObject,
    Message,
    Status,
    UserPreference,
    Value,
    WireContact,
    decode,
    read,
)
from app.whatsapp.repair import objects_in

__all__ = ["normalise"]

_LONGEST_KEY = 200
_EARLIEST = datetime(2009, 1, 1, tzinfo=UTC)
_CLOCK_SKEW = timedelta(minutes=5)  # whoever is further ahead is not believed: their window would close too late


def normalise(body: bytes, received_at: datetime) -> list[Inbound]:
    """Return every fact in a webhook body; what cannot be used comes as `Unreadable`.

    `received_at` (aware) stands in for times that are missing or absurd.

    Raises:
        Unintelligible: the body is no webhook at all. Nothing else is ever raised, whatever the body.

    """
    return [
        fact
        for entry in decode(body).entry
        for change in entry.changes
        for fact in _Reader(entry, change, received_at).facts()
    ]


class _Reader:
    """Reads one change."""

    def __init__(self, entry: Entry, change: Change, received_at: datetime) -> None:
        self._entry = entry
        self._account_id = identifier(entry.id) or ""
        self._field = identifier(change.field) or ""
        self._raw = change.value
        self._received_at = received_at
        self._standby = "standby" in self._field
        self._contacts: list[WireContact] = []
        self._phone_number_id: str | None = None

    def facts(self) -> Iterator[Inbound]:
        value = read(self._raw, Value)
        if value is None or not self._field:
            yield self._unreadable("not_an_object", self._raw)
            return
        self._contacts = value.contacts or []
        self._phone_number_id = identifier(value.metadata.phone_number_id) if value.metadata else None
        found = False
        for fact in self._items(value):
            found = True
            yield fact
        if not found:
            yield self._notice(self._raw, _event_of(self._raw), ())

    def _items(self, value: Value) -> Iterator[Inbound]:
        if self._field == "messages" or self._standby:
            for raw in value.messages or ():
                yield self._message(raw)
            for raw in value.statuses or ():
                yield self._status(raw)
        elif self._field == "smb_message_echoes":
            for raw in value.message_echoes or ():
                yield self._echo(raw)
        elif self._field == "user_preferences":
            for raw in value.user_preferences or ():
                yield self._preference(raw)
        for raw in objects_in(value.errors) if bytes(value.errors) else ():
            problem = read(raw, ErrorObject)
            problems = _problems([problem]) if problem else ()
            yield self._notice(raw, problems[0].title if problems else "", problems)

    def _message(self, raw: msgspec.Raw) -> Inbound:
        message = read(raw, Message)
        if message is None:
            return self._unreadable("not_an_object", raw)
        number, message_id = self._phone_number_id, identifier(message.id)
        if number is None:
            return self._unreadable("no_phone_number_id", raw)
        if message_id is None:
            return self._unreadable("no_message_id", raw)
        if message.type == "system":
            return self._identity_change(message, number, message_id, raw)
        sender = self._sender(message)
        if sender.phone is None and sender.user_id is None:
            return self._unreadable("no_sender", raw)
        kind, text, media = message.type or "unknown", text_of(message), media_of(message)
        answerable = kind in TURN_KINDS and bool(media or text.strip()) and not _is_call_permission(message)
        context = message.context
        return InboundMessage(
            phone_number_id=number,
            business_account_id=self._account_id,
            message_id=message_id,
            sender=sender,
            sent_at=self._time(message.timestamp),
            kind=kind,
            text=text,
            turn=answerable and message.group_id is None and not self._standby,
            key=_key("m", number, message_id),
            payload=bytes(raw),
            media=media,
            reply_to=identifier(context.id) if context else None,
            target_id=_target_of(message),
            selected_id=selection_of(message),
            form_json=form_of(message),
            latitude=message.location.latitude if message.location else None,
            longitude=message.location.longitude if message.location else None,
            forwarded=bool(context and (context.forwarded or context.frequently_forwarded)),
            group_id=identifier(message.group_id),
            standby=self._standby,
            referral=bytes(message.referral) or None,
            problems=_problems(message.errors),
        )

    def _sender(self, message: Message) -> Sender:
        """Name the sender; the contact is matched by its ids, never by its place in the list."""
        phone, user_id = phone_digits(message.from_), identifier(message.from_user_id)
        for contact in self._contacts:
            same_phone = message.from_ is not None and contact.wa_id == message.from_
            if same_phone or (user_id is not None and contact.user_id == user_id):
                profile = contact.profile
                return Sender(
                    phone or phone_digits(contact.wa_id),
                    user_id or identifier(contact.user_id),
                    identifier(message.from_parent_user_id) or identifier(contact.parent_user_id),
                    profile.name if profile else None,
                    profile.username if profile else None,
                )
        return Sender(phone, user_id, identifier(message.from_parent_user_id))

    def _identity_change(self, message: Message, number: str, message_id: str, raw: msgspec.Raw) -> Inbound:
        system = message.system
        kind = (system and system.type) or "system"
        before = Sender(
            phone_digits(message.from_),
            identifier((system and system.previous_user_id) or message.from_user_id),
            identifier((system and system.previous_parent_user_id) or message.from_parent_user_id),
        )
        after = Sender()
        if system is not None:
            after = Sender(phone_digits(system.wa_id), identifier(system.user_id), identifier(system.parent_user_id))
        return IdentityChange(
            phone_number_id=number,
            business_account_id=self._account_id,
            message_id=message_id,
            kind=kind,
            before=before,
            after=after,
            at=self._time(message.timestamp),
            key=_key("m", number, message_id),
            payload=bytes(raw),
        )

    def _status(self, raw: msgspec.Raw) -> Inbound:
        status = read(raw, Status)
        if status is None:
            return self._unreadable("not_an_object", raw)
        number, message_id = self._phone_number_id, identifier(status.id)
        if number is None:
            return self._unreadable("no_phone_number_id", raw)
        if message_id is None:
            return self._unreadable("no_message_id", raw)
        name, participant = identifier(status.status), identifier(status.recipient_participant_id)
        if name is None:
            return self._unreadable("no_status", raw)
        pricing = status.pricing
        return DeliveryStatus(
            phone_number_id=number,
            business_account_id=self._account_id,
            message_id=message_id,
            status=name,
            at=self._time(status.timestamp),
            key=_key("s", message_id, name, participant or ""),
            payload=bytes(raw),
            recipient_phone=phone_digits(status.recipient_id),
            recipient_user_id=identifier(status.recipient_user_id),
            participant=participant,
            tracker=identifier(status.biz_opaque_callback_data),
            pricing=Pricing(pricing.billable, pricing.pricing_model, pricing.type, pricing.category)
            if pricing
            else None,
            problems=_problems(status.errors),
        )

    def _echo(self, raw: msgspec.Raw) -> Inbound:
        message = read(raw, Message)
        if message is None:
            return self._unreadable("not_an_object", raw)
        number, message_id = self._phone_number_id, identifier(message.id)
        if number is None:
            return self._unreadable("no_phone_number_id", raw)
        if message_id is None:
            return self._unreadable("no_message_id", raw)
        phone, user_id = phone_digits(message.to), identifier(message.to_user_id)
        if phone is None and user_id is None:
            return self._unreadable("no_person", raw)
        return PhoneEcho(
            phone_number_id=number,
            business_account_id=self._account_id,
            message_id=message_id,
            recipient_phone=phone,
            recipient_user_id=user_id,
            sent_at=self._time(message.timestamp),
            kind=message.type or "unknown",
            text=text_of(message),
            key=_key("e", number, message_id),
            payload=bytes(raw),
            media=media_of(message),
            reply_to=identifier(message.context.id) if message.context else None,
            target_id=_target_of(message),
        )

    def _preference(self, raw: msgspec.Raw) -> Inbound:
        preference = read(raw, UserPreference)
        if preference is None:
            return self._unreadable("not_an_object", raw)
        phone, user_id = phone_digits(preference.wa_id), identifier(preference.user_id)
        if phone is None and user_id is None:
            return self._unreadable("no_person", raw)
        return PreferenceChange(
            phone_number_id=self._phone_number_id,
            business_account_id=self._account_id,
            phone=phone,
            user_id=user_id,
            category=preference.category or "",
            value=preference.value or "",
            at=self._time(preference.timestamp),
            key=self._digest(raw),
            payload=bytes(raw),
        )

    def _notice(self, raw: msgspec.Raw, event: str, problems: tuple[WireProblem, ...]) -> AccountNotice:
        return AccountNotice(
            business_account_id=self._account_id,
            phone_number_id=self._phone_number_id,
            field=self._field,
            event=event,
            at=self._time(self._entry.time),
            key=self._digest(raw),
            payload=bytes(raw),
            problems=problems,
        )

    def _unreadable(self, reason: str, raw: msgspec.Raw) -> Unreadable:
        return Unreadable(
            business_account_id=self._account_id,
            field=self._field,
            reason=reason,
            at=self._time(self._entry.time),
            key=self._digest(raw),
            payload=bytes(raw),
        )

    def _time(self, unix_seconds: str | float | None) -> datetime:
        """Read a time; Meta sends numbers as text in some places and as numbers in others."""
        try:
            at = datetime.fromtimestamp(float(unix_seconds or 0), UTC)
        except (ValueError, OverflowError, OSError):
            return self._received_at
        return at if _EARLIEST <= at <= self._received_at + _CLOCK_SKEW else self._received_at

    def _digest(self, raw: msgspec.Raw) -> str:
        """Digest the field, the entry and the canonical value, which are the same in every delivery."""
        seal = hashlib.sha256(f"{self._field}\0{self._entry.id}\0{self._entry.time}\0".encode())
        seal.update(_canonical(raw))
        return "x:" + seal.hexdigest()


def _canonical(raw: msgspec.Raw) -> bytes:
    try:
        return msgspec.json.encode(msgspec.json.decode(raw), order="sorted")
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return bytes(raw)


def _key(*parts: str) -> str:
    key = ":".join(parts)
    if len(key) <= _LONGEST_KEY and key.isascii():
        return key
    return f"{parts[0]}:{hashlib.sha256(key.encode()).hexdigest()}"


def _target_of(message: Message) -> str | None:
    if message.type == "reaction" and message.reaction:
        return identifier(message.reaction.message_id)
    if message.type == "edit" and message.edit:
        return identifier(message.edit.original_message_id)
    if message.type == "revoke" and message.revoke:
        return identifier(message.revoke.original_message_id)
    return None


def _is_call_permission(message: Message) -> bool:
    return message.interactive is not None and message.interactive.call_permission_reply is not None


def _problems(errors: list[ErrorObject] | None) -> tuple[WireProblem, ...]:
    return tuple(
        WireProblem(
            error.code, error.title or error.message or "", (error.error_data and error.error_data.details) or ""
        )
        for error in errors or ()
    )


def _event_of(raw: msgspec.Raw) -> str:
    announcement = read(raw, Announcement)
    return (announcement and announcement.event) or ""
