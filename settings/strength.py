"""Whether a secret that somebody chose is good enough for production."""

import base64
import binascii
import re
from itertools import pairwise
from typing import Final

__all__ = [
    "RANDOM_BASE64_COMMAND",
    "RANDOM_HEX_COMMAND",
    "RANDOM_PASSWORD_COMMAND",
    "fernet_key_weakness",
    "is_fernet_key",
    "password_weakness",
    "secret_weakness",
]

RANDOM_HEX_COMMAND: Final = "openssl rand -hex 32"
RANDOM_BASE64_COMMAND: Final = "openssl rand -base64 32 | tr '+/' '-_'"
RANDOM_PASSWORD_COMMAND: Final = "openssl rand -base64 18"  # noqa: S105  # a command

SECRET_BYTES: Final = 32
PASSWORD_CHARACTERS: Final = 12
_FERNET_KEY_BYTES: Final = 32
_DISTINCT_CHARACTERS: Final = 8
_DISTINCT_BYTES: Final = 16

# What examples, placeholders and lists of leaked passwords are made of. Six letters or more, so that a random secret
# holds one with a probability below one in a million.
_COMMON: Final = re.compile(
    r"change.?me|change.?this|change.?it|replace|example|placeholder|secret|passwor|p.ssw.rd|contrase|default|"
    r"qwerty|asdfgh|letmein|welcome|bienvenid|iloveyou|insert|your.?(?:key|token|own)|xxxxxx|"
    r"mostrador|whatsapp|administra|admin.?123|development|production|test.?key|test.?test",
    re.IGNORECASE,
)


def secret_weakness(value: str, *, minimum_bytes: int = SECRET_BYTES) -> str | None:
    """Return what is wrong with a signing secret or token, or None. The text never shows the secret."""
    if len(value.encode(errors="replace")) < minimum_bytes:
        return f"is shorter than {minimum_bytes} bytes"
    return _pattern(value)


def password_weakness(value: str) -> str | None:
    """Return what is wrong with a password that a person signs in with, or None."""
    if len(value) < PASSWORD_CHARACTERS:
        return f"is shorter than {PASSWORD_CHARACTERS} characters"
    return _pattern(value)


def fernet_key_weakness(value: str) -> str | None:
    """Return what is wrong with the bytes of a well-formed Fernet key, or None."""
    return "is not random" if len(set(base64.urlsafe_b64decode(value))) < _DISTINCT_BYTES else _pattern(value)


def is_fernet_key(value: str) -> bool:
    """Whether `value` is URL-safe base64 of 32 bytes (https://github.com/fernet/spec/blob/master/Spec.md)."""
    try:
        return len(base64.b64decode(value, altchars=b"-_", validate=True)) == _FERNET_KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def _pattern(value: str) -> str | None:
    if _COMMON.search(value):
        return "holds a word that examples and leaked passwords are made of"
    if len(set(value.casefold())) < _DISTINCT_CHARACTERS:
        return "is made of very few different characters"
    if value in (value + value)[1:-1]:
        return "repeats itself"
    steps = [ord(after) - ord(before) for before, after in pairwise(value)]
    if 2 * sum(step in {-1, 0, 1} for step in steps) > len(steps):
        return "runs along the alphabet or the digits"
    return None
