"""Time-based one-time passwords (RFC 6238) and the recovery codes beside them."""

import base64
import hmac
import secrets
from datetime import datetime
from hashlib import sha1, sha256
from typing import Final
from urllib.parse import quote, urlencode

STEP_SECONDS: Final = 30
DIGITS: Final = 6
RECOVERY_CODES: Final = 10

# What every authenticator understands (RFC 6238 1.2: HMAC-SHA-1; RFC 4226 4, R6: at least 128 bits, 160 advised).
_SECRET_BYTES: Final = 20
_STEPS_AROUND: Final = 1  # clocks that differ, and the time it takes to type (RFC 6238 5.2: one step)

# 120 bits: enough that an unsalted fast hash is as good as any (ASVS 6.5.2 asks for 112).
_RECOVERY_BYTES: Final = 15
_RECOVERY_GROUP: Final = 6


def new_secret() -> bytes:
    return secrets.token_bytes(_SECRET_BYTES)


def code_at(secret: bytes, step: int) -> str:
    """Return the six digits of a time step (RFC 4226 5.3)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), sha1)
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_of(moment: datetime) -> int:
    """Return the number of the time step a moment is in."""
    return int(moment.timestamp()) // STEP_SECONDS


def matching_step(secret: bytes, code: str, *, now: datetime, after_step: int | None) -> int | None:
    """Return the time step whose code this is, around now and later than the last one used; None if it is no such code.

    Whoever accepts it stores the step as the last one used, so that a code works once.
    """
    current = step_of(now)
    found = None
    for step in range(current - _STEPS_AROUND, current + _STEPS_AROUND + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode()) and step > (after_step or 0):
            found = step
    return found


def provisioning_uri(secret: bytes, *, username: str, issuer: str = "Mostrador") -> str:
    """Return what an authenticator reads from a QR code (https://github.com/google/google-authenticator/wiki)."""
    label = quote(f"{issuer}:{username}")
    query = urlencode({"secret": secret_text(secret), "issuer": issuer, "digits": DIGITS, "period": STEP_SECONDS})
    return f"otpauth://totp/{label}?{query}"


def secret_text(secret: bytes) -> str:
    """Return the secret as people type it into an authenticator."""
    return base64.b32encode(secret).decode()


def new_recovery_codes() -> list[str]:
    """Return ten codes, each good for one sign-in without the authenticator."""
    return [_grouped(base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode()) for _ in range(RECOVERY_CODES)]


def recovery_hash(code: str) -> bytes:
    """Return what is stored of a recovery code, however it was typed."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    return sha256(plain.encode()).digest()


def _grouped(text: str) -> str:
    return "-".join(text[start : start + _RECOVERY_GROUP] for start in range(0, len(text), _RECOVERY_GROUP)).lower()
