"""What looks wrong is said once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.audit.models import audit_entries
from app.audit.service import AuditEntry, record
from app.core.db import Database
from app.core.db.events import events
from app.core.ids import new_id
from app.core.metrics import Metrics
from app.live.bus import InProcessBus
from app.live.schemas import Happened
from app.reactions import EVENTS, Reactions
from app.security import queries
from app.security.counts import SecurityCounts, counted
from app.security.detection import Detection
from app.security.events import SecurityAlertOpened
from app.security.jobs import check_trail
from app.security.models import security_alerts, security_counts, security_silences
from app.security.schemas import Alert
from app.security.service import Console


async def _fail(database: Database, times: int, address: str = "192.0.2.1") -> None:
    for _ in range(times):
        async with database.write() as connection:
            await record(
                connection,
                AuditEntry("accounts.sign_in_refused", "user", "unknown", address=address, outcome="refused"),
            )


async def _alerts(database: Database) -> list[Alert]:
    async with database.read() as connection:
        return (await queries.alerts(connection, None, limit=100, cursor=None)).items


async def _age(database: Database, minutes: int) -> None:
    """Let all that happened have happened so long ago."""
    past = timedelta(minutes=minutes)
    async with database.write() as connection:
        now = await database.now(connection)
        await connection.execute(sa.update(audit_entries).values(at=now - past))
        await connection.execute(sa.update(security_alerts).values(last_seen_at=now - past))


def _detection(database: Database, console: Console) -> Detection:
    return Detection(database, console.rules, console.watch)


async def test_below_the_threshold_nobody_is_told(database: Database, console: Console) -> None:
    await _fail(database, console.watch.sign_in_failed - 1)

    await _detection(database, console).look()

    assert await _alerts(database) == []


async def test_an_anomaly_raises_one_alert_however_often_and_by_how_many_it_is_seen(
    database: Database, console: Console
) -> None:
    await _fail(database, 2)
    await _fail(database, 1, "192.0.2.2")
    detections = [_detection(database, console) for _ in range(3)]

    await asyncio.gather(*(one.look() for one in detections))
    await detections[0].look()

    (alert,) = await _alerts(database)
    assert (alert.fingerprint, alert.severity, alert.state, alert.number) == ("sign_in_failed", "high", "open", 3)
    assert alert.addresses == {"192.0.2.1": 2, "192.0.2.2": 1}


async def test_an_open_alert_grows_with_what_it_is_about(database: Database, console: Console) -> None:
    detection = _detection(database, console)
    await _fail(database, 3)
    await detection.look()
    await _fail(database, 3)

    await detection.look()

    (alert,) = await _alerts(database)
    assert (alert.number, alert.severity) == (6, "urgent")


async def test_browsers_are_told_through_an_event_in_the_same_unit_of_work(
    database: Database, console: Console
) -> None:
    await _fail(database, 3)

    await _detection(database, console).look()

    async with database.read() as connection:
        names = (await connection.execute(sa.select(events.c.name))).scalars().all()
        actions = (await connection.execute(sa.select(audit_entries.c.action))).scalars().all()
    assert names == ["security_alert_opened"]
    assert actions[-1] == "security.alert_opened"


async def test_an_alert_reaches_the_browsers_that_listen_to_the_system() -> None:
    class NoJobs:
        async def enqueue(self, name: str, /, **_: Any) -> bool:
            raise AssertionError(name)

    bus = InProcessBus()
    with bus.subscribe() as subscription:
        subscription.topics.add("system")
        await Reactions(bus, NoJobs()).react([SecurityAlertOpened(alert_id=new_id(), fingerprint="locked_out")])

        told = await subscription.next()

    assert isinstance(told, Happened)
    assert (told.topic, told.event.type) == ("system", "security_alert_opened")
    assert EVENTS["security_alert_opened"] is SecurityAlertOpened


async def test_after_an_acknowledgement_the_same_thing_is_quiet_until_the_cool_down_ends(
    database: Database, console: Console
) -> None:
    detection = _detection(database, console)
    await _fail(database, 3)
    await detection.look()
    async with database.write() as connection:
        await connection.execute(sa.update(security_alerts).values(state="acknowledged"))

    await detection.look()
    assert len(await _alerts(database)) == 1

    await _age(database, console.watch.cooldown_minutes + 1)
    await _fail(database, 3)
    await detection.look()
    assert len(await _alerts(database)) == 2


async def test_what_happened_before_the_window_is_not_counted(database: Database, console: Console) -> None:
    await _fail(database, 3)
    await _age(database, console.watch.window_minutes + 1)

    await _detection(database, console).look()

    assert await _alerts(database) == []


async def test_a_silence_keeps_one_kind_quiet_and_ends(database: Database, console: Console) -> None:
    detection = _detection(database, console)
    async with database.write() as connection:
        now = await database.now(connection)
        values: dict[str, Any] = {"reason": "a test", "created_at": now, "created_by": new_id()}
        await connection.execute(
            sa.insert(security_silences).values(
                id=new_id(), fingerprint="sign_in_failed", ends_at=now + timedelta(minutes=5), **values
            )
        )
        await record(connection, AuditEntry("accounts.locked_out", "user", "1", outcome="refused"))
    await _fail(database, 3)

    await detection.look()
    assert [one.fingerprint for one in await _alerts(database)] == ["locked_out"]

    async with database.write() as connection:
        await connection.execute(sa.update(security_silences).values(ends_at=now))
    await detection.look()
    assert {one.fingerprint for one in await _alerts(database)} == {"locked_out", "sign_in_failed"}


async def test_forged_webhooks_are_counted_over_all_processes_with_one_row_a_minute(
    database: Database, console: Console
) -> None:
    processes = [Metrics(), Metrics()]
    counts = [SecurityCounts(database, metrics) for metrics in processes]
    for metrics in processes:
        for _ in range(500):
            metrics.webhook_requests.labels("bad_signature").inc()
        metrics.webhook_requests.labels("stored").inc()

    await asyncio.gather(*(one.flush() for one in counts))
    await asyncio.gather(*(one.flush() for one in counts))

    async with database.read() as connection:
        now = await database.now(connection)
        assert await counted(connection, "bad_signature", now - timedelta(minutes=5)) == 1_000
        rows = (await connection.execute(sa.select(sa.func.count()).select_from(security_counts))).scalar_one()
        assert rows <= 2  # two only when the minute ended between them
    await _detection(database, console).look()
    assert [(one.fingerprint, one.number) for one in await _alerts(database)] == [("bad_signature", 1_000)]


async def test_a_process_writes_nothing_while_nothing_happens(database: Database) -> None:
    metrics = Metrics()
    counts = SecurityCounts(database, metrics)
    metrics.live_refused.labels("origin").inc()
    await counts.flush()
    async with database.write() as connection:
        await connection.execute(sa.text("DROP TABLE security_counts"))

    await counts.flush()

    metrics.live_refused.labels("origin").inc()
    with pytest.raises(sa.exc.DBAPIError):
        await counts.flush()


async def test_refused_live_connections_are_counted_whatever_the_reason(database: Database) -> None:
    metrics = Metrics()
    metrics.live_refused.labels("origin").inc()
    metrics.live_refused.labels("token").inc(2)

    await SecurityCounts(database, metrics).flush()

    async with database.read() as connection:
        now = await database.now(connection)
        assert await counted(connection, "live_refused", now - timedelta(minutes=1)) == 3


async def test_a_broken_trail_raises_an_urgent_alert_and_deletes_nothing(database: Database, console: Console) -> None:
    await _fail(database, 2)
    async with database.write() as connection:
        await connection.execute(sa.update(audit_entries).where(audit_entries.c.sequence == 1).values(action="x.y"))

    await check_trail(database, _detection(database, console), 30)

    (alert,) = await _alerts(database)
    assert (alert.fingerprint, alert.severity) == ("audit_broken", "urgent")
    async with database.read() as connection:
        assert (await connection.scalar(sa.select(sa.func.count()).select_from(audit_entries))) == 3
