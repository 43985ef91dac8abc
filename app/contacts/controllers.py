"""Contacts over HTTP."""

from typing import Any
from uuid import UUID

import structlog
from litestar import Controller, Request, get, patch
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.audit.requests import entry
from app.audit.service import record
from app.contacts import queries
from app.contacts.schemas import Contact, ContactChange
from app.core.db import Database
from app.core.security.actor import Actor
from app.core.security.guards import needs
from app.core.security.tokens import Access

log = structlog.get_logger()


class ContactsController(Controller):
    path = "/api/contacts"
    tags = ("Contacts",)
    guards = (needs("contacts:read"),)

    @get("/{contact_id:uuid}", summary="A contact")
    async def show(self, contact_id: FromPath[UUID], database: NamedDependency[Database]) -> Contact:
        """Return a contact with every identifier it is known by."""
        async with database.read() as connection:
            return await queries.contact(connection, contact_id)

    @patch("/{contact_id:uuid}", guards=[needs("contacts:edit")], summary="Approve a contact, or not")
    async def change(
        self,
        contact_id: FromPath[UUID],
        data: JSONBody[ContactChange],
        request: Request[Actor, Access, Any],
        database: NamedDependency[Database],
    ) -> Contact:
        """Say whether the contact may be answered where only approved people are. What was missed is not made up."""
        async with database.write() as connection:
            await queries.approve(connection, contact_id, approved=data.approved)
            contact = await queries.contact(connection, contact_id)
            after = {"approved": data.approved}
            await record(connection, entry(request, "contact.approval_changed", "contact", contact_id, after=after))
        log.info(
            "contact.approval_changed",
            contact_id=str(contact_id),
            approved=data.approved,
            user_id=str(request.user.user_id),
        )
        return contact
