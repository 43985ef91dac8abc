"""The business profile over HTTP."""

from typing import Any

from litestar import Controller, Request, get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody

from app.audit.requests import entry
from app.audit.service import difference, record
from app.business import service
from app.business.schemas import ProfileReplacement, StoredProfile
from app.core.db import Database
from app.core.security.actor import Actor
from app.core.security.guards import needs
from app.core.security.tokens import Access


class BusinessController(Controller):
    path = "/api/business"
    tags = ("Business",)
    guards = (needs("business:read"),)

    @get("/profile", summary="Business profile")
    async def profile(self, database: NamedDependency[Database]) -> StoredProfile:
        """Return the profile the assistant speaks for, with its version."""
        async with database.read() as connection:
            return await service.get(connection)

    @put("/profile", summary="Replace the business profile", guards=[needs("business:edit")])
    async def replace_profile(
        self,
        data: JSONBody[ProfileReplacement],
        request: Request[Actor, Access, Any],
        database: NamedDependency[Database],
    ) -> StoredProfile:
        """Replace the whole profile. Answers 409 when another version was stored since the one that was edited."""
        async with database.write() as connection:
            before = await service.get(connection)
            stored = await service.replace(
                connection, data.profile, expected_version=data.version, updated_by=request.user.user_id
            )
            old, new = difference(before.profile, stored.profile)
            await record(
                connection, entry(request, "business_profile.replaced", "business", "profile", before=old, after=new)
            )
            return stored
