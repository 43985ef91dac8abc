"""The console through the HTTP door."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
import sqlalchemy as sa
from litestar import Litestar
from litestar.di import Provide
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from app.audit.controllers import AuditController
from app.audit.models import audit_entries
from app.audit.service import AuditEntry, record
from app.audit.verify import verify
from app.core.db import Database
from app.core.http import EXCEPTION_HANDLERS
from app.core.ids import new_id
from app.core.security.actor import Actor, Role
from app.security.controllers import AlertsController, EvidenceController, SnapshotsController
from app.security.detection import Detection
from app.security.models import security_alerts, security_counts
from app.security.service import Console

ADMIN = new_id()


class SignedInAs(ASGIMiddleware):
    """Stands where the access token is checked: everybody has the role in the header `role`."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        given = dict(scope["headers"]).get(b"role", b"admin").decode()
        role: Role = msgspec.convert(given, Role)
        scope["user"] = Actor(user_id=ADMIN, username="ana", role=role, session_id=new_id())
        await next_app(scope, receive, send)


@pytest.fixture
async def client(database: Database, console: Console) -> AsyncIterator[httpx.AsyncClient]:
    app = Litestar(
        [AuditController, AlertsController, SnapshotsController, EvidenceController],
        middleware=[SignedInAs()],
        dependencies={
            "database": Provide(lambda: database, sync_to_thread=False),
            "console": Provide(lambda: console, sync_to_thread=False),
        },
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=None,
    )
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # Litestar names the ASGI messages, httpx takes any
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as opened:
        yield opened


async def _happen(database: Database, *actions: str, **about: Any) -> None:
    for action in actions:
        async with database.write() as connection:
            await record(connection, AuditEntry(action, "thing", "1", **about))


async def _open_alert(database: Database, console: Console, client: httpx.AsyncClient) -> str:
    await _happen(database, "accounts.locked_out", address="192.0.2.1")
    await Detection(database, console.rules, console.watch).look()
    (alert,) = (await client.get("/api/security/alerts", params={"state": "open"})).json()["items"]
    return str(alert["id"])


async def test_an_alert_is_seen_acknowledged_once_and_silenced(
    database: Database, console: Console, client: httpx.AsyncClient
) -> None:
    alert_id = await _open_alert(database, console, client)
    seen = (await client.get("/api/security/overview")).json()

    body = {"note": "it was us", "silence_minutes": 30}
    closed = await client.post(f"/api/security/alerts/{alert_id}/acknowledge", json=body)
    again = await client.post(f"/api/security/alerts/{alert_id}/acknowledge", json={})

    assert [one["id"] for one in seen["open_alerts"]] == [alert_id]
    assert {one["kind"]: one["number"] for one in seen["watched"]}["locked_out"] == 1
    assert (closed.status_code, closed.json()["state"], closed.json()["note"]) == (200, "acknowledged", "it was us")
    assert (again.status_code, again.json()["code"]) == (409, "security_alert_acknowledged")
    (silence,) = (await client.get("/api/security/silences")).json()["items"]
    assert (silence["fingerprint"], silence["created_by"]) == ("locked_out", str(ADMIN))
    assert (await client.delete(f"/api/security/silences/{silence['id']}")).status_code == 204
    assert (await client.get("/api/security/silences")).json() == {"items": []}
    assert (await client.delete(f"/api/security/silences/{silence['id']}")).status_code == 404


async def test_nothing_is_silenced_for_longer_than_the_maximum(
    database: Database, console: Console, client: httpx.AsyncClient
) -> None:
    alert_id = await _open_alert(database, console, client)
    minutes = console.watch.most_silence_minutes + 1

    by_alert = await client.post(f"/api/security/alerts/{alert_id}/acknowledge", json={"silence_minutes": minutes})
    by_kind = await client.post(
        "/api/security/silences", json={"fingerprint": "locked_out", "silence_minutes": minutes, "reason": "quiet"}
    )

    assert (by_alert.status_code, by_kind.status_code) == (422, 422)
    assert (await client.get("/api/security/silences")).json() == {"items": []}
    assert (await client.get("/api/security/alerts")).json()["items"][0]["state"] == "open"


async def test_a_snapshot_is_taken_stored_and_verified(
    database: Database, console: Console, client: httpx.AsyncClient
) -> None:
    await _open_alert(database, console, client)

    taken = await client.post("/api/security/snapshots", json={"reason": "for the insurer"})
    found = await client.get(f"/api/security/snapshots/{taken.json()['snapshot']['id']}")
    verdict = await client.post("/api/security/snapshots/verify", json=found.json())

    assert taken.status_code == 201
    assert found.json() == taken.json()
    assert [one["fingerprint"] for one in taken.json()["snapshot"]["overview"]["open_alerts"]] == ["locked_out"]
    assert verdict.json() == {"valid": True, "reason": None}
    actions = [one["action"] for one in (await client.get("/api/audit")).json()["items"]]
    assert actions[:2] == ["security.snapshot_verified", "security.snapshot_taken"]


