"""Every process asks the models in the order that is stored."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from app.ai.chain.errors import ChainChanged
from app.ai.chain.models import model_chains
from app.ai.chain.schemas import ProviderRoute, RouteChoice
from app.ai.llm.chat import ChatRequest, UserMessage
from app.ai.llm.models import model_calls
from app.core.db import Database, db_now
from app.core.errors import InvalidInput
from app.core.ids import new_id
from tests.core.eventually import eventually
from tests.fakes.model_server import ModelServer
from tests.features.ai.chain.conftest import ADMIN, NOTHING, Process, Start, settings_of

QUESTION = ChatRequest(system="You are the assistant.", messages=(UserMessage.of("Are you open?"),))


async def reverse(process: Process) -> None:
    """Store the opposite order."""
    seen = await process.chain.describe()
    choices = [RouteChoice(route_id=route.route_id, enabled=route.enabled) for route in reversed(seen.routes)]
    await process.chain.reorder(choices, expected_version=seen.version, updated_by=ADMIN)


async def trace(database: Database, **members: Any) -> None:
    row = {
        "id": new_id(),
        "turn_id": new_id(),
        "position": 0,
        "token": 1,
        "provider": "openai",
        "model": "gpt-5.4-mini",
        "outcome": "answered",
        "milliseconds": 5,
        "at": db_now(),
    }
    async with database.write() as connection:
        await connection.execute(model_calls.insert().values(**{**row, **members}))


async def route_of(process: Process, provider: str) -> ProviderRoute:
    return next(route for route in (await process.chain.describe()).routes if route.provider == provider)


async def test_with_no_provider_configured_the_offline_answerer_answers_alone(start: Start) -> None:
    async with start(NOTHING) as process:
        answered = await process.router.answer(QUESTION, conversation_key=None)
        seen = await process.chain.describe()

    assert (answered.attempts[-1].provider, process.asked) == ("offline", ["offline"])
    assert [(route.provider, route.position, route.key_last_four) for route in seen.routes] == [("offline", 1, None)]
    assert [(one.provider, one.setting) for one in seen.unused if one.provider in {"claude", "ollama"}] == [
        ("claude", "CLAUDE_API_KEY"),
        ("ollama", "OLLAMA_BASE_URL"),
    ]


async def test_a_new_order_is_asked_at_once_here_and_soon_elsewhere(start: Start, server: ModelServer) -> None:
    ai = settings_of(server, "openai", "claude")
    async with start(ai) as here, start(ai, look_every_seconds=0.01) as elsewhere:
        await reverse(here)
        assert here.asked == ["claude", "openai"]
        await eventually(lambda: elsewhere.asked == ["claude", "openai"])

        answered = await elsewhere.router.answer(QUESTION, conversation_key=None)

    assert answered.attempts[-1].provider == "claude"


async def test_a_stored_order_survives_a_restart(start: Start, server: ModelServer) -> None:
    ai = settings_of(server, "openai", "claude")
    async with start(ai) as before:
        await reverse(before)

    async with start(ai) as after:
        seen = await after.chain.describe()

    assert after.asked == ["claude", "openai"]
    assert (seen.version, seen.updated_by) == (1, ADMIN)


async def test_of_two_who_edit_the_same_version_the_second_is_told(start: Start, server: ModelServer) -> None:
    ai = settings_of(server, "openai", "claude")
    async with start(ai) as first, start(ai) as second:
        seen = await second.chain.describe()
        await reverse(first)
        choices = [RouteChoice(route_id=route.route_id, enabled=True) for route in seen.routes]

        with pytest.raises(ChainChanged):
            await second.chain.reorder(choices, expected_version=seen.version, updated_by=ADMIN)

    assert second.asked == ["claude", "openai"]


async def test_an_order_that_cannot_be_read_leaves_that_of_the_settings(
    start: Start, server: ModelServer, database: Database
) -> None:
    row = {"id": new_id(), "role": "chat", "order": "[{]", "version": 3, "updated_at": db_now()}
    async with database.write() as connection:
        await connection.execute(model_chains.insert().values(**row))

    async with start(settings_of(server, "openai", "claude")) as process:
        assert process.asked == ["openai", "claude"]
        await reverse(process)
        assert process.asked == ["claude", "openai"]


async def test_looks_that_fail_are_logged_once_and_do_not_end_the_looking(
    start: Start, server: ModelServer, database: Database
) -> None:
    async def rename(before: str, after: str) -> None:
        async with database.write() as connection:
            await connection.execute(sa.text(f"ALTER TABLE {before} RENAME TO {after}"))

    ai = settings_of(server, "openai", "claude")
    async with start(ai) as here, start(ai, look_every_seconds=0.01) as elsewhere:
        with capture_logs() as logs:
            await rename("model_chains", "away")
            await eventually(lambda: logs)
            await rename("away", "model_chains")
        await reverse(here)
        await eventually(lambda: elsewhere.asked == ["claude", "openai"])

    assert [line["event"] for line in logs] == ["chain.order_unknown"]


async def test_a_route_shows_what_it_did_and_cost_today_exactly(
    start: Start, server: ModelServer, database: Database
) -> None:
    await trace(database, cost_usd=Decimal("0.000000000001"))
    await trace(database, cost_usd=Decimal("0.1"))
    await trace(database, cost_usd=Decimal("0.2"))
    await trace(database, cost_usd=None)
    await trace(database, outcome="failed", kind="server", detail="first", at=datetime.now(UTC) - timedelta(seconds=1))
    await trace(database, outcome="failed", kind="rate", detail="slow down")
    await trace(database, outcome="skipped", kind="cool_down")
    await trace(database, provider="claude", cost_usd=Decimal(9))
    await trace(database, cost_usd=Decimal(9), at=datetime.now(UTC) - timedelta(days=2))

    async with start(settings_of(server, "openai")) as process:
        route = await route_of(process, "openai")

    assert (route.calls_today, route.failed_today, route.unpriced_today) == (6, 2, 1)
    assert route.cost_today_usd == Decimal("0.300000000001")
    assert (route.last_error_kind, route.last_error_message) == ("rate", "slow down")
    assert route.last_answer_at is not None


async def test_a_route_shows_how_fast_and_how_reliable_its_last_hour_was(
    start: Start, server: ModelServer, database: Database
) -> None:
    for milliseconds in range(1, 101):
        await trace(database, milliseconds=milliseconds)
    for _ in range(25):
        await trace(database, outcome="failed", kind="timeout", milliseconds=12_000)
    await trace(database, outcome="skipped", kind="cool_down", milliseconds=0)
    await trace(database, outcome="failed", kind="cancelled", milliseconds=3)
    await trace(database, milliseconds=99_999, at=datetime.now(UTC) - timedelta(minutes=61))

    async with start(settings_of(server, "openai", "claude")) as process:
        openai, claude = await route_of(process, "openai"), await route_of(process, "claude")

    assert (openai.calls_last_hour, openai.error_share_last_hour) == (125, 0.2)
    assert (openai.p50_milliseconds, openai.p95_milliseconds) == (50, 95)
    assert (claude.calls_last_hour, claude.error_share_last_hour, claude.p95_milliseconds) == (0, None, None)


async def limit(process: Process, provider: str, usd: str) -> None:
    """Store the order as it is, with a daily limit for one provider."""
    seen = await process.chain.describe()
    choices = [
        RouteChoice(
            route_id=route.route_id,
            enabled=route.enabled,
            daily_limit_usd=Decimal(usd) if route.provider == provider else None,
        )
        for route in seen.routes
    ]
    await process.chain.reorder(choices, expected_version=seen.version, updated_by=ADMIN)


async def test_a_route_whose_money_for_today_is_spent_is_passed_over(
    start: Start, server: ModelServer, database: Database
) -> None:
    await trace(database, cost_usd=Decimal("0.6"))
    await trace(database, cost_usd=Decimal(9), at=datetime.now(UTC) - timedelta(days=2))
    async with start(settings_of(server, "openai", "claude")) as process:
        await limit(process, "openai", "1.20")
        assert not (await route_of(process, "openai")).spent
        await trace(database, cost_usd=Decimal("0.6"))
        await limit(process, "openai", "1.20")

        answered = await process.router.answer(QUESTION, conversation_key=None)

        openai = await route_of(process, "openai")
        assert (openai.spent, openai.enabled, openai.daily_limit_usd) == (True, True, Decimal("1.20"))
    assert [(attempt.provider, attempt.skipped) for attempt in answered.attempts] == [
        ("openai", "money_budget"),
        ("claude", None),
    ]


async def test_when_every_route_is_spent_the_offline_answerer_stands_in(
    start: Start, server: ModelServer, database: Database
) -> None:
    await trace(database, cost_usd=Decimal(2))
    async with start(settings_of(server, "openai")) as process:
        await limit(process, "openai", "1")
        answered = await process.router.answer(QUESTION, conversation_key=None)
    assert answered.answered_by.provider == "offline"


@pytest.mark.parametrize("usd", ["0", "-1", "NaN", "Infinity", "1000001"])
async def test_a_limit_is_an_amount_of_money(start: Start, server: ModelServer, usd: str) -> None:
    async with start(settings_of(server, "openai")) as process:
        with pytest.raises(InvalidInput) as refused:
            await limit(process, "openai", usd)
    assert refused.value.field == "order[0].daily_limit_usd"


async def test_a_route_shows_its_budget_and_its_pause(start: Start, server: ModelServer) -> None:
    server.will("rate")
    async with start(settings_of(server, "gemini", "openai")) as process:
        await process.router.answer(QUESTION, conversation_key=None)
        gemini = await route_of(process, "gemini")

    assert (gemini.requests_per_minute, gemini.requests_left_this_minute) == (5, 4), "what the provider said counts"
    assert (gemini.paused, gemini.last_error_kind, gemini.breaker) == ("cool_down", "rate", "closed")
    assert gemini.paused_seconds > 0


@pytest.mark.parametrize(("key", "shown"), [("sk-a-long-enough-key-1234", "1234"), ("short-key", None)])
async def test_of_a_key_only_the_end_is_shown_and_only_where_enough_is_hidden(
    start: Start, server: ModelServer, key: str, shown: str | None
) -> None:
    async with start(settings_of(server, "openai", key=key)) as process:
        route = await route_of(process, "openai")

    assert route.key_last_four == shown
    assert key not in repr(route)
