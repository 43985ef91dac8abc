"""The signature that proves a webhook comes from Meta: HMAC-SHA256 over the raw bytes of the body.

Source: Meta, "Webhooks: validating payloads" (X-Hub-Signature-256).
"""

import hmac
import re
from collections.abc import Sequence

__all__ = ["sign", "verify"]

_HEADER = re.compile(r"sha256=[0-9a-f]{64}", re.ASCII)


def sign(body: bytes, secret: str) -> str:
    """Return the value of `X-Hub-Signature-256` for these bytes: `sha256=` and 64 lower-case hexadecimal digits."""
    return "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()


def verify(body: bytes, header: str | None, secrets: Sequence[str]) -> bool:
    """Say whether `header` signs exactly these bytes with one of the secrets (several while a secret is rotated).

    `body` must be the bytes as they arrived: Meta escapes non-ASCII letters, so re-encoded JSON has another signature.
    An empty secret never matches, and every secret is tried, so the time taken does not tell which one fits.
    """
    if header is None or _HEADER.fullmatch(header) is None:
        return False
    genuine = False
    for secret in secrets:
        if secret:
            genuine |= hmac.compare_digest(sign(body, secret), header)
    return genuine
