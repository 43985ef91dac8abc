"""Configuration: the only reader of the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from settings import ai, dotenv, security, server, storage, whatsapp, whatsapp_web
from settings.ai import AiSettings, ProviderSettings
from settings.env import BadSettings, Reader, Secret
from settings.generated import GeneratedSecrets, new_secret
from settings.rate_limits import RateLimitSettings
from settings.security import SecuritySettings
from settings.server import ServerSettings
from settings.spelling import misspelled
from settings.storage import StorageSettings
from settings.whatsapp import WhatsAppSettings
from settings.whatsapp_web import WhatsAppWebSettings

__all__ = [
    "AiSettings",
    "BadSettings",
    "ProviderSettings",
    "RateLimitSettings",
    "Secret",
    "SecuritySettings",
    "ServerSettings",
    "Settings",
    "StorageSettings",
    "WhatsAppSettings",
    "WhatsAppWebSettings",
    "known_keys",
    "load",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything that is configured. `warnings` are lines for whoever starts a process; none stops the start."""

    server: ServerSettings
    storage: StorageSettings
    security: SecuritySettings
    ai: AiSettings
    whatsapp: WhatsAppSettings
    whatsapp_web: WhatsAppWebSettings
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Given:
    """What the keys say, before anything on disk is touched."""

    server: ServerSettings
    storage: StorageSettings
    security: security.GivenSecurity
    ai: AiSettings
    whatsapp: WhatsAppSettings
    whatsapp_web: WhatsAppWebSettings


def load(environ: Mapping[str, str] | None = None, *, env_file: Path | None = None) -> Settings:
    """Return the settings of `environ`, or else of this process's environment and the file `.env` beside it.

    `env_file` names another such file; a key that both set is taken from the environment. Creates the data directory,
    and in it the secrets that nobody set.

    Raises `BadSettings`, which lists every key that cannot be used.
    """
    if environ is None:
        environ, env_file = os.environ, env_file or Path(".env")
    values, problems = dotenv.read(env_file) if env_file else ({}, [])
    reader = Reader({**values, **{key: value for key, value in environ.items() if value.strip()}})
    reader.problems.extend(problems)
    given = _read(reader)
    storage.prepare(given.storage.data_dir, reader)
    if reader.problems:
        raise BadSettings(reader.problems)
    generated = GeneratedSecrets(given.storage.data_dir)
    return Settings(
        server=given.server,
        storage=given.storage,
        security=security.complete(given.security, generated),
        ai=given.ai,
        whatsapp=_with_secrets_of_the_simulator(given.whatsapp, generated),
        whatsapp_web=given.whatsapp_web,
        warnings=(*reader.warnings, *misspelled({*values, *environ}, reader.keys)),
    )


def known_keys() -> frozenset[str]:
    """Return every key that `load` reads."""
    reader = Reader({})
    _read(reader)
    return frozenset(reader.keys)


def _read(reader: Reader) -> _Given:
    server_settings = server.read(reader)
    return _Given(
        server=server_settings,
        storage=storage.read(reader),
        security=security.read(reader, production=server_settings.is_production),
        ai=ai.read(reader, production=server_settings.is_production),
        whatsapp=whatsapp.read(reader, server_settings),
        whatsapp_web=whatsapp_web.read(reader, server_settings),
    )


def _with_secrets_of_the_simulator(settings: WhatsAppSettings, generated: GeneratedSecrets) -> WhatsAppSettings:
    if not settings.simulator:
        return settings
    return replace(
        settings,
        app_secrets=settings.app_secrets or (generated.get("simulator_app_secret", new_secret),),
        verify_token=settings.verify_token or generated.get("simulator_verify_token", new_secret),
    )
