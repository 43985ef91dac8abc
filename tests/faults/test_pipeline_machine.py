"""A state machine plays customers, crashes, people and WhatsApp against the pipeline, and keeps its promises in mind.

Promises: nothing that was taken is lost, every turn is answered at most once, answers leave in the order of their turns,
a person's takeover stops the bot, and an attempt whose end nobody saw is never repeated.
"""

import asyncio
import tempfile
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from app.ai.replies.conclude import Again, Answer, HandOver, Silence
from app.conversations.answering import ClaimedTurn
from app.conversations.models import conversations, messages, turns
from app.conversations.turns import Control, Reason
from app.conversations.turns import State as TurnState
from app.core.db import Database
from app.core.db.migrate import migrate
from app.outbound.leaving import Leaving
from app.outbound.models import outbound_messages
from app.outbound.outcomes import Outcome
from app.outbound.states import State
from app.outbound.statuses import tracker
from app.whatsapp.content import Text
from tests.faults.pipeline import Pipeline, inbound, status

CUSTOMERS = st.integers(0, 2)
ANSWER = Answer((Text("one"), Text("two")))
DECISIONS = st.sampled_from(
    [ANSWER, ANSWER, Silence(Reason.PAUSED), Again(0, Text("later")), HandOver(Reason.MODEL_REFUSED, Text("a person"))]
)


