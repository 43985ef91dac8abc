"""Who is it? People are known by any identifier WhatsApp shows for them, the strongest first."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert  # SQLite understands the same ON CONFLICT DO NOTHING
from sqlalchemy.ext.asyncio import AsyncConnection

from app.contacts.models import contact_identifiers, contacts
from app.core.folding import fold
from app.core.ids import new_id

Key = tuple[str, str]


class Identity(msgspec.Struct, frozen=True):
    """How one message names its sender. At least one of the identifiers is there; `phone` is digits."""

    phone: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None

    def names(self) -> list[Key]:
        """Give (kind, value) pairs, strongest first: business-scoped user id or LID, its parent, phone."""
        kind = "lid" if (self.user_id or "").endswith("@lid") else "bsuid"
        named = ((kind, self.user_id), ("parent", self.parent_user_id), ("phone", self.phone))
        return [(kind, value) for kind, value in named if value]


async def resolve(connection: AsyncConnection, people: Sequence[tuple[Identity, str | None]]) -> dict[Identity, UUID]:
    """Return the contact of each identity, made with the shown name where nobody has it yet.

    Someone found by a weaker identifier gets the stronger ones attached. Call under `exclusive("people")`.
    """
    known = await _known(connection, {key for identity, _ in people for key in identity.names()})
    found: dict[Identity, UUID] = {}
    new_contacts, new_keys = [], []
    for identity, name in people:
        keys = identity.names()
        contact_id = next((known[key] for key in keys if key in known), None)
        if contact_id is None:
            contact_id = new_id()
            new_contacts.append(
                {
                    "id": contact_id,
                    "name": name,
                    "folded_name": name and fold(name),
                    "phone": identity.phone,
                    "user_id": identity.user_id,
                }
            )
        for key in keys:
            if key not in known:
                known[key] = contact_id
                new_keys.append({"kind": key[0], "value": key[1], "contact_id": contact_id})
        found[identity] = contact_id
    if new_contacts:
        await connection.execute(contacts.insert(), new_contacts)
    if new_keys:
        await connection.execute(upsert(contact_identifiers).on_conflict_do_nothing(), new_keys)
    return found


async def move(connection: AsyncConnection, old: Identity, new: Identity) -> UUID | None:
    """Give the person known as `old` the identifiers of `new` (a changed number or user id); None if unknown.

    Identifiers that somebody else already holds move too: WhatsApp says that they are now this person's.
    """
    known = await _known(connection, old.names())
    contact_id = next((known[key] for key in old.names() if key in known), None)
    if contact_id is None:
        return None
    for kind, value in new.names():
        await connection.execute(
            sa.delete(contact_identifiers).where(
                contact_identifiers.c.kind == kind, contact_identifiers.c.value == value
            )
        )
        await connection.execute(contact_identifiers.insert().values(kind=kind, value=value, contact_id=contact_id))
    shown = {"phone": new.phone, "user_id": new.user_id}
    changed = {name: value for name, value in shown.items() if value}
    if changed:
        await connection.execute(sa.update(contacts).where(contacts.c.id == contact_id).values(**changed))
    return contact_id


async def stop_marketing(connection: AsyncConnection, identity: Identity, *, stopped_at: datetime | None) -> None:
    """Note that a person stopped marketing messages, or resumed them (`None`). Unknown people are ignored."""
    known = await _known(connection, identity.names())
    if known:
        await connection.execute(
            sa.update(contacts).where(contacts.c.id.in_(known.values())).values(marketing_stopped_at=stopped_at)
        )


async def _known(connection: AsyncConnection, keys: Iterable[Key]) -> dict[Key, UUID]:
    by_kind: dict[str, list[str]] = {}
    for kind, value in keys:
        by_kind.setdefault(kind, []).append(value)
    if not by_kind:
        return {}
    c = contact_identifiers.c
    wanted = sa.or_(*(sa.and_(c.kind == kind, c.value.in_(values)) for kind, values in by_kind.items()))
    rows = await connection.execute(sa.select(c.kind, c.value, c.contact_id).where(wanted))
    return {(row.kind, row.value): row.contact_id for row in rows}
