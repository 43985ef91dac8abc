import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from app.ai.llm.attempts import Answered, Attempt, ChainFailed
from app.ai.llm.chat import ChatReply, Image
from app.ai.llm.models import model_calls
from app.ai.replies import texts
from app.ai.replies.service import Replies
from app.conversations.models import conversations, turns
from app.conversations.turns import Pace, Reason, State
from app.core.db import Database
from app.core.metrics import Metrics
from app.core.security.cipher import Cipher
from app.outbound.models import outbound_messages
from app.outbound.reading import readable_text
from app.whatsapp.channels import Channels
from app.whatsapp.content import decode_content
from tests.builders.pipeline import Pipeline
from tests.builders.rows import BOTH, migrated, rows
from tests.core.eventually import eventually

PAST = datetime(2026, 1, 1, tzinfo=UTC)
ATTEMPT = Attempt(route_id="r", provider="p", model="m", outcome="answered")


class Models:
    """The router: answers with a text, or fails as it is told."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.text = "At nine."
        self.failure: ChainFailed | None = None
        self.on_the_way: list[Attempt] = []
        self.go = asyncio.Event()
        self.go.set()

    async def answer(self, request: Any, *, conversation_key: str | None, trace: list[Attempt]) -> Answered:
        self.asked.append(request)
        trace.extend(self.on_the_way)
        await self.go.wait()
        if self.failure is not None:
            raise self.failure
        return Answered(ChatReply(text=self.text, finish="stop"), (ATTEMPT,))


class Bench:
    def __init__(self, database: Database, media_dir: Path) -> None:
        self.database = database
        self.media_dir = media_dir
        self.models = Models()
        self.pipeline = Pipeline(database)
        self.channels = Channels(database, Cipher([Fernet.generate_key().decode()]))
        self.replies = Replies(
            database,
            self.models,  # type: ignore[arg-type]
            self.channels,
            {},
            Metrics(),
            pace=Pace(0, 0),
            media_dir=media_dir,
        )

    async def ask(self, text: str = "When do you open?", **values: Any) -> Any:
        conversation_id = await self.pipeline.conversation()
        turn_id = await self.pipeline.turn(conversation_id, **({"due_at": PAST} | values))
        message_id = await self.pipeline.message(conversation_id, text, turn_id=turn_id, kind="text")
        return turn_id, message_id

    async def work(self) -> None:
        for turn in await self.replies.claim(10):
            await self.replies.handle(turn)

    async def said(self) -> list[str]:
        return [readable_text(decode_content(row.content)) for row in await rows(self.database, outbound_messages)]


@pytest.fixture(params=BOTH)
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    async with migrated(request, tmp_path) as database:
        bench = Bench(database, tmp_path)
        await bench.channels.open()
        async with bench.replies:
            yield bench


async def test_a_question_is_answered_in_the_words_of_whatsapp(bench: Bench) -> None:
    turn_id, _ = await bench.ask()
    bench.models.text = "**At nine.**"
    await bench.work()
    assert await bench.said() == ["*At nine.*"]
    assert (await bench.pipeline.row(turns, turn_id)).state == State.READY


async def test_a_long_answer_leaves_in_parts(bench: Bench) -> None:
    await bench.ask()
    bench.models.text = "word " * 2000
    await bench.work()
    parts = await bench.said()
    assert len(parts) == 3
    assert all(len(part) <= 4096 for part in parts)


async def test_calls_of_a_turn_that_is_taken_away_are_traced_all_the_same(bench: Bench) -> None:
    turn_id, _ = await bench.ask()
    bench.models.go.clear()
    bench.models.on_the_way = [
        Attempt(route_id="q", provider="q", model="m", outcome="skipped", skipped="cool_down"),
        Attempt(route_id="r", provider="p", model="m", outcome="failed", kind="cancelled", milliseconds=7),
    ]
    (turn,) = await bench.replies.claim(10)
    handling = asyncio.create_task(bench.replies.handle(turn))
    await eventually(lambda: bench.models.asked)
    handling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await handling
    await bench.replies.__aexit__()
    traced = await rows(bench.database, model_calls)
    assert [(row.turn_id, row.token, row.kind, row.cost_usd) for row in traced] == [
        (turn_id, turn.token, "cool_down", None),
        (turn_id, turn.token, "cancelled", None),
    ]
    await bench.replies.__aenter__()


async def test_an_answer_without_words_is_handed_to_a_person(bench: Bench) -> None:
    turn_id, _ = await bench.ask()
    bench.models.text = "  \n "
    await bench.work()
    assert (await bench.pipeline.row(turns, turn_id)).state == State.HANDED_OFF
    (said,) = await bench.said()
    assert said in texts.HANDED_OVER.values()


async def test_what_no_model_will_answer_is_handed_to_a_person_and_not_tried_again(bench: Bench) -> None:
    turn_id, _ = await bench.ask()
    bench.models.failure = failed(refused=True)
    await bench.work()
    row = await bench.pipeline.row(turns, turn_id)
    assert (row.state, row.reason) == (State.HANDED_OFF, Reason.MODEL_REFUSED)
    assert (await rows(bench.database, conversations))[0].control == "nobody"


def failed(*, refused: bool = False) -> ChainFailed:
    kind: Any = "refusal" if refused else "network"
    attempt = Attempt(route_id="r", provider="p", model="m", outcome="failed", kind=kind)
    return ChainFailed((attempt,))


async def test_when_no_model_answers_the_customer_is_told_once_and_the_turn_is_tried_again(bench: Bench) -> None:
    turn_id, _ = await bench.ask(opened_at=datetime.now(UTC))
    bench.models.failure = failed()
    for _ in range(3):
        await bench.work()
        await bench.pipeline.change(turns, turn_id, due_at=PAST)
    assert len(await bench.said()) == 1
    bench.models.failure = None
    await bench.work()
    assert (await bench.said())[1:] == ["At nine."]
    assert (await rows(bench.database, conversations))[0].attention is None


async def test_the_pause_before_the_next_try_grows(bench: Bench) -> None:
    turn_id, _ = await bench.ask(opened_at=datetime.now(UTC))
    bench.models.failure = failed()
    pauses = []
    for _ in range(3):
        before = datetime.now(UTC)
        await bench.work()
        pauses.append(round(((await bench.pipeline.row(turns, turn_id)).due_at - before).total_seconds()))
        await bench.pipeline.change(turns, turn_id, due_at=PAST)
    assert pauses == [15, 30, 60]


async def test_after_an_hour_without_a_model_a_person_shall_look(bench: Bench) -> None:
    turn_id, _ = await bench.ask(opened_at=datetime.now(UTC) - timedelta(hours=2))
    bench.models.failure = failed()
    await bench.work()
    row = await bench.pipeline.row(turns, turn_id)
    assert (row.state, row.reason) == (State.FAILED, Reason.MODELS_UNAVAILABLE)
    assert (await rows(bench.database, conversations))[0].attention == Reason.MODELS_UNAVAILABLE


async def test_a_turn_whose_claims_ended_without_an_outcome_does_not_reach_a_model_again(bench: Bench) -> None:
    turn_id, _ = await bench.ask(claims=3)
    await bench.work()
    assert bench.models.asked == []
    assert (await bench.pipeline.row(turns, turn_id)).reason == Reason.TOO_MANY_ATTEMPTS


async def test_an_answer_whose_turn_was_replaced_while_the_model_thought_is_not_queued(bench: Bench) -> None:
    turn_id, _ = await bench.ask()
    bench.models.go.clear()
    (turn,) = await bench.replies.claim(10)
    handling = asyncio.create_task(bench.replies.handle(turn))
    await bench.pipeline.change(turns, turn_id, state="superseded")
    bench.models.go.set()
    await handling
    assert await bench.said() == []


async def test_a_lease_is_renewed_while_a_model_thinks(bench: Bench) -> None:
    turn_id, _ = await bench.ask()
    (turn,) = await bench.replies.claim(10)
    await bench.pipeline.change(turns, turn_id, due_at=PAST)
    assert await bench.replies.extend([turn]) == {turn_id}
    assert await bench.replies.claim(10) == []


async def test_a_stored_picture_is_shown_to_the_model_and_a_missing_one_is_not(bench: Bench) -> None:
    for name in ("a.jpg", "missing.jpg"):
        conversation_id = await bench.pipeline.conversation()
        turn_id = await bench.pipeline.turn(conversation_id, due_at=PAST)
        message_id = await bench.pipeline.message(conversation_id, name, kind="image", turn_id=turn_id)
        await bench.pipeline.file(message_id, state="stored", stored_name=name)
    (bench.media_dir / "a.jpg").write_bytes(b"picture")
    await bench.work()
    shown = [part for request in bench.models.asked for part in request.messages[-1].parts]
    assert [part.data for part in shown if isinstance(part, Image)] == [b"picture"]
