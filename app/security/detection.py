"""Look for what looks wrong, and say it once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.audit.service import AuditEntry, record
from app.core.db import Database, events, exclusive
from app.core.ids import new_id
from app.security.events import SecurityAlertOpened
from app.security.models import security_alerts, security_silences
from app.security.queries import Seen, seen
from app.security.rules import Kind, Rule
from settings.watch import WatchSettings

log = structlog.get_logger()

_URGENT_TIMES: Final = 2
_a = security_alerts.c


class Detection:
    """Looks at the window that ends now. Any number of processes may look: one alert is raised."""

    def __init__(self, database: Database, rules: Sequence[Rule], watch: WatchSettings) -> None:
        self._database = database
        self._rules = rules
        self._watch = watch

    async def look(self) -> None:
        """Raise an alert for each rule whose threshold is reached, unless it is known, silenced or cooling down."""
        async with self._database.read() as connection:
            now = await self._database.now(connection)
            since = now - timedelta(minutes=self._watch.window_minutes)
            found = [(rule, await seen(connection, rule, since)) for rule in self._rules]
        for rule, one in found:
            if one.number >= rule.threshold:
                await self.report(rule, one, now)

    async def report(self, rule: Rule, found: Seen, now: datetime) -> UUID | None:
        """Say what was found; return the id of the alert that is new, None when nobody needs to be told."""
        async with self._database.write() as connection:
            await exclusive(connection, security_alerts.name)
            if await self._is_known(connection, rule, found, now) or await _is_silenced(connection, rule.kind, now):
                return None
            alert_id = new_id()
            severity = "urgent" if _is_urgent(rule, found) else "high"
            await connection.execute(
                sa.insert(security_alerts).values(
                    id=alert_id,
                    fingerprint=rule.kind,
                    severity=severity,
                    state="open",
                    first_seen_at=now,
                    last_seen_at=now,
                    number=found.number,
                    threshold=rule.threshold,
                    window_minutes=self._watch.window_minutes,
                    addresses=found.addresses,
                )
            )
            await events.record(connection, [SecurityAlertOpened(alert_id=alert_id, fingerprint=rule.kind)])
            after = {"number": found.number, "threshold": rule.threshold, "severity": severity}
            await record(connection, AuditEntry("security.alert_opened", "alert", str(alert_id), after=after))
        log.error("security.alert_opened", fingerprint=rule.kind, number=found.number, severity=severity)
        return alert_id

    async def _is_known(self, connection: AsyncConnection, rule: Rule, found: Seen, now: datetime) -> bool:
        """Add what was found to the alert that is open, or was within the cool-down; False when there is none."""
        cooling = now - timedelta(minutes=self._watch.cooldown_minutes)
        known = (
            await connection.execute(
                sa.select(_a.id, _a.number)
                .where(_a.fingerprint == rule.kind, (_a.state == "open") | (_a.last_seen_at > cooling))
                .order_by(_a.last_seen_at.desc())
                .limit(1)
            )
        ).one_or_none()
        if known is None:
            return False
        values: dict[str, object] = {"last_seen_at": now}
        if found.number > known.number:
            values |= {"number": found.number, "addresses": found.addresses}
            if _is_urgent(rule, found):
                values["severity"] = "urgent"
        await connection.execute(sa.update(security_alerts).where(_a.id == known.id).values(**values))
        return True


def _is_urgent(rule: Rule, found: Seen) -> bool:
    return rule.is_always_urgent or found.number >= _URGENT_TIMES * rule.threshold


async def _is_silenced(connection: AsyncConnection, kind: Kind, now: datetime) -> bool:
    c = security_silences.c
    found = sa.select(c.id).where(c.fingerprint == kind, c.ends_at > now).limit(1)
    return (await connection.execute(found)).first() is not None
