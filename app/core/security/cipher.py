"""Secrets at rest: a ring of Fernet keys, the first encrypts, all decrypt."""

import hashlib
from collections.abc import Sequence
from typing import Protocol

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.core.errors import MostradorError


class Undecryptable(MostradorError):
    """A stored secret was encrypted with a key that is not in the ring any more."""

    code = "undecryptable_secret"


class KeySource(Protocol):
    """Where a ring is kept that may change while we run."""

    def read_if_changed(self) -> Sequence[str] | None:
        """Return the keys, newest first, if they are not those of the last call. Costs one look at a file."""


class Cipher:
    """Encrypts with the newest of `keys` (URL-safe base64, 32 bytes each) and decrypts with any of them.

    With a `source` every process follows the ring: it looks before each encryption, so that nothing is encrypted with
    a key about to go, and again before it gives a ciphertext up, which another process may have made with a key that
    is new.
    """

    def __init__(self, keys: Sequence[str], *, source: KeySource | None = None) -> None:
        self._source = source
        self._use(keys)

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """The keys of the ring, newest first, as 16 characters each that tell them apart and nothing else."""
        self._look()
        return self._fingerprints

    def encrypt(self, secret: bytes) -> bytes:
        self._look()
        return self._ring.encrypt(secret)

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Return the secret.

        Raises `Undecryptable`; what cannot be decrypted is never returned as it is.
        """
        try:
            return self._ring.decrypt(ciphertext)
        except InvalidToken:
            return self._decrypt_anew(ciphertext)

    def renew(self, ciphertext: bytes) -> bytes | None:
        """Return the same secret encrypted with the newest key; None if it is already.

        Raises `Undecryptable`.
        """
        self._look()
        try:
            self._newest.decrypt(ciphertext)
        except InvalidToken:
            return self._ring.encrypt(self.decrypt(ciphertext))
        return None

    def _decrypt_anew(self, ciphertext: bytes) -> bytes:
        self._look()
        try:
            return self._ring.decrypt(ciphertext)
        except InvalidToken:
            raise Undecryptable(
                "a stored secret cannot be decrypted: put the key it was encrypted with back into FERNET_KEY, "
                "after the newest one"
            ) from None

    def _look(self) -> None:
        keys = self._source.read_if_changed() if self._source is not None else None
        if keys is not None:
            self._use(keys)

    def _use(self, keys: Sequence[str]) -> None:
        fernets = [Fernet(key) for key in keys]
        self._newest = fernets[0]
        self._ring = MultiFernet(fernets)
        self._fingerprints = tuple(hashlib.sha256(b"fingerprint:" + key.encode()).hexdigest()[:16] for key in keys)
