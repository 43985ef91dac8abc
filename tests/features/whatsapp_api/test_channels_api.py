from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from app.audit.models import audit_entries
from app.core.db import Database
from app.core.http_client import HttpClient
from app.core.ids import new_id
from app.core.security.cipher import Cipher
from app.whatsapp.channels import Channels, ChannelSecrets, NewChannel
from app.whatsapp.controllers import ChannelsController
from app.whatsapp.graph import GraphClient
from app.whatsapp.models import channels as channel_table
from app.whatsapp.schemas import ChannelDefaults
from tests.builders.api import BOTH, Desk, desk, either_database
from tests.builders.pipeline import Pipeline

CHANNELS = "/api/whatsapp/channels"
DEFAULTS = ChannelDefaults(
    public_url="https://desk.example", graph_url="https://graph.facebook.com", api_version="v26.0"
)
NEW: dict[str, Any] = {
    "name": "Shop",
    "phone_number_id": "106540352242922",
    "token": "EAAG" + "x" * 60 + "9ZZ1",
    "app_secrets": ["first-app-secret-0123456789abcdef", "older-app-secret-0123456789abcdef"],
    "verify_token": "a verify token of ours",
}
GRAPH = GraphClient(HttpClient())  # opens no connection until it is asked
SECRETS = [NEW["token"], *NEW["app_secrets"], NEW["verify_token"]]


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with either_database(request, tmp_path) as database:
        yield database


@pytest.fixture
async def channels(database: Database) -> Channels:
    configured = NewChannel(
        name="Simulator",
        phone_number_id="100000",
        graph_url="http://127.0.0.1:8003/simulator/graph",
        api_version="v26.0",
        secrets=ChannelSecrets("short", ("a secret",)),
        source="simulator",
    )
    channels = Channels(database, Cipher([Fernet.generate_key().decode()]), [configured])
    await channels.open()
    return channels


@pytest.fixture
def panel(database: Database, channels: Channels) -> Desk:
    things = {
        "database": database,
        "channels": channels,
        "channel_defaults": DEFAULTS,
        "graph": GRAPH,
        "templates": None,
    }
    return desk([ChannelsController], things)


async def add(panel: Desk, **changes: Any) -> Any:
    return await panel.call("POST", CHANNELS, role="admin", json={**NEW, **changes})


async def test_an_added_channel_is_known_at_once_and_tells_where_meta_shall_send(
    panel: Desk, channels: Channels
) -> None:
    added = (await add(panel)).json()

    assert (added["kind"], added["source"], added["api_version"]) == ("cloud", "panel", "v26.0")
    assert (added["messages_per_second"], added["stopped_reason"]) == (80, None)
    assert added["webhook_url"] == f"https://desk.example/webhooks/whatsapp/{added['id']}"
    assert await panel.get(f"{CHANNELS}/{added['id']}") == added
    assert (await panel.get(CHANNELS))["items"][1] == added
    known = await channels.by_number(NEW["phone_number_id"])
    assert known is not None
    assert known.access is not None
    assert (known.access.graph_url, known.access.token) == ("https://graph.facebook.com", NEW["token"])
    assert known.secrets == ChannelSecrets(NEW["token"], tuple(NEW["app_secrets"]), NEW["verify_token"])


async def test_secrets_are_never_shown_nor_stored_as_they_are(panel: Desk, database: Database) -> None:
    answer = await add(panel)
    listed = await panel.call("GET", CHANNELS, role="viewer")
    stored = (await Pipeline(database).row(channel_table, UUID(answer.json()["id"]))).secrets
    for secret in SECRETS:
        assert secret not in answer.text
        assert secret not in listed.text
        assert secret.encode() not in stored
    assert answer.json()["token_ends_with"] == "9ZZ1"


async def test_a_channel_of_the_settings_shares_their_address_and_hides_a_short_token(panel: Desk) -> None:
    (simulator,) = (await panel.get(CHANNELS))["items"]
    assert simulator["webhook_url"] == "https://desk.example/webhooks/whatsapp"
    assert simulator["token_ends_with"] is None


async def test_a_number_belongs_to_one_channel(panel: Desk) -> None:
    await add(panel)
    again = await add(panel, name="Other")
    assert (again.status_code, again.json()["code"]) == (409, "channel_exists")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"phone_number_id": "+57 300"}, "phone_number_id"), ({"token": "short"}, "token"),
        ({"token": "x" * 20 + "\r\nX-Evil: 1"}, "token"), ({"app_secrets": []}, "app_secrets"),
        ({"app_secrets": ["short"]}, "app_secrets[0]"), ({"verify_token": "x"}, "verify_token"), ({"name": ""}, "name"),
        ({"api_version": "26"}, "api_version"), ({"messages_per_second": 0}, "messages_per_second"),
        ({"graph_url": "http://evil.example"}, "graph_url"), ({"kind": "web"}, "kind"),
    ],
)  # fmt: skip
async def test_a_channel_that_cannot_be_used_names_the_member_and_shows_no_secret(
    panel: Desk, changes: dict[str, Any], field: str
) -> None:
    answer = await add(panel, **changes)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]
    assert not any(secret in answer.text for secret in SECRETS)


