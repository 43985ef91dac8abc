"""Random texts that open something: 256 bits, of which only the hash is stored."""

import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256


def new_token() -> str:
    """Return 256 random bits as 43 characters that are safe in a URL."""
    return secrets.token_urlsafe(32)


def as_token(digest: bytes) -> str:
    """Return 256 given bits in the same form."""
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def hash_of(token: str) -> bytes:
    """Return what is stored: a fast hash will do, since nobody can guess what is 256 bits long (ASVS 11.4.2)."""
    return sha256(token.encode(errors="replace")).digest()
