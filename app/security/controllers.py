"""The security console over HTTP."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from app.audit.requests import entry
from app.audit.service import record
from app.core.db import Database
from app.core.keyset import Cursor, Page
from app.core.security.actor import Actor
from app.core.security.guards import needs
from app.core.security.tokens import Access
from app.security import export, queries, retention, service, snapshots
from app.security.schemas import (
    Acknowledgement,
    Alert,
    AlertState,
    Checkpoint,
    ExportBatch,
    NewSilence,
    NewSnapshot,
    Overview,
    RetentionReport,
    RetentionRequest,
    SignedSnapshot,
    Silence,
    Silences,
    Snapshots,
    SnapshotToVerify,
    SnapshotVerdict,
    StoredCheckpoint,
    StoredCheckpoints,
)
from app.security.service import Console

Caller = Request[Actor, Access, Any]

_CONSUMER = r"^[a-z0-9][a-z0-9._-]{0,63}$"


class AlertsController(Controller):
    path = "/api/security"
    tags = ("Security",)
    guards = (needs("security:read"),)

    @get("/overview", summary="What is watched")
    async def overview(self, database: NamedDependency[Database], console: NamedDependency[Console]) -> Overview:
        """Return what is watched, how often it happened in the window that ends now, and the open alerts."""
        async with database.read() as connection:
            now = await database.now(connection)
            return await queries.overview(
                connection, console.rules, now=now, window_minutes=console.watch.window_minutes
            )

    @get("/alerts", summary="Security alerts")
    async def alerts(
        self,
        database: NamedDependency[Database],
        in_state: Annotated[AlertState | None, QueryParameter(name="state")] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        cursor: FromQuery[str | None] = None,
    ) -> Page[Alert]:
        """List alerts, the one seen last first."""
        after = Cursor.decode(cursor) if cursor is not None else None
        async with database.read() as connection:
            return await queries.alerts(connection, in_state, limit=limit, cursor=after)

    @post(
        "/alerts/{alert_id:uuid}/acknowledge",
        status_code=HTTP_200_OK,
        guards=[needs("security:manage")],
        summary="Acknowledge an alert",
    )
    async def acknowledge(
        self,
        alert_id: FromPath[UUID],
        data: JSONBody[Acknowledgement],
        request: Caller,
        database: NamedDependency[Database],
        console: NamedDependency[Console],
    ) -> Alert:
        """Close an alert, and silence what raised it if asked to. Answers 409 when it was acknowledged before."""
        async with database.write() as connection:
            return await service.acknowledge(
                connection,
                alert_id,
                data,
                watch=console.watch,
                user_id=request.user.user_id,
                now=await database.now(connection),
                audit=entry(request, "security.alert_acknowledged", "alert", alert_id),
            )

    @get("/silences", summary="Silences in force")
    async def silences(self, database: NamedDependency[Database]) -> Silences:
        """List what raises no alert now, and until when."""
        async with database.read() as connection:
            return Silences(items=await queries.silences(connection, await database.now(connection)))

    @post("/silences", guards=[needs("security:manage")], summary="Silence something")
    async def silence(
        self,
        data: JSONBody[NewSilence],
        request: Caller,
        database: NamedDependency[Database],
        console: NamedDependency[Console],
    ) -> Silence:
        """Raise no alert of one kind for a while, which has a limit (SECURITY_MAX_SILENCE_MINUTES_ADMIN)."""
        async with database.write() as connection:
            return await service.silence(
                connection,
                data,
                watch=console.watch,
                user_id=request.user.user_id,
                now=await database.now(connection),
                audit=entry(request, "security.silenced", "silence", ""),
            )

    @delete("/silences/{silence_id:uuid}", guards=[needs("security:manage")], summary="Lift a silence")
    async def lift(self, silence_id: FromPath[UUID], request: Caller, database: NamedDependency[Database]) -> None:
        """End a silence now. Answers 404 when it has ended."""
        async with database.write() as connection:
            now = await database.now(connection)
            audit = entry(request, "security.silence_lifted", "silence", silence_id)
            await service.lift(connection, silence_id, now=now, audit=audit)


class SnapshotsController(Controller):
    path = "/api/security/snapshots"
    tags = ("Security",)
    guards = (needs("security:read"),)

    @get("/", summary="Incident snapshots")
    async def snapshots(self, database: NamedDependency[Database]) -> Snapshots:
        """List the newest hundred."""
        async with database.read() as connection:
            return Snapshots(items=await snapshots.newest_first(connection))

    @post("/", guards=[needs("security:manage")], summary="Take an incident snapshot")
    async def take(
        self,
        data: JSONBody[NewSnapshot],
        request: Caller,
        database: NamedDependency[Database],
        console: NamedDependency[Console],
    ) -> SignedSnapshot:
        """Write down and sign what is known now: alerts, counts, silences, and the last day's trail of accounts."""
        async with database.write() as connection:
            return await snapshots.take(
                connection,
                console,
                data.reason,
                user_id=request.user.user_id,
                now=await database.now(connection),
                entry=entry(request, "security.snapshot_taken", "snapshot", ""),
            )

    @get("/{snapshot_id:uuid}", summary="An incident snapshot")
    async def snapshot(self, snapshot_id: FromPath[UUID], database: NamedDependency[Database]) -> SignedSnapshot:
        """Return a snapshot as it was signed."""
        async with database.read() as connection:
            return await snapshots.find(connection, snapshot_id)

    @post("/verify", status_code=HTTP_200_OK, guards=[needs("security:manage")], summary="Verify a snapshot")
    async def verify(
        self, data: JSONBody[SnapshotToVerify], request: Caller, database: NamedDependency[Database]
    ) -> SnapshotVerdict:
        """Say whether a document is what was signed here. That it was asked is recorded."""
        async with database.write() as connection:
            audit = entry(request, "security.snapshot_verified", "snapshot", "")
            return await snapshots.verify(connection, data, audit)