async def test_a_stopped_channel_is_used_again(panel: Desk, database: Database, channels: Channels) -> None:
    added = (await add(panel)).json()
    rows = Pipeline(database)
    async with database.read() as connection:
        now = await database.now(connection)
    await rows.change(channel_table, UUID(added["id"]), stopped_at=now, stopped_reason="the token has expired")
    await channels.refresh()
    assert (await panel.get(f"{CHANNELS}/{added['id']}"))["stopped_reason"] == "the token has expired"

    answer = await panel.call("POST", f"{CHANNELS}/{added['id']}/resume", role="admin")

    assert (answer.status_code, answer.json()["stopped_reason"]) == (200, None)
    assert (await rows.row(channel_table, UUID(added["id"]))).stopped_at is None


async def change(panel: Desk, channel: dict[str, Any], **members: Any) -> dict[str, Any]:
    answer = await panel.call("PATCH", f"{CHANNELS}/{channel['id']}", role="admin", json=members)
    assert answer.status_code == 200, answer.text
    changed: dict[str, Any] = answer.json()
    return changed


async def test_what_is_changed_is_used_at_once_and_the_rest_stays(panel: Desk, channels: Channels) -> None:
    added = (await add(panel)).json()
    changed = await change(panel, added, name="Tienda", token="EAAG" + "y" * 60 + "7777", business_account_id="90001")
    assert changed == {**added, "name": "Tienda", "token_ends_with": "7777", "business_account_id": "90001"}
    known = await channels.get(UUID(added["id"]))
    assert known.secrets == ChannelSecrets("EAAG" + "y" * 60 + "7777", tuple(NEW["app_secrets"]), NEW["verify_token"])
    without = await change(panel, added, business_account_id=None, app_secrets=["another-app-secret-0123456789"])
    assert without["business_account_id"] is None
    known = await channels.get(UUID(added["id"]))
    assert known.secrets is not None
    assert known.secrets.app_secrets == ("another-app-secret-0123456789",)


async def test_secrets_that_cannot_be_read_are_replaced_only_all_together(panel: Desk, database: Database) -> None:
    added = (await add(panel)).json()
    await Pipeline(database).change(channel_table, UUID(added["id"]), secrets=b"of a lost key")
    new_secrets = {name: NEW[name] for name in ("token", "app_secrets", "verify_token")}
    some = await panel.call("PATCH", f"{CHANNELS}/{added['id']}", role="admin", json={"token": NEW["token"]})
    assert (some.status_code, some.json()["code"]) == (409, "channel_secrets_unreadable")
    assert (await change(panel, added, **new_secrets))["stopped_reason"] is None


async def test_the_trail_says_which_secrets_were_replaced_and_none_of_them(panel: Desk, database: Database) -> None:
    added = (await add(panel)).json()
    await change(panel, added, name="Tienda", token=NEW["token"])
    async with database.read() as connection:
        trail = (await connection.execute(sa.select(audit_entries).order_by(audit_entries.c.sequence))).all()
    assert [row.action for row in trail] == ["channel.added", "channel.changed"]
    assert ("Tienda" in trail[1].after, "replaced" in trail[1].after) == (True, True)
    assert not any(secret in f"{row.before}{row.after}" for row in trail for secret in SECRETS)


async def test_a_channel_of_the_settings_is_not_changed_here(panel: Desk) -> None:
    (simulator,) = (await panel.get(CHANNELS))["items"]
    answer = await panel.call("PATCH", f"{CHANNELS}/{simulator['id']}", role="admin", json={"name": "x"})
    assert (answer.status_code, answer.json()["code"]) == (409, "channel_of_settings")


async def test_a_person_stops_a_channel_for_longer_than_a_restart(panel: Desk, channels: Channels) -> None:
    (simulator,) = (await panel.get(CHANNELS))["items"]
    path = f"{CHANNELS}/{simulator['id']}"
    stopped = (await panel.call("POST", f"{path}/stop", role="admin", json={"reason": "no more today"})).json()
    assert (stopped["stopped_reason"], stopped["stopped_by"]) == ("no more today", str(panel.agent_id))
    assert stopped["stopped_at"] is not None
    await channels.open()
    assert (await panel.get(path))["stopped_reason"] == "no more today"
    resumed = (await panel.call("POST", f"{path}/resume", role="admin")).json()
    assert (resumed["stopped_reason"], resumed["stopped_by"], resumed["stopped_at"]) == (None, None, None)


async def test_an_admin_reads_what_to_enter_at_meta(panel: Desk) -> None:
    added = (await add(panel)).json()
    setup = await panel.get(f"{CHANNELS}/{added['id']}/webhook", role="admin")
    assert (setup["url"], setup["verify_token"]) == (added["webhook_url"], NEW["verify_token"])
    assert "messages" in setup["fields"]
    assert (await panel.call("GET", f"{CHANNELS}/{added['id']}/webhook", role="supervisor")).status_code == 403


async def test_an_unknown_channel_is_not_found(panel: Desk) -> None:
    for method, suffix in (
        ("GET", ""), ("POST", "/resume"), ("PATCH", ""), ("GET", "/webhook"), ("POST", "/check"), ("POST", "/stop"),
    ):  # fmt: skip
        given = {"reason": "x"} if suffix == "/stop" else {}
        answer = await panel.call(method, f"{CHANNELS}/{new_id()}{suffix}", role="admin", json=given)
        assert (answer.status_code, answer.json()["code"]) == (404, "channel_not_found")


async def test_only_an_admin_may_add_or_resume(panel: Desk) -> None:
    for path in (CHANNELS, f"{CHANNELS}/{new_id()}/resume"):
        answer = await panel.call("POST", path, role="supervisor", json=NEW)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert (await panel.call("GET", CHANNELS, role=None)).status_code == 401
