"""WhatsApp: the Cloud channel of the environment, the simulator, and how long a burst of messages is waited for."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from settings.env import Reader, Secret, is_unencrypted
from settings.server import ServerSettings
from settings.strength import secret_weakness

__all__ = ["WhatsAppSettings", "read"]

_DIGITS: Final = re.compile(r"[0-9]{5,20}")
_VERSION: Final = re.compile(r"v[0-9]{1,3}\.[0-9]{1,2}")
_SECRET_BYTES: Final = 16
_MOST_SECONDS: Final = 300.0
_LONGEST_FAILOVER_SECONDS: Final = 3600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class WhatsAppSettings:
    """`app_secrets` check webhook signatures, newest first. `cloud_token` and `phone_id` are both set or both None.

    `graph_url` has no slash at its end and no version. A turn is answered after `turn_quiet_seconds` without a new
    message, and at the latest `turn_max_wait_seconds` after its first one. A channel that has been down for
    `failover_after` is replaced by the other transport where a person is known on both; None lets messages wait.
    """

    app_secrets: tuple[Secret, ...]
    verify_token: Secret | None
    cloud_token: Secret | None
    phone_id: str | None
    business_account_id: str | None
    graph_url: str
    api_version: str
    simulator: bool
    turn_quiet_seconds: float
    turn_max_wait_seconds: float
    failover_after: timedelta | None


def read(reader: Reader, server: ServerSettings) -> WhatsAppSettings:
    cloud_token = reader.secret("WHATSAPP_CLOUD_TOKEN")
    simulator_by_default = not server.is_production and cloud_token is None
    settings = WhatsAppSettings(
        app_secrets=reader.secrets("WHATSAPP_APP_SECRET"),
        verify_token=reader.secret("WHATSAPP_VERIFY_TOKEN"),
        cloud_token=cloud_token,
        phone_id=_meta_id(reader, "WHATSAPP_PHONE_ID"),
        business_account_id=_meta_id(reader, "WHATSAPP_BUSINESS_ACCOUNT_ID"),
        graph_url=_graph_url(reader, server),
        api_version=_api_version(reader),
        simulator=reader.boolean("SIMULATOR", default=simulator_by_default),
        turn_quiet_seconds=reader.seconds("TURN_QUIET_SECONDS", 4, maximum=_MOST_SECONDS),
        turn_max_wait_seconds=reader.seconds("TURN_MAX_WAIT_SECONDS", 20, maximum=_MOST_SECONDS),
        failover_after=_failover_after(reader),
    )
    _check_channel(reader, settings)
    _check_turn(reader, settings)
    if server.is_production:
        _check_secrets(reader, settings)
    return settings


def _failover_after(reader: Reader) -> timedelta | None:
    seconds = reader.seconds("FAILOVER_AFTER_SECONDS", 0, maximum=_LONGEST_FAILOVER_SECONDS)
    return timedelta(seconds=seconds) if seconds > 0 else None


def _meta_id(reader: Reader, key: str) -> str | None:
    given = reader.text(key, None)
    if given is not None and not _DIGITS.fullmatch(given):
        reader.problem(key, f'"{given}" is not an id of Meta', "write its digits as Meta's app dashboard shows them")
    return given


def _graph_url(reader: Reader, server: ServerSettings) -> str:
    url = reader.url("WHATSAPP_GRAPH_URL", "https://graph.facebook.com")
    if server.is_production and is_unencrypted(url):
        reader.problem("WHATSAPP_GRAPH_URL", "would send the access token unencrypted", "write an https:// address")
    return url


def _api_version(reader: Reader) -> str:
    version = reader.text("WHATSAPP_API_VERSION", "v26.0")
    if not _VERSION.fullmatch(version):
        reader.problem(
            "WHATSAPP_API_VERSION", f'"{version}" is not a version of the Graph API', "write one such as v26.0"
        )
    return version


def _check_channel(reader: Reader, settings: WhatsAppSettings) -> None:
    if settings.cloud_token is not None and settings.phone_id is None:
        reader.problem(
            "WHATSAPP_PHONE_ID",
            "is not set, but WHATSAPP_CLOUD_TOKEN is, and a channel needs both",
            "write the phone number id that Meta's app dashboard shows",
        )
    if settings.cloud_token is None and settings.phone_id is not None:
        reader.problem(
            "WHATSAPP_CLOUD_TOKEN",
            "is not set, but WHATSAPP_PHONE_ID is, and a channel needs both",
            "write the access token of a system user, or remove WHATSAPP_PHONE_ID",
        )
    if settings.cloud_token is not None and not settings.app_secrets:
        reader.problem(
            "WHATSAPP_APP_SECRET",
            "is not set, and without it no webhook of this channel can be verified",
            "write the app secret that Meta's app dashboard shows under Settings, Basic",
        )
    if settings.cloud_token is not None and settings.verify_token is None:
        reader.warn("WHATSAPP_VERIFY_TOKEN is not set, so that Meta's check of a new webhook address will be refused")


def _check_turn(reader: Reader, settings: WhatsAppSettings) -> None:
    if settings.turn_max_wait_seconds < settings.turn_quiet_seconds:
        reader.problem(
            "TURN_MAX_WAIT_SECONDS",
            f"{settings.turn_max_wait_seconds:g} is less than TURN_QUIET_SECONDS, {settings.turn_quiet_seconds:g}",
            "write a longer time, or shorten the other",
        )


def _check_secrets(reader: Reader, settings: WhatsAppSettings) -> None:
    for secret in settings.app_secrets:
        weakness = secret_weakness(secret.reveal(), minimum_bytes=_SECRET_BYTES)
        if weakness:
            reader.problem("WHATSAPP_APP_SECRET", weakness, "write the one that Meta's app dashboard shows")
    token = settings.verify_token
    weakness = secret_weakness(token.reveal(), minimum_bytes=_SECRET_BYTES) if token else None
    if weakness:
        reader.problem("WHATSAPP_VERIFY_TOKEN", weakness, "write the output of: openssl rand -hex 32, and tell Meta")
