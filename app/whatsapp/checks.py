"""Does a channel work? Each question is put to WhatsApp itself, and each answer says what to do."""

from datetime import datetime
from urllib.parse import urlsplit

from app.core.security.ssrf import OutsideRules, UnsafeAddress
from app.whatsapp.channels import Channel
from app.whatsapp.errors import CallRefused, CallUnavailable
from app.whatsapp.graph import GraphClient, PhoneNumber
from app.whatsapp.schemas import Check, CheckName
from app.whatsapp.transport import ChannelAccess

__all__ = ["check_channel"]

_TOKEN_CODES = frozenset({0, 190, 102, 463, 467})
_PERMISSION_CODES = frozenset({3, 10, *range(200, 300)})

_ANOTHER = "Make a permanent token of a system user in Meta's Business settings, and store it here."
_PERMISSIONS = "Give the system user the permissions whatsapp_business_messaging and whatsapp_business_management."
_LATER = "Try again in a minute; if it lasts, look whether this server reaches graph.facebook.com."


async def check_channel(
    graph: GraphClient, channel: Channel, *, public_url: str, last_webhook_at: datetime | None
) -> tuple[list[Check], PhoneNumber | None]:
    """Return every check of a Cloud API channel in the order to mend them, and the number as WhatsApp describes it.

    `public_url` is our address as Meta must reach it; `last_webhook_at` is when Meta last did.
    """
    access = channel.access
    if access is None:
        secrets = _failed("secrets", channel.stopped_reason or "", "Store token, app secret and verify token again.")
        return [
            secrets,
            *(_unknown(name, "not tried") for name in ("token", "number", "business_account", "subscription")),
        ], None
    token, number, phone = await _number(graph, channel, access)
    checks = [
        _passed("secrets"),
        token,
        number,
        await _business_account(graph, access),
        await _subscription(graph, access),
        _address(channel, public_url),
        _arrival(last_webhook_at),
    ]
    return checks, phone


async def _number(
    graph: GraphClient, channel: Channel, access: ChannelAccess
) -> tuple[Check, Check, PhoneNumber | None]:
    try:
        phone = await graph.phone_number(access)
    except CallUnavailable as error:
        return _unknown("token", error.reason, _LATER), _unknown("number", error.reason, _LATER), None
    except CallRefused as error:
        return *_refused(error), None
    return _passed("token"), _about(phone, channel), phone


def _refused(error: CallRefused) -> tuple[Check, Check]:
    detail = str(error)
    if error.graph_code in _TOKEN_CODES:
        return _failed("token", detail, _ANOTHER), _unknown("number", "not tried")
    if error.graph_code in _PERMISSION_CODES:
        return _failed("token", detail, _PERMISSIONS), _unknown("number", "not tried")
    remedy = "Copy the phone number id from Meta's app dashboard; it is not the phone number."
    return _passed("token"), _failed("number", detail, remedy)


def _about(phone: PhoneNumber, channel: Channel) -> Check:
    known = [phone.display_phone_number, phone.verified_name, phone.status, phone.quality]
    detail = " · ".join(part for part in known if part)
    if (phone.quality or "").upper() == "RED":
        return _failed(
            "number", detail, "Customers block or report this number: write less, and only to who asked for it."
        )
    if channel.messages_per_second > phone.messages_a_second:
        remedy = f"Set messages per second to {phone.messages_a_second}: that is what WhatsApp takes of this number."
        return _failed("number", detail, remedy)
    return _passed("number", detail)


async def _business_account(graph: GraphClient, access: ChannelAccess) -> Check:
    name: CheckName = "business_account"
    if access.business_account_id is None:
        return _unknown(name, "none is stored", "Store the WhatsApp business account id: templates need it.")
    try:
        await graph.try_account(access)
    except CallUnavailable as error:
        return _unknown(name, error.reason, _LATER)
    except CallRefused as error:
        return _failed(name, str(error), f"Look whether the id is that of the number's account. {_PERMISSIONS}")
    return _passed(name, access.business_account_id)


async def _subscription(graph: GraphClient, access: ChannelAccess) -> Check:
    name: CheckName = "subscription"
    if access.business_account_id is None:
        return _unknown(name, "no business account id is stored")
    try:
        subscribed = await graph.is_subscribed(access)
    except CallUnavailable as error:
        return _unknown(name, error.reason, _LATER)
    except CallRefused as error:
        return _failed(name, str(error), _PERMISSIONS)
    if subscribed:
        return _passed(name)
    return _failed(
        name, "no app gets its webhooks", "Subscribe your app to the account: WhatsApp > Configuration > Webhook."
    )


def _address(channel: Channel, public_url: str) -> Check:
    """Say whether Meta can reach us. The simulator is on this machine, and can."""
    if channel.source == "simulator":
        return _passed("address", public_url)
    remedy = "Set PUBLIC_URL to the https:// address under which the internet reaches this server."
    try:
        OutsideRules().check_url(public_url)
    except UnsafeAddress as error:
        return _failed("address", f"{public_url}: {error}", remedy)
    if urlsplit(public_url).scheme != "https":
        return _failed("address", public_url, remedy)
    return _passed("address", public_url)


def _arrival(last_webhook_at: datetime | None) -> Check:
    if last_webhook_at is not None:
        return _passed("webhook", last_webhook_at.isoformat())
    remedy = "Enter the webhook address and the verify token in Meta's app dashboard, then write to the number."
    return _unknown("webhook", "none has come yet", remedy)


def _passed(name: CheckName, detail: str = "") -> Check:
    return Check(check=name, ok=True, detail=detail, remedy="")


def _failed(name: CheckName, detail: str, remedy: str) -> Check:
    return Check(check=name, ok=False, detail=detail, remedy=remedy)


def _unknown(name: CheckName, detail: str, remedy: str = "") -> Check:
    return Check(check=name, ok=None, detail=detail, remedy=remedy)
