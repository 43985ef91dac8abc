"""Reading one contact, and what a colleague may change of it."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.contacts.models import contact_identifiers, contacts
from app.contacts.schemas import Contact, Identifier
from app.core.errors import NotFound


class ContactNotFound(NotFound):
    code = "contact_not_found"

    def __init__(self) -> None:
        super().__init__("there is no such contact")


async def contact(connection: AsyncConnection, contact_id: UUID) -> Contact:
    """Return the contact with every identifier it is known by. Raises `ContactNotFound`."""
    row = (await connection.execute(sa.select(*contacts.c).where(contacts.c.id == contact_id))).one_or_none()
    if row is None:
        raise ContactNotFound
    c = contact_identifiers.c
    names = await connection.execute(
        sa.select(c.kind, c.value).where(c.contact_id == contact_id).order_by(c.kind, c.value)
    )
    return Contact(
        id=row.id,
        name=row.name,
        phone=row.phone,
        user_id=row.user_id,
        approved=bool(row.approved),
        marketing_stopped_at=row.marketing_stopped_at,
        created_at=row.created_at,
        identifiers=[Identifier(kind=name.kind, value=name.value) for name in names],
    )


async def approve(connection: AsyncConnection, contact_id: UUID, *, approved: bool) -> None:
    """Say whether the contact is one of those who are answered. Raises `ContactNotFound`."""
    changed = await connection.execute(sa.update(contacts).where(contacts.c.id == contact_id).values(approved=approved))
    if not changed.rowcount:
        raise ContactNotFound