class EvidenceController(Controller):
    path = "/api/security"
    tags = ("Security",)
    guards = (needs("security:read"),)

    @post("/retention", status_code=HTTP_200_OK, guards=[needs("security:manage")], summary="Delete what is old")
    async def retire(
        self,
        data: JSONBody[RetentionRequest],
        request: Caller,
        database: NamedDependency[Database],
        console: NamedDependency[Console],
    ) -> RetentionReport:
        """Count, or with `dry_run` false delete, what is older than it must be kept.

        Open alerts and snapshots stay. Answers 409 when the audit trail is broken: its beginning is evidence.
        """
        days = data.days or console.watch.retention_days
        report = await retention.retire(database, days=days, dry_run=data.dry_run)
        if not data.dry_run:
            async with database.write() as connection:
                await record(connection, entry(request, "security.retired", "security", "retention", after=report))
        return report

    @get("/export", summary="Events for a collector")
    async def export(
        self,
        database: NamedDependency[Database],
        consumer: Annotated[str, QueryParameter(pattern=_CONSUMER)],
        limit: Annotated[int, QueryParameter(ge=1, le=1_000)] = 500,
    ) -> ExportBatch:
        """Return audit entries after the consumer's checkpoint, oldest first; at least once, nothing is changed."""
        async with database.read() as connection:
            return await export.batch(connection, consumer, limit=limit)

    @get("/export/checkpoints", summary="How far collectors are")
    async def checkpoints(self, database: NamedDependency[Database]) -> StoredCheckpoints:
        """List every consumer with the entry it has acknowledged last."""
        async with database.read() as connection:
            return StoredCheckpoints(items=await export.checkpoints(connection))

    # A bookmark of whoever reads: an API key that may read must be able to move it, and nothing else.
    @post("/export/checkpoint", status_code=HTTP_200_OK, summary="Acknowledge events")
    async def checkpoint(
        self, data: JSONBody[Checkpoint], request: Caller, database: NamedDependency[Database]
    ) -> StoredCheckpoint:
        """Say that a consumer has all up to an entry. Answers 409 for one it has passed, or that is not there."""
        async with database.write() as connection:
            now = await database.now(connection)
            return await export.acknowledge(connection, data, user_id=request.user.user_id, now=now)
