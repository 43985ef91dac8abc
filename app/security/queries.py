"""Read what the security console knows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.audit.models import audit_entries
from app.core.keyset import Cursor, Page, beyond, paginate
from app.security.counts import counted
from app.security.models import security_alerts, security_silences
from app.security.rules import Rule
from app.security.schemas import Alert, AlertState, Overview, Silence, Watched

_ADDRESSES_SHOWN = 5
_MOST_OPEN = 100


class Seen(msgspec.Struct, frozen=True):
    """How often something happened in a window, and from which addresses most, where that is known."""

    number: int
    addresses: dict[str, int]


async def seen(connection: AsyncConnection, rule: Rule, since: datetime) -> Seen:
    """Count what `rule` watches since then."""
    if not rule.actions:
        return Seen(await counted(connection, rule.kind, since), {})
    c = audit_entries.c
    happened = c.action.in_(rule.actions) & (c.at >= since)
    number = (await connection.scalar(sa.select(sa.func.count()).where(happened))) or 0
    if not number:
        return Seen(0, {})
    total = sa.func.count().label("total")
    most = (
        sa.select(c.address, total)
        .where(happened, c.address.is_not(None))
        .group_by(c.address)
        .order_by(total.desc(), c.address)
        .limit(_ADDRESSES_SHOWN)
    )
    return Seen(number, {row.address: row.total for row in await connection.execute(most)})


async def overview(
    connection: AsyncConnection, rules: Sequence[Rule], *, now: datetime, window_minutes: int
) -> Overview:
    """Return what is watched, how often it happened, and the alerts that are open."""
    since = now - timedelta(minutes=window_minutes)
    silenced = {one.fingerprint: one.ends_at for one in await silences(connection, now)}
    watched = []
    for rule in rules:
        found = await seen(connection, rule, since)
        watched.append(
            Watched(
                kind=rule.kind,
                number=found.number,
                threshold=rule.threshold,
                addresses=found.addresses,
                silenced_until=silenced.get(rule.kind),
            )
        )
    is_open = security_alerts.c.state == "open"
    newest_first = security_alerts.c.last_seen_at.desc()
    rows = await connection.execute(sa.select(security_alerts).where(is_open).order_by(newest_first).limit(_MOST_OPEN))
    return Overview(at=now, window_minutes=window_minutes, watched=watched, open_alerts=[alert_of(row) for row in rows])


async def alerts(
    connection: AsyncConnection, state: AlertState | None, *, limit: int, cursor: Cursor | None
) -> Page[Alert]:
    """Return alerts, the one seen last first."""
    c = security_alerts.c
    found = sa.select(*c).order_by(c.last_seen_at.desc(), c.id.desc()).limit(limit + 1)
    if state is not None:
        found = found.where(c.state == state)
    if cursor is not None:
        found = found.where(beyond(cursor, c.last_seen_at, c.id))
    rows = (await connection.execute(found)).all()
    return paginate(rows, limit=limit, item=alert_of, cursor=lambda row: Cursor(row.last_seen_at, row.id))


async def silences(connection: AsyncConnection, now: datetime) -> list[Silence]:
    """Return the silences in force, the one that ends first first, so that the last word is the longest."""
    c = security_silences.c
    rows = await connection.execute(sa.select(*c).where(c.ends_at > now).order_by(c.ends_at, c.id))
    return [Silence(**{name: getattr(row, name) for name in Silence.__struct_fields__}) for row in rows]


def alert_of(row: Any) -> Alert:
    """Return a row as the API shows it."""
    return Alert(**{name: getattr(row, name) for name in Alert.__struct_fields__})
