"""The first setup over HTTP."""

from typing import Any

from litestar import Controller, Request, get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody

from app.ai.chain.service import ModelChain
from app.audit.requests import entry
from app.audit.service import record
from app.core.db import Database
from app.core.security.actor import Actor
from app.core.security.guards import needs
from app.core.security.tokens import Access
from app.system import setup
from app.system.schemas import Setup, SetupChange


class SetupController(Controller):
    path = "/api/setup"
    tags = ("Setup",)
    guards = (needs("system:read"),)

    @get("/", summary="The first setup")
    async def read(self, database: NamedDependency[Database], chain: NamedDependency[ModelChain]) -> Setup:
        """Return each step with its state, found in what is there now."""
        async with database.read() as connection:
            return await setup.setup(connection, chain.routes)

    @put("/", summary="Skip steps, or close the setup", guards=[needs("system:manage")])
    async def change(
        self,
        data: JSONBody[SetupChange],
        request: Request[Actor, Access, Any],
        database: NamedDependency[Database],
        chain: NamedDependency[ModelChain],
    ) -> Setup:
        """Store which steps are left out and whether the setup is closed; what is done stays done."""
        async with database.write() as connection:
            await setup.change(connection, data)
            changed = await setup.setup(connection, chain.routes)
            await record(connection, entry(request, "setup.changed", "setup", "setup", after=data))
            return changed