async def test_an_altered_or_stripped_snapshot_is_not_valid(client: httpx.AsyncClient) -> None:
    taken = (await client.post("/api/security/snapshots", json={"reason": "x"})).json()
    snapshot, integrity = taken["snapshot"], taken["integrity"]
    forgeries: list[dict[str, Any]] = [
        {"snapshot": {**snapshot, "reason": "y"}, "integrity": integrity},
        {"snapshot": {**snapshot, "added": 1}, "integrity": integrity},
        {"snapshot": {}, "integrity": integrity},
        {"snapshot": snapshot, "integrity": {**integrity, "signature": ""}},
        {"snapshot": snapshot, "integrity": {**integrity, "signature": "0" * 64}},
        {"snapshot": snapshot, "integrity": {**integrity, "key_id": str(new_id())}},
        {"snapshot": snapshot, "integrity": None},
        {"snapshot": snapshot},
    ]

    verdicts = [(await client.post("/api/security/snapshots/verify", json=one)).json()["valid"] for one in forgeries]
    other_algorithm = await client.post(
        "/api/security/snapshots/verify",
        json={"snapshot": snapshot, "integrity": {**integrity, "algorithm": "none"}},
    )

    assert verdicts == [False] * len(forgeries)
    assert other_algorithm.status_code == 422


async def test_the_order_of_members_does_not_matter_to_a_signature(client: httpx.AsyncClient) -> None:
    taken = (await client.post("/api/security/snapshots", json={"reason": "x"})).json()
    turned = {**taken, "snapshot": dict(reversed(taken["snapshot"].items()))}

    assert (await client.post("/api/security/snapshots/verify", json=turned)).json()["valid"] is True


async def _age_trail(database: Database, until_sequence: int) -> None:
    """Write four entries by a clock that began 400 days ago: their times are part of what is signed."""
    from app.audit.chain import GENESIS, Link, Mark, Sealer
    from app.audit.keys import take_key
    from app.audit.service import KEY_PURPOSE, set_mark

    async with database.write() as connection:
        now = await database.now(connection)
        sealer, at = Sealer(await take_key(connection, KEY_PURPOSE)), GENESIS
        for sequence in range(1, until_sequence + 1):
            link = Link(
                sequence=sequence,
                id=new_id(),
                at=now - timedelta(days=400),
                action="a.done",
                target_kind="thing",
                target_id="1",
                outcome="ok",
                actor_id=None,
                actor_name=None,
                actor_role=None,
                api_key_id=None,
                address=None,
                before=None,
                after=None,
            )
            at = Mark(sequence, sealer.seal(at.hash, link))
            await connection.execute(sa.insert(audit_entries).values(**msgspec.structs.asdict(link), hash=at.hash))
        await set_mark(connection, "head", at, sealer)
        old = now - timedelta(days=400)
        await connection.execute(sa.insert(security_counts).values(kind="bad_signature", minute=old, number=1))
        for state in ("open", "acknowledged"):
            await connection.execute(
                sa.insert(security_alerts).values(
                    id=new_id(),
                    fingerprint="bad_signature",
                    severity="high",
                    state=state,
                    first_seen_at=old,
                    last_seen_at=old,
                    number=1,
                    threshold=1,
                    window_minutes=5,
                    addresses={},
                )
            )


async def test_retention_counts_in_a_dry_run_and_then_deletes_as_much(
    database: Database, client: httpx.AsyncClient
) -> None:
    await _age_trail(database, 4)
    await _happen(database, "b.done", "c.done")

    dry = (await client.post("/api/security/retention", json={})).json()
    assert (await verify(database)).entries == 6
    wet = (await client.post("/api/security/retention", json={"dry_run": False})).json()

    numbers = {"audit_entries": 4, "alerts": 1, "silences": 0, "counts": 1}
    assert dry.items() >= {"dry_run": True, **numbers}.items()
    assert wet.items() >= {"dry_run": False, **numbers}.items()
    verdict = await verify(database)
    assert (verdict.is_whole, verdict.entries) == (True, 3)  # b, c, and that this was done
    assert [one["state"] for one in (await client.get("/api/security/alerts")).json()["items"]] == ["open"]


