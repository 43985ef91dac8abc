"""The first setup says what is really there, and remembers only what somebody wished."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from app.accounts.queries import insert_user
from app.ai.chain.service import ModelChain
from app.ai.llm.clock import SystemClock
from app.ai.llm.provider import make_route
from app.ai.llm.providers.registry import PROVIDERS
from app.ai.llm.router import Router
from app.ai.llm.routes import configured_routes
from app.ai.llm.state import MemoryState
from app.audit.models import audit_entries
from app.business import service as business
from app.core.db import Database
from app.core.http_client import HttpClient
from app.core.security.cipher import Cipher
from app.core.security.ssrf import OutsideRules
from app.system.setup_controllers import SetupController
from settings.ai import AiSettings
from settings.env import Secret
from tests.builders.api import BOTH, Desk, desk, either_database
from tests.builders.pipeline import Pipeline
from tests.features.business.profiles import profile

PATH = "/api/setup"
STEPS = ["profile", "provider", "channel", "test_message", "team"]
NOTHING = AiSettings(fallback_order=(), providers={})


@dataclass
class Installation:
    desk: Desk
    database: Database
    router: Router

    async def steps(self) -> dict[str, tuple[str, str | None]]:
        found = await self.desk.get(PATH, role="admin")
        assert [step["name"] for step in found["steps"]] == STEPS
        return {step["name"]: (step["state"], step["detail"]) for step in found["steps"]}

    async def put(self, **change: Any) -> Any:
        answer = await self.desk.call("PUT", PATH, role="admin", json={"skipped": [], "finished": False, **change})
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(params=BOTH)
async def installation(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Installation]:
    client = HttpClient()
    async with either_database(request, tmp_path) as database:
        router = Router(configured_routes(NOTHING), client=client, state=MemoryState(SystemClock()))
        chain = ModelChain(
            database, router, NOTHING, cipher=Cipher([Fernet.generate_key().decode()]), rules=OutsideRules()
        )
        yield Installation(desk([SetupController], {"database": database, "chain": chain}), database, router)
    await client.aclose()


async def test_nothing_is_done_on_the_first_day(installation: Installation) -> None:
    assert await installation.steps() == dict.fromkeys(STEPS, ("todo", None))


async def test_each_step_is_done_by_what_is_there(installation: Installation) -> None:
    answered_at = datetime(2026, 11, 28, 3, 4, 5, tzinfo=UTC)
    pipeline = Pipeline(installation.database)
    async with installation.database.write() as connection:
        await business.replace(connection, profile(name="Café Sol"), expected_version=0, updated_by=None)
        for name in ("ana", "luis"):
            await insert_user(connection, username=name, password_hash="x", role="agent")
    installation.router.use([make_route(PROVIDERS["openai"], "gpt-5.4-mini", api_key=Secret("sk-1"))])
    conversation_id = await pipeline.conversation(channel_id=await pipeline.channel(name="Tienda"))
    await pipeline.turn(conversation_id, state="done", answered_at=answered_at)
    assert await installation.steps() == {
        "profile": ("done", "Café Sol"),
        "provider": ("done", "gpt-5.4-mini"),
        "channel": ("done", "Tienda"),
        "test_message": ("done", answered_at.isoformat()),
        "team": ("done", "2"),
    }


async def test_the_simulator_a_disabled_model_and_people_who_cannot_come_in_are_nothing_done(
    installation: Installation,
) -> None:
    pipeline = Pipeline(installation.database)
    await pipeline.channel(source="simulator")
    await pipeline.turn(await pipeline.conversation(), state="ignored")
    async with installation.database.write() as connection:
        await connection.execute(sa.text("UPDATE channels SET source = 'simulator'"))
        await insert_user(connection, username="ana", password_hash="x", role="admin")
        await insert_user(connection, username="luis", password_hash="x", role="agent", awaits_password=True)
    route = make_route(PROVIDERS["openai"], "gpt-5.4-mini", api_key=Secret("sk-1"), is_enabled=False)
    installation.router.use([route])
    assert await installation.steps() == dict.fromkeys(STEPS, ("todo", None))


async def test_what_was_skipped_stays_so_until_it_is_done(installation: Installation) -> None:
    await installation.put(skipped=["team", "channel"])
    await Pipeline(installation.database).channel(name="Tienda")
    steps = await installation.steps()
    assert (steps["team"], steps["channel"]) == (("skipped", None), ("done", "Tienda"))
    assert (await installation.put(skipped=[]))["steps"][4]["state"] == "todo"


async def test_closing_the_setup_keeps_its_first_time_and_can_be_taken_back(installation: Installation) -> None:
    closed = await installation.put(finished=True)
    assert closed["finished_at"] is not None
    assert (await installation.put(finished=True, skipped=["team"]))["finished_at"] == closed["finished_at"]
    assert (await installation.put(finished=False))["finished_at"] is None
    async with installation.database.read() as connection:
        assert set(await connection.scalars(sa.select(audit_entries.c.action))) == {"setup.changed"}


async def test_only_admins_see_and_change_it(installation: Installation) -> None:
    for method in ("GET", "PUT"):
        assert (await installation.desk.call(method, PATH, role="supervisor", json={})).status_code == 403
