"""Turns over HTTP: why something was answered so, or not at all."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from app.ai.replies import queries
from app.ai.replies.schemas import Turn
from app.core.db import Database
from app.core.keyset import Cursor, Page
from app.core.security.guards import needs


class TurnsController(Controller):
    path = "/api"
    tags = ("Conversations",)
    guards = (needs("conversations:read"),)

    @get("/conversations/{conversation_id:uuid}/turns", summary="A conversation's turns")
    async def find(
        self,
        conversation_id: FromPath[UUID],
        database: NamedDependency[Database],
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 20,
        cursor: FromQuery[str | None] = None,
    ) -> Page[Turn]:
        """List a conversation's turns, the newest first, each with its reason and its attempts to reach a model."""
        after = Cursor.decode(cursor) if cursor is not None else None
        async with database.read() as connection:
            return await queries.turns_of(connection, conversation_id, limit=limit, cursor=after)

    @get("/turns/{turn_id:uuid}", summary="A turn")
    async def show(self, turn_id: FromPath[UUID], database: NamedDependency[Database]) -> Turn:
        """Return one turn with its reason and its attempts to reach a model."""
        async with database.read() as connection:
            return await queries.turn(connection, turn_id)