async def test_a_shortened_trail_still_shows_tampering(database: Database, client: httpx.AsyncClient) -> None:
    await _age_trail(database, 2)
    await _happen(database, "b.done")
    await client.post("/api/security/retention", json={"dry_run": False})
    async with database.write() as connection:
        await connection.execute(sa.delete(audit_entries).where(audit_entries.c.sequence == 3))

    assert (await verify(database)).broken_at == 3
    refused = await client.post("/api/security/retention", json={"dry_run": False})
    assert (refused.status_code, refused.json()["code"]) == (409, "audit_trail_broken")


async def test_a_collector_gets_everything_at_least_once(database: Database, client: httpx.AsyncClient) -> None:
    await _happen(database, "a.done", "b.done", "c.done")

    async def read(consumer: str = "siem") -> dict[str, Any]:
        answer = await client.get("/api/security/export", params={"consumer": consumer, "limit": 2})
        return dict(answer.json())

    async def have(sequence: int) -> int:
        body = {"consumer": "siem", "sequence": sequence}
        return (await client.post("/api/security/export/checkpoint", json=body)).status_code

    first, again = await read(), await read()
    assert first == again
    assert ([one["action"] for one in first["items"]], first["more"]) == (["a.done", "b.done"], True)

    assert await have(first["sequence"]) == 200
    assert [one["action"] for one in (await read())["items"]] == ["c.done"]
    assert [one["action"] for one in (await read("other"))["items"]] == ["a.done", "b.done"]
    assert (await have(1), await have(4)) == (409, 409)
    assert await have(3) == 200
    assert (await read()).items() >= {"items": [], "sequence": 3, "more": False}.items()
    (stored,) = (await client.get("/api/security/export/checkpoints")).json()["items"]
    assert (stored["consumer"], stored["sequence"]) == ("siem", 3)


async def test_reading_changes_nothing(database: Database, console: Console, client: httpx.AsyncClient) -> None:
    await _open_alert(database, console, client)
    before = (await verify(database)).head

    for path in (
        "overview",
        "alerts",
        "silences",
        "snapshots",
        "export?consumer=a",
        "export/checkpoints",
    ):
        assert (await client.get(f"/api/security/{path}")).status_code == 200

    assert (await verify(database)).head == before
    assert (await client.get("/api/security/export/checkpoints")).json() == {"items": []}


async def test_the_trail_is_filtered_and_paged(database: Database, client: httpx.AsyncClient) -> None:
    actor = Actor(user_id=ADMIN, username="ana", role="admin", session_id=None)
    await _happen(database, "channel.added", "channel.resumed", "contact.changed", actor=actor)
    await _happen(database, "channel.refused", outcome="refused")

    async def actions(**params: Any) -> list[str]:
        return [one["action"] for one in (await client.get("/api/audit", params=params)).json()["items"]]

    assert await actions(action="channel.") == ["channel.refused", "channel.resumed", "channel.added"]
    assert await actions(action="channel.added") == ["channel.added"]
    assert await actions(actor_id=str(ADMIN), action="contact.") == ["contact.changed"]
    assert await actions(outcome="refused") == ["channel.refused"]
    assert await actions(target_kind="thing", target_id="2") == []
    assert await actions(since="2099-01-01T00:00:00Z") == []
    assert len(await actions(until="2099-01-01T00:00:00Z")) == 4
    page = (await client.get("/api/audit", params={"limit": 3})).json()
    rest = (await client.get("/api/audit", params={"limit": 3, "before_sequence": page["next_before"]})).json()
    assert [one["sequence"] for one in page["items"] + rest["items"]] == [4, 3, 2, 1]
    assert rest["next_before"] is None
    assert (await client.get("/api/audit", params={"since": "2099-01-01T00:00:00"})).status_code == 422


async def test_the_trail_leaves_as_lines_of_json(database: Database, client: httpx.AsyncClient) -> None:
    await _happen(database, *["a.done"] * 3)

    answer = await client.get("/api/audit/export")

    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert [msgspec.json.decode(line)["sequence"] for line in answer.text.splitlines()] == [1, 2, 3]


@pytest.mark.parametrize("role", ["supervisor", "agent", "viewer"])
async def test_the_console_is_for_admins(client: httpx.AsyncClient, role: str) -> None:
    headers = {"role": role}
    for path in ("/api/audit", "/api/audit/export", "/api/security/alerts", "/api/security/export?consumer=a"):
        assert (await client.get(path, headers=headers)).status_code == 403
    for path in ("/api/security/snapshots", "/api/security/retention", "/api/security/silences"):
        assert (await client.post(path, headers=headers, json={})).status_code == 403
