"""Keys and the first account: what is given, and in development what is made for those who gave nothing."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from settings import rate_limits, watch
from settings.env import BadSettings, Reader, Secret
from settings.generated import GeneratedSecrets, new_fernet_key, new_password, new_secret
from settings.rate_limits import RateLimitSettings
from settings.strength import (
    RANDOM_BASE64_COMMAND,
    RANDOM_HEX_COMMAND,
    RANDOM_PASSWORD_COMMAND,
    fernet_key_weakness,
    is_fernet_key,
    password_weakness,
    secret_weakness,
)
from settings.watch import WatchSettings

__all__ = ["GivenSecurity", "SecuritySettings", "complete", "read"]

_USERNAME: Final = re.compile(r"[A-Za-z0-9_.@-]{3,50}")
_LONGEST_PASSWORD: Final = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class SecuritySettings:
    """`fernet_keys` are newest first: the first encrypts, all decrypt.

    They are those of `fernet_key_file`, one a line, unless FERNET_KEY names them: then there is no such file.
    `admin_password_generated` is true only on the start that made the password, which prints it once.
    """

    jwt_secret: Secret
    admin_username: str
    admin_password: Secret
    admin_password_generated: bool
    fernet_keys: tuple[Secret, ...]
    fernet_key_file: Path | None
    rate_limits: RateLimitSettings
    watch: WatchSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class GivenSecurity:
    """What the environment says, before anything is generated."""

    jwt_secret: Secret | None
    admin_username: str
    admin_password: Secret | None
    fernet_keys: tuple[Secret, ...]
    rate_limits: RateLimitSettings
    watch: WatchSettings


def read(reader: Reader, *, production: bool) -> GivenSecurity:
    given = GivenSecurity(
        jwt_secret=reader.secret("JWT_SECRET"),
        admin_username=_admin_username(reader),
        admin_password=reader.secret("ADMIN_PASSWORD"),
        fernet_keys=_fernet_keys(reader),
        rate_limits=rate_limits.read(reader),
        watch=watch.read(reader),
    )
    judge = _Judge(reader, production=production)
    judge.secret("JWT_SECRET", given.jwt_secret, secret_weakness, f"write the output of: {RANDOM_HEX_COMMAND}")
    judge.secret(
        "ADMIN_PASSWORD",
        given.admin_password,
        _password_weakness,
        f"write one such as the output of: {RANDOM_PASSWORD_COMMAND}",
    )
    for key in given.fernet_keys or (None,):
        judge.secret("FERNET_KEY", key, fernet_key_weakness, f"write the output of: {RANDOM_BASE64_COMMAND}")
    return given


def complete(given: GivenSecurity, generated: GeneratedSecrets) -> SecuritySettings:
    """Return `given` with whatever it lacks taken from `generated`."""
    password, password_is_new = given.admin_password, False
    if password is None:
        password, password_is_new = generated.get_or_create("admin_password", new_password)
    return SecuritySettings(
        jwt_secret=given.jwt_secret or generated.get("jwt_secret", new_secret),
        admin_username=given.admin_username,
        admin_password=password,
        admin_password_generated=password_is_new,
        fernet_keys=given.fernet_keys or _own_keys(generated),
        fernet_key_file=None if given.fernet_keys else generated.path("fernet_key"),
        rate_limits=given.rate_limits,
        watch=given.watch,
    )


def _own_keys(generated: GeneratedSecrets) -> tuple[Secret, ...]:
    ring = generated.get("fernet_key", new_fernet_key).reveal().split()
    if not all(is_fernet_key(key) for key in ring):
        raise BadSettings([f"DATA_DIR: {generated.path('fernet_key')} holds something that is no key"])
    return tuple(Secret(key) for key in ring)


class _Judge:
    """A missing or weak secret is a problem in production. Elsewhere a weak one is worth a warning."""

    def __init__(self, reader: Reader, *, production: bool) -> None:
        self._reader = reader
        self._production = production

    def secret(self, key: str, value: Secret | None, weakness: Callable[[str], str | None], instead: str) -> None:
        wrong = weakness(value.reveal()) if value else "is not set, and production does not start without it"
        if wrong is None:
            return
        if self._production:
            self._reader.problem(key, wrong, instead)
        elif value is not None:
            self._reader.warn(f"{key} {wrong}: with APP_ENV=production it will be refused")


def _password_weakness(value: str) -> str | None:
    return (
        f"is longer than {_LONGEST_PASSWORD} characters" if len(value) > _LONGEST_PASSWORD else password_weakness(value)
    )


def _admin_username(reader: Reader) -> str:
    username = reader.text("ADMIN_USERNAME", "admin")
    if not _USERNAME.fullmatch(username):
        reader.problem(
            "ADMIN_USERNAME",
            f'"{username}" cannot be a user name',
            "write 3 to 50 letters, digits, dots, dashes, underscores or @",
        )
    return username


def _fernet_keys(reader: Reader) -> tuple[Secret, ...]:
    keys = reader.secrets("FERNET_KEY")
    bad = [number for number, key in enumerate(keys, start=1) if not is_fernet_key(key.reveal())]
    for number in bad:
        which = f"its part {number} is not" if len(keys) > 1 else "is not"
        reader.problem(
            "FERNET_KEY",
            f"{which} 32 bytes in URL-safe base64",
            f"write the output of: {RANDOM_BASE64_COMMAND} (several, newest first, separated by commas)",
        )
    return keys if not bad else tuple(key for key in keys if is_fernet_key(key.reveal()))
