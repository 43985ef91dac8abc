"""What people change through the API is in the trail, with who and from where, and without secrets."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from app.audit.models import audit_entries
from app.audit.verify import verify
from app.contacts.models import contacts
from app.conversations.models import conversations, messages
from app.core.ids import new_id
from app.outbound.models import outbound_messages
from app.whatsapp.models import channels, inbound_events
from tests.architecture.whole_api import WholeApi, whole_api

CHANNEL, CONTACT, CONVERSATION, WAITS, UNKNOWN, EVENT = (new_id() for _ in range(6))
TOKEN = "EAAcanarytoken0123456789"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[WholeApi]:
    async with whole_api(tmp_path, {"GEMINI_API_KEY": "x" * 32, "AI_FALLBACK_ORDER": "gemini"}) as api:
        await _furnish(api)
        yield api


async def _furnish(api: WholeApi) -> None:
    database = api.parts.database
    async with database.write() as connection:
        now = await database.now(connection)
        await connection.execute(
            sa.insert(channels).values(
                id=CHANNEL, kind="cloud", name="x", source="panel", phone_number_id="1", stopped_at=now
            )
        )
        await connection.execute(sa.insert(contacts).values(id=CONTACT, name="Luz"))
        await connection.execute(
            sa.insert(conversations).values(
                id=CONVERSATION, channel_id=CHANNEL, contact_id=CONTACT, last_message_at=now, control_version=1
            )
        )
        for outbound_id, state in ((WAITS, "pending"), (UNKNOWN, "unknown")):
            await connection.execute(
                sa.insert(messages).values(
                    id=outbound_id,
                    conversation_id=CONVERSATION,
                    channel_id=CHANNEL,
                    author="person",
                    kind="text",
                    text="a text",
                    payload='{"type":"text","body":"a text"}',
                    sent_at=now,
                )
            )
            await connection.execute(
                sa.insert(outbound_messages).values(
                    id=outbound_id,
                    conversation_id=CONVERSATION,
                    channel_id=CHANNEL,
                    contact_id=CONTACT,
                    origin="person",
                    content='{"type":"text","body":"a text"}',
                    state=state,
                    scheduled_at=now,
                    due_at=now,
                )
            )
        await connection.execute(
            sa.insert(inbound_events).values(
                id=EVENT, digest=b"1" * 32, body=b"{}", received_at=now, state="dead", due_at=now
            )
        )


async def _profile(client: httpx.AsyncClient) -> dict[str, Any]:
    stored = (await client.get("/api/business/profile")).json()
    return {"version": stored["version"], "profile": {**stored["profile"], "paused": True}}


async def _order(client: httpx.AsyncClient) -> dict[str, Any]:
    routes = (await client.get("/api/ai/providers")).json()
    order = [{"route_id": one["route_id"], "enabled": one["enabled"]} for one in routes["routes"]]
    return {"version": routes["version"], "order": order}


async def _new_channel(_: httpx.AsyncClient) -> dict[str, Any]:
    return {
        "name": "Main",
        "phone_number_id": "123456789",
        "token": TOKEN,
        "app_secrets": ["0123456789abcdef0123456789abcdef"],
        "verify_token": "a verify token of ours",
    }


ACTIONS: list[tuple[str, str, str, Any]] = [
    ("channel.added", "POST", "/api/whatsapp/channels", _new_channel),
    ("channel.resumed", "POST", f"/api/whatsapp/channels/{CHANNEL}/resume", None),
    ("webhook.retried", "POST", f"/api/whatsapp/events/{EVENT}/retry", None),
    ("business_profile.replaced", "PUT", "/api/business/profile", _profile),
    ("model_order.replaced", "PUT", "/api/ai/providers/order", _order),
    ("conversation.taken_over", "POST", f"/api/conversations/{CONVERSATION}/take-over", {}),
    ("conversation.handed_back", "POST", f"/api/conversations/{CONVERSATION}/hand-back", {}),
    ("contact.approval_changed", "PATCH", f"/api/contacts/{CONTACT}", {"approved": True}),
    ("outbound.cancelled", "POST", f"/api/outbound/{WAITS}/cancel", None),
    ("outbound.resolved", "POST", f"/api/outbound/{UNKNOWN}/resolve", {"decision": "mark_sent"}),
]


@pytest.mark.parametrize(("action", "method", "path", "body"), ACTIONS, ids=[one[0] for one in ACTIONS])
async def test_what_a_person_does_is_recorded(api: WholeApi, action: str, method: str, path: str, body: Any) -> None:
    async with api.client() as client:
        client.headers["Authorization"] = f"Bearer {await api.token('admin')}"
        if callable(body):
            body = await body(client)
        answer = await client.request(method, path, **({} if body is None else {"json": body}))
        assert answer.is_success, answer.text

        (one,) = (await client.get("/api/audit")).json()["items"]

    assert (one["action"], one["outcome"], one["actor_name"], one["actor_role"]) == (action, "ok", "admin", "admin")
    assert one["address"] == "127.0.0.1"
    assert one["target_id"]


async def test_a_message_that_takes_a_conversation_over_is_recorded_once_and_without_its_text(api: WholeApi) -> None:
    database = api.parts.database
    async with database.write() as connection:
        now = await database.now(connection)
        await connection.execute(
            sa.update(conversations).where(conversations.c.id == CONVERSATION).values(last_inbound_at=now)
        )
    path = f"/api/conversations/{CONVERSATION}/messages"
    async with api.client() as client:
        client.headers["Authorization"] = f"Bearer {await api.token('agent')}"
        for text in ("a secret text", "and another"):
            answer = await client.post(path, json={"content": {"type": "text", "body": text}})
            assert answer.status_code == 201, answer.text
        client.headers["Authorization"] = f"Bearer {await api.token('admin')}"
        (one,) = (await client.get("/api/audit")).json()["items"]
        taken = await client.post(path, json={"content": {"type": "text", "body": "mine now"}})
        (other, _) = (await client.get("/api/audit")).json()["items"]

    assert (one["action"], one["actor_name"], one["target_id"]) == (
        "conversation.taken_over",
        "agent",
        str(CONVERSATION),
    )
    assert "secret" not in str(one)
    assert taken.status_code == 201
    assert (other["action"], other["actor_name"]) == ("conversation.taken_over", "admin"), "from one person to another"


async def test_what_is_refused_changes_nothing_and_records_nothing(api: WholeApi) -> None:
    async with api.client() as client:
        client.headers["Authorization"] = f"Bearer {await api.token('admin')}"
        answers = [
            await client.post(f"/api/whatsapp/channels/{new_id()}/resume"),
            await client.post(f"/api/outbound/{UNKNOWN}/cancel"),
            await client.put("/api/business/profile", json={**await _profile(client), "version": 7}),
            await client.post(f"/api/conversations/{CONVERSATION}/take-over", json={"expected_version": 9}),
        ]

    assert {answer.status_code for answer in answers} == {404, 409}
    assert (await verify(api.parts.database)).entries == 0


async def test_the_secrets_of_a_channel_are_nowhere_in_the_trail_or_in_the_clear(api: WholeApi, tmp_path: Path) -> None:
    async with api.client() as client:
        client.headers["Authorization"] = f"Bearer {await api.token('admin')}"
        added = await client.post("/api/whatsapp/channels", json=await _new_channel(client))
        found = await client.get(f"/api/whatsapp/channels/{added.json()['id']}")
        async with api.parts.database.read() as connection:
            rows = (await connection.execute(sa.select(audit_entries))).all()

    assert added.status_code == 201
    assert TOKEN not in added.text + found.text + str(rows)
    assert found.json()["token_ends_with"] == TOKEN[-4:]
    assert not _is_on_disk(tmp_path, TOKEN)


def _is_on_disk(folder: Path, text: str) -> bool:
    return any(text.encode() in one.read_bytes() for one in folder.glob("mostrador.db*"))
