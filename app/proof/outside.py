"""The doctor's looks at those we depend on: WhatsApp with each channel's token, its clock, the model providers."""

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from app.ai.llm.errors import ErrorKind
from app.ai.llm.provider import Route
from app.ai.llm.router import Router
from app.core.db import Database
from app.core.http_client import HttpClient
from app.proof.doctor import Examination, broken, fine, warned
from app.proof.schemas import Check
from app.whatsapp.channels import Channel, Channels
from app.whatsapp.error_codes import ErrorClass
from app.whatsapp.errors import CallRefused, CallUnavailable
from app.whatsapp.graph import GraphClient

_NETWORK: Final = "Look at this server's connection to the internet: DNS, firewall, proxy."
_CLOCK_WARNING_SECONDS: Final = 5.0
_CLOCK_BROKEN_SECONDS: Final = 60.0
_CLOCK_REMEDY: Final = "Synchronise the clocks (NTP): sessions, the 24 hour window and the order of messages need them."
_REFUSED_REMEDY: Final = "Make a new access token of a system user that may use this number, and set it."
_BAD_QUALITY: Final = "RED"
_PROVIDER_REMEDY: Final[dict[ErrorKind, str]] = {
    "auth": "Put a valid key into the settings: the provider refuses this one.",
    "quota": "Add money or raise the allowance at the provider.",
    "not_found": "Correct the model's name or the base URL.",
    "network": _NETWORK,
}


def surroundings(
    database: Database, channels: Channels, graph: GraphClient, http: HttpClient, router: Router, public_url: str
) -> list[Examination]:
    """Return what is looked at outside. WhatsApp and every model provider are really asked."""
    return [
        Examination("channels", partial(_channels, channels, graph, public_url), _NETWORK),
        Examination("clock", partial(_clock, database, channels, http), _CLOCK_REMEDY),
        Examination("models", partial(_models, router), _NETWORK),
    ]


async def _channels(channels: Channels, graph: GraphClient, public_url: str) -> list[Check]:
    known = await channels.all()
    if not known:
        remedy = "Set WHATSAPP_CLOUD_TOKEN and WHATSAPP_PHONE_ID, add one in the panel, or set SIMULATOR=true."
        return [broken("channels", "there is no channel", remedy)]
    found = [check for channel in known for check in await _channel(channel, graph)]
    if any(channel.source != "simulator" for channel in known) and _is_loopback(public_url):
        remedy = "Set PUBLIC_URL to the https:// address that Meta reaches, and give Meta that webhook address."
        found.append(broken("webhook", f"Meta cannot reach {public_url}", remedy))
    return found


async def _channel(channel: Channel, graph: GraphClient) -> list[Check]:
    name = f"channel {channel.name}"
    if channel.access is None or channel.secrets is None:
        return [broken(name, channel.stopped_reason or "its secrets are missing", "Put its secrets or their key back.")]
    found = []
    if channel.stopped:
        remedy = "Mend what WhatsApp says, then resume the channel in the panel."
        found.append(broken(name, f"stopped: {channel.stopped_reason}", remedy))
    if not channel.secrets.app_secrets:
        remedy = "Give it the app secret that Meta's dashboard shows under Settings, Basic."
        found.append(broken(name, "no app secret: every webhook is refused", remedy))
    if not channel.secrets.verify_token:
        remedy = "Set one here and in Meta's dashboard."
        found.append(warned(name, "no verify token: Meta cannot check the webhook address", remedy))
    try:
        number = await graph.phone_number(channel.access)
    except CallRefused as error:
        remedy = _REFUSED_REMEDY if error.rule.kind is ErrorClass.AUTH else "See the number's page in Meta's dashboard."
        return [*found, broken(name, str(error), remedy)]
    except CallUnavailable as error:
        remedy = "Start mostrador serve." if channel.source == "simulator" else _NETWORK
        return [*found, broken(name, str(error), remedy)]
    if number.status not in (None, "CONNECTED"):
        found.append(broken(name, f"the number is {number.status}", "See the number's page in Meta's dashboard."))
    if number.quality == _BAD_QUALITY:
        remedy = "Write only to people who want it: Meta limits or blocks numbers of low quality."
        found.append(warned(name, "Meta rates the number's quality RED", remedy))
    return found or [fine(name, f"{number.display_phone_number or channel.phone_number_id} answers to its token")]


async def _clock(database: Database, channels: Channels, http: HttpClient) -> list[Check]:
    found = []
    async with database.read() as connection:
        theirs = await database.now(connection)
    found += _compared("the database", theirs)
    outside = next((one.access for one in await channels.all() if one.access is not None), None)
    if outside is not None:
        answer = await http.request("GET", f"{outside.graph_url}/", timeout_seconds=5)
        if date := answer.headers.get("date"):
            found += _compared("WhatsApp", parsedate_to_datetime(date))
    return found or [fine("clock", "agrees with the others")]


def _compared(whose: str, theirs: datetime) -> list[Check]:
    seconds = (datetime.now(UTC) - theirs).total_seconds()
    if abs(seconds) < _CLOCK_WARNING_SECONDS:
        return []
    found = f"{abs(seconds):.0f} seconds {'ahead of' if seconds > 0 else 'behind'} that of {whose}"
    return [(broken if abs(seconds) >= _CLOCK_BROKEN_SECONDS else warned)("clock", found, _CLOCK_REMEDY)]


async def _models(router: Router) -> list[Check]:
    return [check for route in router.routes for check in await _model(router, route)]


async def _model(router: Router, route: Route) -> Sequence[Check]:
    if route.provider.answer is not None:
        return [fine("models", "the offline answerer answers from the business profile: no provider is configured")]
    name = f"model {route.provider.name}"
    if not route.is_enabled:
        return [fine(name, "switched off")]
    attempt = await router.test(route)
    if attempt.outcome == "answered":
        return [fine(name, f"{route.model} answered in {attempt.milliseconds} ms")]
    kind = attempt.kind
    remedy = _PROVIDER_REMEDY.get(kind, "Try again later, or put another provider before it.") if kind else ""
    return [broken(name, f"{route.model}: {kind or attempt.skipped}: {attempt.message}", remedy)]


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
