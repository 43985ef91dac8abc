"""The panel's phone: what a person writes there comes back as a signed webhook, and what is sent to them is seen."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.conversations.models import conversations
from app.core.db import Database
from app.core.db.events import events
from app.core.http_client import HttpClient
from app.simulator.config import DEFAULT_NUMBER, Retries, SimulatorConfig
from app.simulator.door import SimulatorApp
from app.simulator.phone_controllers import SimulatorController
from app.simulator.server import server_config
from app.simulator.service import Simulator
from app.whatsapp.window import is_window_open
from tests.builders.api import Desk, RecordingWake, desk
from tests.builders.pipeline import Pipeline, database_of
from tests.fakes.receiver import Graph, Receiver, running_server
from tests.features.simulator.conftest import ANA, SECRET, TOKEN

PEOPLE = "/api/simulator/people"
HOLA = {"type": "text", "body": "hola"}


@dataclass
class Panel:
    """The panel's door, the product that gets the webhooks, and a client for Meta's own door."""

    desk: Desk
    database: Database
    simulator: Simulator
    receiver: Receiver
    graph: Graph

    async def call(self, method: str, path: str, expected: int = 200, **given: Any) -> Any:
        answer = await self.desk.call(method, path, **given)
        assert answer.status_code == expected, answer.text
        return answer.json() if answer.content else None

    async def meets(self, **person: Any) -> None:
        await self.call("POST", PEOPLE, 201, json={"phone": ANA, "name": "Ana", **person})

    async def writes(self, message: dict[str, Any]) -> str:
        written = await self.call("POST", f"{PEOPLE}/{ANA}/messages", 201, json={"message": message})
        return str(written["message_id"])

    async def phone(self, **query: Any) -> Any:
        return await self.call("GET", f"{PEOPLE}/{ANA}/phone", params=query)


@pytest.fixture
async def panel(tmp_path: Path) -> AsyncIterator[Panel]:
    receiver = Receiver(SECRET)
    async with (
        running_server(lambda _: receiver) as receiver_url,
        database_of(f"sqlite:///{tmp_path}/desk.db") as database,
    ):
        config = SimulatorConfig(
            webhook_url=f"{receiver_url}/webhooks/whatsapp",
            app_secret=SECRET,
            access_token=TOKEN,
            retries=Retries(first_delay_seconds=0.01, factor=1.5),
        )
        app = SimulatorApp(Simulator(config))
        async with running_server(lambda _: app, server_config) as url:
            http = HttpClient(user_agent="Tests/1.0.0")
            graph = Graph(http, url, TOKEN, DEFAULT_NUMBER.phone_number_id)
            things = {"simulator": app.simulator, "database": database, "wake": RecordingWake()}
            yield Panel(desk([SimulatorController], things), database, app.simulator, receiver, graph)
            await http.aclose()


async def test_what_a_person_writes_arrives_signed_and_its_tick_says_so(panel: Panel) -> None:
    await panel.meets()
    wamid = await panel.writes(HOLA)
    await panel.receiver.wait_until(lambda receiver: any(message["id"] == wamid for message in receiver.messages))
    await panel.simulator.idle()
    [message] = (await panel.phone())["messages"]
    assert (message["mine"], message["text"], message["tick"]) == (True, "hola", "delivered")


async def test_the_phone_shows_both_directions_in_order_with_what_can_be_tapped(panel: Panel) -> None:
    await panel.meets()
    first = await panel.writes(HOLA)
    buttons = [{"type": "reply", "reply": {"id": "yes", "title": "Sí"}}]
    sent = await panel.graph.send(
        {
            "messaging_product": "whatsapp",
            "to": ANA,
            "type": "interactive",
            "interactive": {"type": "button", "body": {"text": "¿Reservo?"}, "action": {"buttons": buttons}},
            "context": {"message_id": first},
        }
    )
    assert sent.status == 200, sent.body
    tapped = await panel.writes({"type": "button_reply", "id": "yes", "title": "Sí"})
    shown = (await panel.phone())["messages"]
    assert [(message["mine"], message["text"]) for message in shown] == [
        (True, "hola"),
        (False, "¿Reservo?"),
        (True, "Sí"),
    ]
    assert shown[1]["choices"] == [{"id": "yes", "title": "Sí", "kind": "button_reply"}]
    assert (shown[1]["reply_to"], shown[2]["id"]) == (first, tapped)


async def test_a_waiting_phone_is_told_of_what_is_new_and_only_of_that(panel: Panel) -> None:
    await panel.meets()
    await panel.writes(HOLA)
    await panel.simulator.idle()
    seen = (await panel.phone())["seq"]
    assert (await panel.phone(after=seen))["messages"] == []
    await panel.graph.say(ANA, "buenas")
    news = await panel.phone(after=seen, wait_seconds=20)
    assert [message["text"] for message in news["messages"]] == ["buenas"]


async def test_a_file_is_sent_and_seen_as_it_is_and_never_opened_by_the_browser(panel: Panel) -> None:
    await panel.meets()
    picture = b"\x89PNG\r\n\x1a\n the rest of a picture"
    await panel.writes({"type": "image", "data": base64.b64encode(picture).decode(), "mime_type": "image/png"})
    [message] = (await panel.phone())["messages"]
    file = await panel.desk.call("GET", f"/api/simulator/media/{message['media_id']}")
    assert (file.content, file.headers["content-type"]) == (picture, "image/png")
    assert file.headers["content-disposition"] == "attachment"
    assert "sandbox" in file.headers["content-security-policy"]


async def test_whoever_does_not_read_by_themselves_reads_when_the_chat_is_opened(panel: Panel) -> None:
    await panel.meets(reads=False)
    await panel.writes(HOLA)
    await panel.graph.say(ANA, "buenas")
    await panel.simulator.idle()
    assert [status["status"] for status in panel.receiver.statuses] == ["sent", "delivered"]
    for _ in range(2):  # opening it again tells nothing new
        await panel.call("POST", f"{PEOPLE}/{ANA}/read", 204)
    await panel.simulator.idle()
    assert [status["status"] for status in panel.receiver.statuses] == ["sent", "delivered", "read"]


async def test_a_day_later_the_window_is_closed_there_and_here_and_nowhere_else(panel: Panel) -> None:
    await panel.meets()
    await panel.writes(HOLA)
    pipeline = Pipeline(panel.database)
    simulated = await pipeline.conversation(channel_id=await pipeline.channel(source="simulator"))
    real = await pipeline.conversation()

    await panel.call("POST", "/api/simulator/clock", json={"advance_seconds": 24 * 3600})

    assert b"131047" in (await panel.graph.say(ANA, "buenas")).body
    now = datetime.now(UTC)
    last = {one: (await pipeline.row(conversations, one)).last_inbound_at for one in (simulated, real)}
    assert (is_window_open(last[simulated], now), is_window_open(last[real], now)) == (False, True)
    async with panel.database.read() as connection:
        assert list(await connection.scalars(sa.select(events.c.name))) == ["conversation_changed"]


async def test_faults_are_armed_listed_with_what_is_left_and_cleared(panel: Panel) -> None:
    await panel.meets()
    await panel.writes(HOLA)
    armed = await panel.call(
        "PUT", "/api/simulator/faults", json={"faults": [{"kind": "error", "code": 131056, "count": 2}]}
    )
    assert armed["faults"][0]["count"] == 2
    assert (await panel.graph.say(ANA, "uno")).status != 200
    assert (await panel.call("GET", "/api/simulator/faults"))["faults"][0]["count"] == 1
    await panel.call("DELETE", "/api/simulator/faults", 204)
    assert (await panel.graph.say(ANA, "dos")).status == 200


async def test_a_fault_without_what_its_kind_needs_is_refused(panel: Panel) -> None:
    answer = await panel.desk.call("PUT", "/api/simulator/faults", json={"faults": [{"kind": "slow"}]})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "seconds")


async def test_a_reset_forgets_everybody(panel: Panel) -> None:
    await panel.meets()
    await panel.call("POST", "/api/simulator/reset", 204)
    assert await panel.call("GET", PEOPLE) == []
    gone = await panel.desk.call("GET", f"{PEOPLE}/{ANA}/phone")
    assert (gone.status_code, gone.json()["code"]) == (404, "simulated_person_not_found")


async def test_the_state_names_the_numbers_and_what_is_still_owed(panel: Panel) -> None:
    await panel.meets()
    await panel.call("PUT", "/api/simulator/faults", json={"faults": [{"kind": "hold_webhooks"}]})
    await panel.writes(HOLA)
    state = await panel.call("GET", "/api/simulator")
    assert [number["phone_number_id"] for number in state["numbers"]] == [DEFAULT_NUMBER.phone_number_id]
    assert state["promised"] == 1


async def test_without_a_simulator_the_phone_says_so(panel: Panel) -> None:
    things = {"simulator": None, "database": panel.database, "wake": RecordingWake()}
    answer = await desk([SimulatorController], things).call("GET", PEOPLE)
    assert (answer.status_code, answer.json()["code"]) == (404, "simulator_off")


async def test_viewers_play_nobody(panel: Panel) -> None:
    answer = await panel.desk.call("GET", PEOPLE, role="viewer")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
