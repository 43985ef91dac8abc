"""The audit trail over HTTP."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream

from app.audit import queries
from app.audit.queries import Wanted
from app.audit.schemas import AuditPage
from app.core.db import Database
from app.core.errors import InvalidInput
from app.core.security.guards import needs


async def wanted_entries(
    actor_id: FromQuery[UUID | None] = None,
    action: Annotated[str | None, QueryParameter(max_length=64)] = None,
    target_kind: Annotated[str | None, QueryParameter(max_length=32)] = None,
    target_id: Annotated[str | None, QueryParameter(max_length=200)] = None,
    outcome: FromQuery[Literal["ok", "refused"] | None] = None,
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
) -> Wanted:
    """Return the filters of a request. Times need an offset."""
    for name, time in (("since", since), ("until", until)):
        if time is not None and time.tzinfo is None:
            raise InvalidInput("a time needs an offset, such as Z", field=name)
    return Wanted(
        actor_id=actor_id,
        action=action,
        target_kind=target_kind,
        target_id=target_id,
        outcome=outcome,
        since=since,
        until=until,
    )


class AuditController(Controller):
    path = "/api/audit"
    tags = ("Audit",)
    guards = (needs("audit:read"),)
    dependencies = {"wanted": Provide(wanted_entries)}  # noqa: RUF012 - Litestar declares it so

    @get("/", summary="Who did what")
    async def entries(
        self,
        database: NamedDependency[Database],
        wanted: NamedDependency[Wanted],
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        before_sequence: Annotated[int | None, QueryParameter(ge=1, le=2**62)] = None,
    ) -> AuditPage:
        """List entries, the newest first. `action=channel.` is every action that begins so."""
        async with database.read() as connection:
            return await queries.page(connection, wanted, limit=limit, before=before_sequence)

    @get("/export", summary="The trail as a file", media_type="application/x-ndjson")
    async def export(self, database: NamedDependency[Database], wanted: NamedDependency[Wanted]) -> Stream:
        """Return all entries that fit, the oldest first, one JSON object a line."""
        return Stream(
            queries.export(database, wanted),
            media_type="application/x-ndjson",
            headers={"Content-Disposition": 'attachment; filename="audit.ndjson"'},
        )
