"""Providers that were added in the panel: their rows, with the keys encrypted."""

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert as upsert  # SQLite understands the same ON CONFLICT DO NOTHING
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ai.chain.models import model_providers
from app.core.db import db_now
from app.core.ids import new_id
from app.core.security.cipher import Cipher, Undecryptable
from settings.ai import ProviderSettings
from settings.env import Secret

__all__ = ["StoredProvider", "add", "change", "open_key", "remove", "seal_key", "stored_providers"]

log = structlog.get_logger()

_c = model_providers.c


class StoredProvider(msgspec.Struct, frozen=True, kw_only=True):
    """A row. `api_key` is ciphertext."""

    id: UUID
    provider: str
    model: str
    base_url: str | None
    api_key: bytes | None
    requests_per_minute: int | None
    requests_per_day: int | None

    def settings(self, cipher: Cipher) -> ProviderSettings:
        """Return it as the environment would have said it."""
        return ProviderSettings(api_key=open_key(self, cipher), model=self.model, base_url=self.base_url)


async def stored_providers(connection: AsyncConnection) -> tuple[StoredProvider, ...]:
    """Return all of them, in the order in which they were added."""
    columns = [_c[name] for name in StoredProvider.__struct_fields__]
    rows = await connection.execute(sa.select(*columns).order_by(_c.id))
    return tuple(StoredProvider(**row) for row in rows.mappings())


async def add(connection: AsyncConnection, values: dict[str, Any]) -> bool:
    """Store a provider; False when one with the same model is stored already."""
    statement = upsert(model_providers).values(id=new_id(), **values).on_conflict_do_nothing().returning(_c.id)
    return (await connection.execute(statement)).one_or_none() is not None


async def change(connection: AsyncConnection, provider_id: UUID, values: dict[str, Any]) -> None:
    await connection.execute(
        sa.update(model_providers).where(_c.id == provider_id).values(**values, updated_at=db_now())
    )


async def remove(connection: AsyncConnection, provider_id: UUID) -> None:
    await connection.execute(sa.delete(model_providers).where(_c.id == provider_id))


def seal_key(key: str | None, cipher: Cipher) -> bytes | None:
    return None if key is None else cipher.encrypt(key.encode())


def open_key(stored: StoredProvider, cipher: Cipher) -> Secret | None:
    """Return the key; None where there is none, or one that no key of the ring decrypts."""
    if stored.api_key is None:
        return None
    try:
        return Secret(cipher.decrypt(stored.api_key).decode())
    except Undecryptable:
        log.error("chain.key_unreadable", provider=stored.provider)  # noqa: TRY400 - the trace says no more
        return None