class PipelineMachine(RuleBasedStateMachine):
    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directory = tempfile.TemporaryDirectory()
        self.pipeline = Pipeline(self.template, Path(self.directory.name))
        self.runner.run(self.pipeline.open())
        self.taken: set[tuple[int, int]] = set()
        self.next_number = 0
        self.claimed: list[ClaimedTurn] = []
        self.leaving: list[Leaving] = []
        self.received_by_customers: list[tuple[UUID | None, UUID, int]] = []  # turn, outbound, attempt: the ledger
        self.accepted: list[tuple[str, str]] = []  # wamid, tracker
        self.unseen: list[tuple[str, str]] = []

    def teardown(self) -> None:
        self.runner.run(self._settle())
        self.runner.run(self.pipeline.close())
        self.runner.close()
        self.directory.cleanup()

    @initialize()
    def somebody_writes(self) -> None:
        self.writes(0, 1)

    @rule(customer=CUSTOMERS, count=st.integers(1, 3))
    def writes(self, customer: int, count: int) -> None:
        numbers = range(self.next_number, self.next_number + count)
        self.next_number += count
        new = self.runner.run(self.pipeline.receive([inbound(customer, number) for number in numbers]))
        assert new == count
        self.taken |= {(customer, number) for number in numbers}

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def the_same_message_comes_again(self, data: st.DataObject) -> None:
        customer, number = data.draw(st.sampled_from(sorted(self.taken)))
        before = self.runner.run(self._counts())
        assert self.runner.run(self.pipeline.receive([inbound(customer, number)])) == 0
        assert self.runner.run(self._counts()) == before

    @rule(limit=st.integers(1, 5))
    def a_worker_claims_turns(self, limit: int) -> None:
        self.claimed += self.runner.run(self.pipeline.claim(limit))

    @precondition(lambda self: self.claimed)
    @rule(data=st.data(), decision=DECISIONS)
    def a_worker_concludes(self, data: st.DataObject, decision: Answer | Silence | Again | HandOver) -> None:
        turn = data.draw(st.sampled_from(self.claimed))
        held = self.runner.run(self._is_held(turn))
        assert self.runner.run(self.pipeline.conclude(turn, decision)) == held
        self.claimed.remove(turn)

    @rule(limit=st.integers(1, 4))
    def a_worker_starts_to_send(self, limit: int) -> None:
        controls = self.runner.run(self._control())
        leaving = self.runner.run(self.pipeline.start(limit))
        for one in leaving:
            if one.turn_id is not None:
                assert controls[one.conversation_id] == "bot", "an answer left after a person took over"
        self.leaving += leaving

    @precondition(lambda self: self.leaving)
    @rule(data=st.data(), answer=st.sampled_from(["accepted", "accepted", "lost", "refused", "busy"]))
    def whatsapp_answers(self, data: st.DataObject, answer: str) -> None:
        one = data.draw(st.sampled_from(self.leaving))
        self.leaving.remove(one)
        wamid, mark = f"wamid.out.{one.attempt_id}", tracker(one.attempt_id)
        if answer in ("accepted", "lost"):
            self.received_by_customers.append((one.turn_id, one.id, one.attempt))
            self.accepted.append((wamid, mark))
        outcome = {
            "accepted": Outcome(one, State.SENT, wamid=wamid),
            "lost": Outcome(one, State.UNKNOWN, reason="timeout"),
            "refused": Outcome(one, State.FAILED, reason="undeliverable", error_code=131026),
            "busy": Outcome(one, State.RETRY, reason="too fast", error_code=130429, retry_seconds=0),
        }[answer]
        self.runner.run(self.pipeline.save(outcome))

    @precondition(lambda self: self.leaving)
    @rule(data=st.data(), reached=st.booleans())
    def the_sender_dies(self, data: st.DataObject, reached: bool) -> None:
        one = data.draw(st.sampled_from(self.leaving))
        self.leaving.remove(one)
        if reached:
            self.received_by_customers.append((one.turn_id, one.id, one.attempt))
            self.accepted.append((f"wamid.out.{one.attempt_id}", tracker(one.attempt_id)))

    @rule()
    def half_a_minute_passes(self) -> None:
        self.runner.run(self.pipeline.expire_leases())

    @precondition(lambda self: self.accepted)
    @rule(data=st.data(), word=st.sampled_from(["sent", "delivered", "read", "failed"]))
    def a_status_comes(self, data: st.DataObject, word: str) -> None:
        wamid, mark = data.draw(st.sampled_from(self.accepted))
        self.runner.run(self.pipeline.told([status(wamid, word, mark)]))

    @rule(customer=CUSTOMERS, control=st.sampled_from(["person", "bot"]))
    def control_changes(self, customer: int, control: Control) -> None:
        held = self.runner.run(self.pipeline.rows(conversations))
        if customer < len(held):
            self.runner.run(self.pipeline.give_to(held[customer].id, control))

    @invariant()
    def nothing_is_sent_twice(self) -> None:
        sent = [outbound_id for _, outbound_id, _ in self.received_by_customers]
        assert len(sent) == len(set(sent)), "a customer received the same message twice"

    @invariant()
    def every_message_is_in_one_place(self) -> None:
        stored, by_id = self.runner.run(self._messages_and_turns())
        assert len(stored) == len(self.taken), "a message was lost or doubled"
        for message in stored:
            turn = by_id.get(message.turn_id)
            if turn is None:
                assert message.awaits_turn, "a message is in no turn and waits for none"
            else:
                assert turn.state != TurnState.SUPERSEDED, "a message stayed in a turn that was replaced"

    @invariant()
    def answers_leave_in_the_order_of_their_turns(self) -> None:
        order: dict[UUID, list[UUID]] = {}
        turn_of = {row.id: row for row in self.runner.run(self.pipeline.rows(turns))}
        for turn_id, outbound_id, _ in self.received_by_customers:
            if turn_id is not None:
                order.setdefault(turn_of[turn_id].conversation_id, []).append(outbound_id)
        for sent in order.values():
            assert sent == sorted(sent)

    async def _settle(self) -> None:
        """Let everything end: workers live, WhatsApp accepts, statuses come. Then nothing may be left over."""
        self.claimed, self.leaving = [], []
        for _ in range(60):
            await self.pipeline.expire_leases()
            claimed = await self.pipeline.claim(10)
            for turn in claimed:
                await self.pipeline.conclude(turn, ANSWER if turn.control == "bot" else Silence(Reason.HELD_BY_PERSON))
            leaving = await self.pipeline.start(10)
            for one in leaving:
                self.received_by_customers.append((one.turn_id, one.id, one.attempt))
                self.accepted.append((f"wamid.out.{one.attempt_id}", tracker(one.attempt_id)))
                await self.pipeline.save(Outcome(one, State.SENT, wamid=f"wamid.out.{one.attempt_id}"))
            if not claimed and not leaving:
                break
        await self.pipeline.told([status(wamid, "delivered", mark) for wamid, mark in self.accepted])
        self.nothing_is_sent_twice_at_the_end()
        received = {outbound_id for _, outbound_id, _ in self.received_by_customers}
        for row in await self.pipeline.rows(outbound_messages):
            assert row.state not in (State.PENDING, State.PROCESSING, State.RETRY), f"left over: {row.state}"
            if row.id in received:
                assert row.state == State.SENT, f"received, but shown as {row.state}"
            if row.state == State.SENT:
                assert row.id in received, "shown as sent, but nobody received it"
        for turn in await self.pipeline.rows(turns):
            if turn.state not in (TurnState.READY, TurnState.SENDING):
                assert turn.ended_at is not None
                assert turn.state == TurnState.DONE or turn.reason, f"{turn.state} without a reason"
            else:
                parts = await self.pipeline.rows(outbound_messages, outbound_messages.c.turn_id == turn.id)
                assert any(part.state == State.UNKNOWN for part in parts), f"a turn stays {turn.state} for no reason"

    def nothing_is_sent_twice_at_the_end(self) -> None:
        sent = [outbound_id for _, outbound_id, _ in self.received_by_customers]
        assert len(sent) == len(set(sent)), "a customer received the same message twice"

    async def _is_held(self, turn: ClaimedTurn) -> bool:
        (row,) = await self.pipeline.rows(turns, turns.c.id == turn.id)
        return bool(row.state == TurnState.THINKING and row.token == turn.token)

    async def _control(self) -> dict[UUID, str]:
        return {row.id: row.control for row in await self.pipeline.rows(conversations)}

    async def _counts(self) -> tuple[int, int]:
        return len(await self.pipeline.rows(messages)), len(await self.pipeline.rows(turns))

    async def _messages_and_turns(self) -> tuple[list[object], dict[UUID, object]]:
        stored = await self.pipeline.rows(messages, messages.c.author == "customer")
        return list(stored), {row.id: row for row in await self.pipeline.rows(turns)}


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"

    async def make() -> None:
        async with Database(f"sqlite:///{path}") as database:
            await migrate(database)

    asyncio.run(make())
    return path


@pytest.mark.timeout(300)
def test_pipeline_keeps_its_promises_whatever_happens_in_whatever_order(template: Path) -> None:
    PipelineMachine.template = template
    run_state_machine_as_test(
        PipelineMachine,
        settings=settings(
            max_examples=6,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
