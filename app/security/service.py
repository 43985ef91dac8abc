"""What people do on the security console."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.audit.service import AuditEntry, record
from app.core.ids import new_id
from app.security.errors import AlertNotFound, AlreadyAcknowledged, SilenceNotFound, SilenceTooLong
from app.security.models import security_alerts, security_silences
from app.security.queries import alert_of
from app.security.rules import Kind, Rule
from app.security.schemas import Acknowledgement, Alert, NewSilence, Silence
from settings.watch import WatchSettings


class Console(msgspec.Struct, frozen=True):
    """What the console was configured with."""

    rules: Sequence[Rule]
    watch: WatchSettings
    version: str


async def acknowledge(
    connection: AsyncConnection,
    alert_id: UUID,
    data: Acknowledgement,
    *,
    watch: WatchSettings,
    user_id: UUID,
    now: datetime,
    audit: AuditEntry,
) -> Alert:
    """Close an alert, and silence what raised it for a while if asked to.

    Raises `AlertNotFound`, `AlreadyAcknowledged`, `SilenceTooLong`.
    """
    c = security_alerts.c
    row = (await connection.execute(sa.select(*c).where(c.id == alert_id).with_for_update())).one_or_none()
    if row is None:
        raise AlertNotFound
    if row.state != "open":
        raise AlreadyAcknowledged
    values = {"state": "acknowledged", "acknowledged_at": now, "acknowledged_by": user_id, "note": data.note or None}
    closed = (
        await connection.execute(sa.update(security_alerts).where(c.id == alert_id).values(**values).returning(*c))
    ).one()
    if data.silence_minutes is not None:
        reason = data.note or "with the acknowledgement of an alert"
        silence = _silence(row.fingerprint, data.silence_minutes, reason, watch=watch, user_id=user_id, now=now)
        await _store(connection, silence)
    await record(connection, msgspec.structs.replace(audit, after=data))
    return alert_of(closed)


async def silence(
    connection: AsyncConnection,
    new: NewSilence,
    *,
    watch: WatchSettings,
    user_id: UUID,
    now: datetime,
    audit: AuditEntry,
) -> Silence:
    """Raise no alert of one kind for a while. Raises `SilenceTooLong`."""
    made = _silence(new.fingerprint, new.silence_minutes, new.reason, watch=watch, user_id=user_id, now=now)
    await _store(connection, made)
    await record(connection, msgspec.structs.replace(audit, target_id=str(made.id), after=new))
    return made


async def lift(connection: AsyncConnection, silence_id: UUID, *, now: datetime, audit: AuditEntry) -> None:
    """End a silence now. Raises `SilenceNotFound`."""
    c = security_silences.c
    lifted = await connection.execute(
        sa.update(security_silences).where(c.id == silence_id, c.ends_at > now).values(ends_at=now)
    )
    if not lifted.rowcount:
        raise SilenceNotFound
    await record(connection, audit)


def _silence(kind: Kind, minutes: int, reason: str, *, watch: WatchSettings, user_id: UUID, now: datetime) -> Silence:
    if minutes > watch.most_silence_minutes:
        raise SilenceTooLong(watch.most_silence_minutes)
    return Silence(
        id=new_id(),
        fingerprint=kind,
        reason=reason,
        created_at=now,
        created_by=user_id,
        ends_at=now + timedelta(minutes=minutes),
    )


async def _store(connection: AsyncConnection, silence: Silence) -> None:
    await connection.execute(sa.insert(security_silences).values(**msgspec.structs.asdict(silence)))
