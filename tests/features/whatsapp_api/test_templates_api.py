from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.fernet import Fernet

from app.core.db import Database
from app.core.http_client import HttpClient
from app.core.ids import new_id
from app.core.security.cipher import Cipher
from app.whatsapp.channels import Channels, ChannelSecrets, NewChannel
from app.whatsapp.controllers import ChannelsController
from app.whatsapp.graph import GraphClient
from app.whatsapp.schemas import ChannelDefaults
from app.whatsapp.templates import Templates
from tests.builders.api import Desk, desk
from tests.builders.pipeline import database_of
from tests.features.whatsapp.fake_graph import FakeGraph, as_json, graph_error

ORDER = {
    "id": "1",
    "name": "order",
    "language": "es",
    "status": "APPROVED",
    "category": "UTILITY",
    "parameter_format": "NAMED",
    "components": [
        {"type": "HEADER", "format": "DOCUMENT"},
        {"type": "BODY", "text": "Hola {{name}}, tu pedido {{ order }} llega. {{name}}!"},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Ok"}, {"type": "URL", "url": "https://x/{{1}}"},
                                        {"type": "COPY_CODE", "text": "Copy"}]},
        "nonsense",
    ],
}  # fmt: skip
HELLO = {"id": "2", "name": "hello", "language": "en", "status": "APPROVED", "components": [{"type": "BODY"}]}
PENDING = {**HELLO, "id": "3", "status": "PENDING"}


DEFAULTS = ChannelDefaults(public_url="https://desk.example", graph_url="https://graph.example", api_version="v26.0")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def graph() -> AsyncIterator[FakeGraph]:
    async with FakeGraph().running() as server:
        server.answers = [as_json({"data": [ORDER, PENDING, HELLO]})]
        yield server


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with database_of(f"sqlite:///{tmp_path}/desk.db") as database:
        yield database


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Shop:
    def __init__(self, panel: Desk, channels: Channels, graph: FakeGraph) -> None:
        self.panel, self.channels, self.graph = panel, channels, graph

    async def channel(self, **members: Any) -> UUID:
        given = {"name": "Shop", "phone_number_id": "106540352242922", "business_account_id": "9000", **members}
        new = NewChannel(graph_url=self.graph.url, api_version="v26.0", secrets=ChannelSecrets("token"), **given)
        return (await self.channels.add(new)).id

    async def ask(self, channel_id: UUID) -> Any:
        return await self.panel.call("GET", f"/api/whatsapp/channels/{channel_id}/templates", role="viewer")


@pytest.fixture
async def shop(database: Database, graph: FakeGraph, clock: Clock) -> AsyncIterator[Shop]:
    http = HttpClient()
    channels = Channels(database, Cipher([Fernet.generate_key().decode()]))
    client = GraphClient(http)
    things = {
        "database": database,
        "channels": channels,
        "channel_defaults": DEFAULTS,
        "graph": client,
        "templates": Templates(channels, client, clock),
    }
    panel = desk([ChannelsController], things)
    yield Shop(panel, channels, graph)
    await http.aclose()


async def test_approved_templates_say_what_they_want_filled_in(shop: Shop) -> None:
    hello, order = (await shop.ask(await shop.channel())).json()["items"]

    assert (hello["name"], hello["parameters"], hello["parameter_format"]) == ("hello", [], "positional")
    assert (order["name"], order["language"], order["parameter_format"]) == ("order", "es", "named")
    assert order["components"] == ORDER["components"]
    assert [(one["place"], one["kind"], one["name"], one["button_index"]) for one in order["parameters"]] == [
        ("header", "document", None, None),
        ("body", "text", "name", None),
        ("body", "text", "order", None),
        ("button", "text", "1", 1),
        ("button", "coupon_code", None, 2),
    ]


async def test_meta_is_asked_once_a_minute(shop: Shop, graph: FakeGraph, clock: Clock) -> None:
    channel = await shop.channel()
    for seconds, asked in ((0, 1), (59, 1), (61, 2)):
        clock.now = seconds
        assert (await shop.ask(channel)).status_code == 200
        assert len(graph.requests) == asked


async def test_a_channel_without_a_business_account_has_none(shop: Shop, graph: FakeGraph) -> None:
    answer = await shop.ask(await shop.channel(business_account_id=None))
    assert (answer.status_code, answer.json()["code"]) == (409, "channel_has_no_templates")
    assert graph.requests == []


async def test_an_unknown_channel_is_not_found(shop: Shop) -> None:
    assert (await shop.ask(new_id())).status_code == 404


async def test_what_meta_refuses_is_said_and_not_remembered(shop: Shop, graph: FakeGraph) -> None:
    channel = await shop.channel()
    graph.answers = [graph_error(190, 401), as_json({"data": [HELLO]})]
    refused = await shop.ask(channel)
    assert (refused.status_code, refused.json()["code"]) == (409, "whatsapp_refused")
    assert (await shop.ask(channel)).status_code == 200
