"""One's own preferences over HTTP."""

from typing import Any

from litestar import Controller, Request, get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody

from app.accounts.preferences import preferences_of, replace_preferences
from app.accounts.schemas import Preferences, PreferencesReplacement
from app.core.db import Database
from app.core.security.actor import Actor
from app.core.security.guards import needs
from app.core.security.tokens import Access

SignedInRequest = Request[Actor, Access, Any]


class PreferencesController(Controller):
    path = "/api/auth/preferences"
    tags = ("Sign-in",)
    guards = (needs("self:manage"),)

    @get("/", summary="My preferences")
    async def read(self, request: SignedInRequest, database: NamedDependency[Database]) -> Preferences:
        """Return language, theme and the like of whoever asks."""
        async with database.read() as connection:
            return await preferences_of(connection, request.user.user_id)

    @put("/", summary="Replace my preferences")
    async def replace(
        self, data: JSONBody[PreferencesReplacement], request: SignedInRequest, database: NamedDependency[Database]
    ) -> Preferences:
        """Store all preferences at once; they hold on every device."""
        async with database.write() as connection:
            await replace_preferences(connection, request.user.user_id, data)
            return await preferences_of(connection, request.user.user_id)
