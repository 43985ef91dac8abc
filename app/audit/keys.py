"""The keys that sign: random, one a purpose, stored encrypted with the key ring.

They are not derived from JWT_SECRET or FERNET_KEY themselves, because those are replaced: after a leaked token the
trail would look forged from its first row on. Wrapped by the ring they outlive both, whoever has only the database
cannot sign, and every process of an installation has the same.
"""

import secrets
from uuid import UUID

import msgspec
import sqlalchemy as sa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy.ext.asyncio import AsyncConnection

from app.audit.errors import NoCipher
from app.audit.models import signing_keys
from app.core.db import exclusive
from app.core.ids import new_id
from app.core.security.cipher import Cipher

_OPTION = "audit_cipher"
_KEY_BYTES = 32


class SigningKey(msgspec.Struct, frozen=True):
    """A secret of 32 bytes and the id it goes by."""

    id: UUID
    secret: bytes

    def derive(self, use: str) -> bytes:
        """Return a key for one `use` (HKDF-SHA256, RFC 5869), so that no signature is worth anything elsewhere."""
        return HKDF(SHA256(), _KEY_BYTES, salt=None, info=f"mostrador {use}".encode()).derive(self.secret)


def sealed_by(cipher: Cipher) -> dict[str, object]:
    """Return the options of a `Database` whose units of work may sign: `Database(url, options=sealed_by(cipher))`."""
    return {_OPTION: cipher}


def cipher_of(connection: AsyncConnection) -> Cipher:
    """Return the cipher the connection's database was opened with.

    Raises `NoCipher`.
    """
    sync = connection.sync_connection
    cipher = None if sync is None else sync.get_execution_options().get(_OPTION)
    if not isinstance(cipher, Cipher):
        raise NoCipher("this database was opened without the cipher that unlocks its signing keys")
    return cipher


async def find_key(connection: AsyncConnection, purpose: str) -> SigningKey | None:
    """Return the key of `purpose`, None when nothing was ever signed for it.

    Raises `NoCipher` and `Undecryptable`.
    """
    cipher = cipher_of(connection)
    row = (await connection.execute(sa.select(signing_keys).where(signing_keys.c.purpose == purpose))).one_or_none()
    return None if row is None else SigningKey(row.id, cipher.decrypt(row.secret))


async def take_key(connection: AsyncConnection, purpose: str) -> SigningKey:
    """Return the key of `purpose`, made now if there is none. Needs a unit of work that may write.

    Raises `NoCipher` and `Undecryptable`.
    """
    found = await find_key(connection, purpose)
    if found is None:
        await exclusive(connection, signing_keys.name)
        found = await find_key(connection, purpose)
    if found is None:
        found = SigningKey(new_id(), secrets.token_bytes(_KEY_BYTES))
        ciphertext = cipher_of(connection).encrypt(found.secret)
        await connection.execute(sa.insert(signing_keys).values(id=found.id, purpose=purpose, secret=ciphertext))
    return found
