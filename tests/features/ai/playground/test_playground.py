"""Models are compared with what customers' questions get, and nobody receives anything."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from app.ai.chain.service import ModelChain
from app.ai.llm.clock import SystemClock
from app.ai.llm.models import model_calls
from app.ai.llm.router import Router
from app.ai.llm.routes import configured_routes
from app.ai.llm.state import MemoryState
from app.ai.playground.controllers import PlaygroundController
from app.ai.playground.service import Playground
from app.ai.replies.prompt import instructions
from app.business import service as business
from app.business.example_profile import example_profile
from app.core.db import Database
from app.core.http_client import HttpClient
from app.core.ids import new_id
from app.core.metrics import Metrics
from app.core.security.cipher import Cipher
from app.core.security.ssrf import OutsideRules
from app.outbound.models import outbound_messages
from settings.ai import AiSettings, ProviderSettings
from settings.env import Secret
from tests.builders.api import BOTH, Desk, desk, either_database
from tests.builders.pipeline import Pipeline
from tests.fakes.model_server import ModelServer
from tests.fakes.model_wires import Say
from tests.features.business.profiles import profile

PLAYGROUND = "/api/ai/playground"
PREVIEW = "/api/business/instructions-preview"


@dataclass
class Bench:
    desk: Desk
    database: Database
    chain: ModelChain
    router: Router
    server: ModelServer

    def route_id(self, provider: str) -> str:
        return next(route.id for route in self.chain.routes if route.provider.name == provider)

    async def ask(self, *providers: str, expected: int = 200, **members: Any) -> Any:
        given = {"question": "¿Abren hoy?", "route_ids": [self.route_id(name) for name in providers], **members}
        answer = await self.desk.call("POST", PLAYGROUND, role="admin", json=given)
        assert answer.status_code == expected, answer.text
        return answer.json()

    async def trace(self) -> list[Any]:
        async with self.database.read() as connection:
            return list((await connection.execute(sa.select(*model_calls.c).order_by(model_calls.c.id))).all())


@pytest.fixture(params=BOTH)
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    client = HttpClient()
    async with either_database(request, tmp_path) as database, ModelServer().serving() as server:
        providers = {
            name: ProviderSettings(api_key=Secret("sk-a-long-enough-key"), base_url=server.url)
            for name in ("openai", "claude")
        }
        ai = AiSettings(fallback_order=("openai", "claude"), providers=providers)
        router = Router(configured_routes(ai), client=client, state=MemoryState(SystemClock()))
        cipher = Cipher([Fernet.generate_key().decode()])
        chain = ModelChain(database, router, ai, cipher=cipher, rules=OutsideRules())
        playground = Playground(database, chain, router, Metrics())
        yield Bench(desk([PlaygroundController], {"playground": playground}), database, chain, router, server)
    await client.aclose()


async def test_each_model_is_asked_with_the_real_instructions_and_says_what_it_cost(bench: Bench) -> None:
    async with bench.database.write() as connection:
        await business.replace(connection, profile(name="Café Sol"), expected_version=0, updated_by=None)
    bench.server.otherwise = Say(text="Sí, **hoy** abrimos.")

    answers = (await bench.ask("claude", "openai"))["answers"]

    assert [one["provider"] for one in answers] == ["claude", "openai"]
    assert {one["text"] for one in answers} == {"Sí, *hoy* abrimos."}, "as WhatsApp would show it"
    assert all(one["error_kind"] is None and Decimal(one["cost_usd"]) > 0 and one["input_tokens"] for one in answers)
    assert all("Café Sol" in msgspec.json.encode(one.body).decode() for one in bench.server.received)


async def test_one_that_fails_says_why_beside_one_that_answers(bench: Bench) -> None:
    bench.server.will("auth")
    first, second = (await bench.ask("openai", "claude"))["answers"]
    failed, answered = (first, second) if first["text"] is None else (second, first)
    assert (failed["text"], failed["error_kind"]) == (None, "auth")
    assert failed["error_message"]
    assert answered["text"]


async def test_a_conversation_stands_before_the_question(bench: Bench) -> None:
    pipeline = Pipeline(bench.database)
    conversation_id = await pipeline.conversation()
    earlier = datetime.now(UTC) - timedelta(minutes=5)
    await pipeline.message(conversation_id, "Quiero dos tortas", sent_at=earlier)
    await pipeline.message(conversation_id, "¿De qué sabor?", author="bot", wamid=None, sent_at=earlier)

    await bench.ask("openai", conversation_id=str(conversation_id))

    said = [one["content"] for one in bench.server.received[0].body["messages"] if one["role"] != "system"]
    text = msgspec.json.encode(said).decode()
    assert text.index("Quiero dos tortas") < text.index("¿De qué sabor?") < text.index("¿Abren hoy?")


async def test_its_calls_count_as_money_and_nothing_leaves(bench: Bench) -> None:
    await bench.ask("openai", "claude")
    assert [(row.provider, row.outcome) for row in await bench.trace()] == [
        ("openai", "answered"),
        ("claude", "answered"),
    ]
    async with bench.database.read() as connection:
        assert (await connection.execute(sa.select(outbound_messages))).all() == []


async def test_a_route_that_is_switched_off_can_be_tried(bench: Bench) -> None:
    bench.router.use([msgspec.structs.replace(route, is_enabled=False) for route in bench.chain.routes])
    [answer] = (await bench.ask("openai"))["answers"]
    assert answer["text"]


async def test_what_is_not_there_cannot_be_asked(bench: Bench) -> None:
    unknown = await bench.ask(expected=404, route_ids=["openai:none:0"])
    nowhere = await bench.ask("openai", expected=404, conversation_id=str(new_id()))
    assert (unknown["code"], nowhere["code"]) == ("provider_route_not_found", "conversation_not_found")
    assert bench.server.count == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"question": " "}, "question"),
        ({"route_ids": []}, "route_ids"),
        ({"route_ids": ["a"] * 5}, "route_ids"),
        ({"route_ids": ["a", "a"]}, "route_ids"),
    ],
)
async def test_a_bad_question_names_the_member_at_fault(bench: Bench, change: dict[str, Any], field: str) -> None:
    problem = await bench.ask("openai", expected=422, **change)
    assert [fault["field"] for fault in problem["errors"]] == [field]


async def test_only_admins_spend_money_here(bench: Bench) -> None:
    assert (await bench.desk.call("POST", PLAYGROUND, role="supervisor", json={})).status_code == 403


async def test_a_draft_of_the_profile_shows_what_models_would_be_told(bench: Bench) -> None:
    draft = msgspec.structs.replace(example_profile(), name="Panadería Luna", tone="de tú")
    answer = await bench.desk.call("POST", PREVIEW, role="viewer", json=msgspec.to_builtins(draft))
    assert answer.status_code == 200, answer.text
    assert answer.json()["text"] == instructions(draft, datetime.now(UTC))
    assert answer.json()["estimated_tokens"] > 100
    async with bench.database.read() as connection:
        assert (await business.get(connection)).version == 0


async def test_a_draft_that_could_not_be_stored_is_not_shown_either(bench: Bench) -> None:
    draft = {**msgspec.to_builtins(example_profile()), "name": ""}
    answer = await bench.desk.call("POST", PREVIEW, role="viewer", json=draft)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "name")
