"""Secrets at rest: a ring of Fernet keys, the first encrypts, all decrypt."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.core.errors import MostradorError


class Undecryptable(MostradorError):
    """A stored secret was encrypted with a key that is not in FERNET_KEY any more."""

    code = "undecryptable_secret"


class Cipher:
    """Encrypts with the newest of `keys` (URL-safe base64, 32 bytes each) and decrypts with any of them."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._ring = MultiFernet([Fernet(key) for key in keys])

    def encrypt(self, secret: bytes) -> bytes:
        return self._ring.encrypt(secret)

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Return the secret. Raises `Undecryptable`; what cannot be decrypted is never returned as it is."""
        try:
            return self._ring.decrypt(ciphertext)
        except InvalidToken:
            raise Undecryptable(
                "a stored secret cannot be decrypted: put the key it was encrypted with back into FERNET_KEY, "
                "after the newest one"
            ) from None
