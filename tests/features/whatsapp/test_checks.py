"""The checks of a channel ask WhatsApp itself, and say what to do about each answer."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.core.http_client import HttpClient
from app.core.ids import new_id
from app.simulator.config import DEFAULT_NUMBER, SimulatorConfig
from app.simulator.door import SimulatorApp
from app.simulator.server import server_config
from app.simulator.service import Simulator
from app.whatsapp.channels import Channel, ChannelSecrets
from app.whatsapp.checks import check_channel
from app.whatsapp.graph import GraphClient
from app.whatsapp.schemas import Check
from app.whatsapp.transport import ChannelAccess
from tests.fakes.receiver import running_server
from tests.features.whatsapp.fake_graph import Answer, FakeGraph, as_json, graph_error

NUMBER = as_json(
    {"display_phone_number": "+34 600", "verified_name": "Sol", "status": "CONNECTED", "quality_rating": "GREEN"}
)
SOMETHING = as_json({"data": [{"id": "1"}]})
NOTHING = as_json({"data": []})


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    client = HttpClient()
    yield client
    await client.aclose()


@pytest.fixture
async def meta() -> AsyncIterator[FakeGraph]:
    async with FakeGraph().running() as graph:
        yield graph


def channel(access: ChannelAccess | None, **members: Any) -> Channel:
    given: dict[str, Any] = {
        "id": new_id(),
        "kind": "cloud",
        "name": "Shop",
        "source": "panel",
        "phone_number_id": "10654",
        "business_account_id": "9000",
        "messages_per_second": 80,
        "stopped_reason": None,
        "access": access,
        "secrets": ChannelSecrets("EAAsecret"),
    }
    return Channel(**(given | members))


async def checked(
    client: HttpClient, what: Channel, *, public_url: str = "https://desk.example.com", last_at: datetime | None = None
) -> dict[str, Check]:
    checks, _ = await check_channel(GraphClient(client), what, public_url=public_url, last_webhook_at=last_at)
    return {one.check: one for one in checks}


def verdicts(checks: dict[str, Check]) -> dict[str, bool | None]:
    return {name: one.ok for name, one in checks.items()}


async def test_a_channel_that_works_passes_everything(client: HttpClient, meta: FakeGraph) -> None:
    meta.answers = [NUMBER, SOMETHING, SOMETHING]
    came_at = datetime(2026, 11, 28, 3, tzinfo=UTC)
    checks = await checked(client, channel(meta.channel()), last_at=came_at)
    assert set(verdicts(checks).values()) == {True}
    assert checks["number"].detail == "+34 600 · Sol · CONNECTED · GREEN"
    assert checks["webhook"].detail == came_at.isoformat()
    asked = [request.path.partition("?")[0] for request in meta.requests]
    assert asked == ["/v26.0/10654", "/v26.0/9000/message_templates", "/v26.0/9000/subscribed_apps"]


async def test_the_simulators_number_passes_as_well(client: HttpClient) -> None:
    simulator = Simulator(SimulatorConfig(webhook_url="http://127.0.0.1:9/none", app_secret="s", access_token="t"))
    async with running_server(lambda _: SimulatorApp(simulator), server_config) as url:
        access = ChannelAccess(
            channel_id=UUID(int=1),
            graph_url=url,
            api_version="v26.0",
            phone_number_id=DEFAULT_NUMBER.phone_number_id,
            token="t",
            business_account_id=DEFAULT_NUMBER.business_account_id,
        )
        checks = await checked(client, channel(access, source="simulator"), public_url="http://127.0.0.1:8003")
    assert {name for name, one in checks.items() if one.ok is not True} == {"webhook"}
    assert DEFAULT_NUMBER.verified_name in checks["number"].detail


@pytest.mark.parametrize(
    ("code", "token", "number", "remedy"),
    [
        (190, False, None, "permanent token"),
        (200, False, None, "whatsapp_business_messaging"),
        (100, True, False, "phone number id"),
    ],
)
async def test_a_refusal_says_whether_token_or_number_is_wrong(
    client: HttpClient, meta: FakeGraph, code: int, token: bool, number: bool | None, remedy: str
) -> None:
    meta.answers = [graph_error(code)]
    checks = await checked(client, channel(meta.channel()))
    assert (checks["token"].ok, checks["number"].ok) == (token, number)
    assert any(remedy in checks[name].remedy for name in ("token", "number"))
    assert (checks["business_account"].ok, checks["subscription"].ok) == (False, False)


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ({"quality_rating": "RED"}, "write less"),
        ({"is_on_biz_app": True, "platform_type": "CLOUD_API"}, "messages per second to 20"),
    ],
)
async def test_a_number_that_will_make_trouble_is_pointed_out(
    client: HttpClient, meta: FakeGraph, said: dict[str, Any], remedy: str
) -> None:
    meta.answers = [as_json(said), SOMETHING]
    checks = await checked(client, channel(meta.channel()))
    assert (checks["token"].ok, checks["number"].ok) == (True, False)
    assert remedy in checks["number"].remedy


async def test_an_account_that_no_app_listens_to_is_pointed_out(client: HttpClient, meta: FakeGraph) -> None:
    meta.answers = [NUMBER, SOMETHING, NOTHING]
    checks = await checked(client, channel(meta.channel()))
    assert checks["subscription"].ok is False
    assert "Subscribe" in checks["subscription"].remedy


async def test_without_an_account_what_it_is_for_is_said_and_nothing_else_fails(
    client: HttpClient, meta: FakeGraph
) -> None:
    meta.answers = [NUMBER]
    checks = await checked(client, channel(msgspec.structs.replace(meta.channel(), business_account_id=None)))
    assert (checks["business_account"].ok, checks["subscription"].ok) == (None, None)
    assert "templates" in checks["business_account"].remedy


async def test_when_whatsapp_does_not_answer_nothing_is_said_to_be_wrong(client: HttpClient, meta: FakeGraph) -> None:
    meta.answers = [Answer(503)]
    checks = await checked(client, channel(meta.channel()))
    asked = ("token", "number", "business_account", "subscription")
    assert {checks[name].ok for name in asked} == {None}
    assert all(checks[name].remedy for name in asked)


async def test_secrets_that_cannot_be_read_are_not_tried(client: HttpClient) -> None:
    checks = await checked(client, channel(None, stopped_reason="its secrets cannot be decrypted"))
    assert verdicts(checks) == {
        "secrets": False,
        "token": None,
        "number": None,
        "business_account": None,
        "subscription": None,
    }
    assert checks["secrets"].detail == "its secrets cannot be decrypted"


@pytest.mark.parametrize("public_url", ["http://127.0.0.1:8003", "https://10.0.0.7", "http://desk.example.com"])
async def test_an_address_that_meta_cannot_reach_is_pointed_out(
    client: HttpClient, meta: FakeGraph, public_url: str
) -> None:
    meta.answers = [NUMBER, SOMETHING]
    checks = await checked(client, channel(meta.channel()), public_url=public_url)
    assert checks["address"].ok is False
    assert "PUBLIC_URL" in checks["address"].remedy


async def test_no_check_repeats_the_token(client: HttpClient, meta: FakeGraph) -> None:
    meta.answers = [graph_error(190)]
    assert "EAAsecret" not in repr(await checked(client, channel(meta.channel())))
