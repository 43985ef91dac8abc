"""A state machine plays customers, crashes, people and WhatsApp against the pipeline, and keeps its promises in mind.

Promises: nothing that was taken is lost, every turn is answered at most once, answers leave in the order of their
turns, a person's takeover stops the bot, and an attempt whose end nobody saw is never repeated. Run more examples with
`HYPOTHESIS_EXAMPLES=2000 .venv/bin/pytest -n0 tests/faults/test_pipeline_machine.py`. A failure is shown as it was
found, with what repeats it; `HYPOTHESIS_SHRINK=1` makes it small, which takes minutes.
"""

import asyncio
import os
import tempfile
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.ai.replies.conclude import Again, Answer, Decision, GiveUp, HandOver, Silence
from app.conversations.answering import ClaimedTurn
from app.conversations.models import conversations, messages, turns
from app.conversations.turns import Control, Reason
from app.conversations.turns import State as TurnState
from app.outbound.leaving import Leaving
from app.outbound.models import outbound_messages
from app.outbound.outcomes import Outcome
from app.outbound.states import FINAL, State
from app.outbound.statuses import tracker
from app.whatsapp.content import Text
from tests.builders.rows import build
from tests.faults.pipeline import Pipeline, inbound, status

EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "20"))
PHASES = tuple(Phase) if os.environ.get("HYPOTHESIS_SHRINK") else (Phase.explicit, Phase.reuse, Phase.generate)
MEMORY = "/dev/shm"  # noqa: S108 - the commits of this test need not survive a power cut

CUSTOMERS = st.integers(0, 2)
ANSWER: Decision = Answer((Text("one"), Text("two")))
SHORT_ANSWER: Decision = Answer((Text("one"),))
HELD: Decision = Silence(Reason.HELD_BY_PERSON)
DECISIONS: st.SearchStrategy[Decision] = st.sampled_from(
    [
        ANSWER,
        SHORT_ANSWER,
        SHORT_ANSWER,
        Silence(Reason.PAUSED),
        Again(0, Text("later")),
        HandOver(Reason.MODEL_REFUSED, Text("a person")),
        GiveUp(Reason.TOO_MANY_ATTEMPTS),
    ]
)
ANSWERS_OF_WHATSAPP = st.sampled_from(["accepted", "accepted", "lost", "refused", "busy"])
OPEN = (TurnState.COLLECTING, TurnState.THINKING)


class PipelineMachine(RuleBasedStateMachine):
    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directory = tempfile.TemporaryDirectory(dir=MEMORY if Path(MEMORY).is_dir() else None)
        self.pipeline = Pipeline(self.template, Path(self.directory.name))
        self.runner.run(self.pipeline.open())
        self.taken: set[tuple[int, int]] = set()
        self.next_number = 0
        self.claimed: list[ClaimedTurn] = []
        self.leaving: list[Leaving] = []
        self.unsaved: list[Outcome] = []
        self.received: list[Leaving] = []  # the ledger: what reached a customer's phone
        self.refused: set[UUID] = set()  # what WhatsApp said it could not deliver
        self.arrived: set[UUID] = set()  # what WhatsApp said has arrived

    def teardown(self) -> None:
        try:
            self.runner.run(self._settle())
        finally:
            self.runner.run(self.pipeline.close())
            self.runner.close()
            self.directory.cleanup()

    @initialize()
    def everybody_was_answered_once(self) -> None:
        for customer in range(3):
            self.the_bot_answers(customer)

    @rule(
        customer=CUSTOMERS,
        until=st.sampled_from(["claimed", "answered", "sent"]),
        answer=st.sampled_from([SHORT_ANSWER, ANSWER]),
    )
    def the_bot_answers(self, customer: int, until: str = "sent", answer: Decision = SHORT_ANSWER) -> None:
        """The usual way of things in one step, or a part of it, so that what can only go wrong later is reached."""
        self.writes(customer, 1)
        claimed = self.runner.run(self.pipeline.claim(10))
        if until == "claimed":
            self.claimed += claimed
            return
        answered = [(turn, answer if turn.control == "bot" else HELD) for turn in claimed]
        self.runner.run(self.pipeline.conclude(answered))
        if until == "sent":
            self.leaving += self.runner.run(self.pipeline.start(10))

    @rule(customer=CUSTOMERS, count=st.integers(1, 3))
    def writes(self, customer: int, count: int) -> None:
        numbers = range(self.next_number, self.next_number + count)
        self.next_number += count
        new = self.runner.run(self.pipeline.receive([inbound(customer, number) for number in numbers]))
        assert new == count
        self.taken |= {(customer, number) for number in numbers}

    @rule(data=st.data())
    def the_same_message_comes_again(self, data: st.DataObject) -> None:
        customer, number = data.draw(st.sampled_from(sorted(self.taken)))
        before = self.runner.run(self._counts())
        assert self.runner.run(self.pipeline.receive([inbound(customer, number)])) == 0
        assert self.runner.run(self._counts()) == before

    @rule(limit=st.integers(1, 5))
    def a_worker_claims_turns(self, limit: int) -> None:
        claimed = self.runner.run(self.pipeline.claim(limit))
        assert len(claimed) <= limit
        assert all(turn.questions for turn in claimed), "a turn without a question"
        self.claimed += claimed

    @precondition(lambda self: self.claimed)
    @rule(data=st.data())
    def workers_conclude(self, data: st.DataObject) -> None:
        """One or several of the claims, the lost ones among them, in one unit of work."""
        chosen = data.draw(st.lists(st.sampled_from(self.claimed), min_size=1, max_size=3, unique_by=id))
        decided: list[tuple[ClaimedTurn, Decision]] = [(turn, data.draw(DECISIONS)) for turn in chosen]
        held = [self.runner.run(self._is_held(turn)) for turn in chosen]
        assert self.runner.run(self.pipeline.conclude(decided)) == held
        self.claimed = [turn for turn in self.claimed if not any(turn is one for one in chosen)]

    @rule(limit=st.integers(1, 4))
    def a_worker_starts_to_send(self, limit: int) -> None:
        controls = {row.id: row.control for row in self.runner.run(self.pipeline.rows(conversations))}
        leaving = self.runner.run(self.pipeline.start(limit))
        assert len(leaving) <= limit
        for one in leaving:
            if one.turn_id is not None:
                assert controls[one.conversation_id] == "bot", "an answer left after a person took over"
        self.leaving += leaving

    @precondition(lambda self: self.leaving)
    @rule(data=st.data(), answer=ANSWERS_OF_WHATSAPP)
    def whatsapp_answers(self, data: st.DataObject, answer: str) -> None:
        """What the sender learns; it may die, or statuses may come, before it is written down."""
        self._is_told(data.draw(st.sampled_from(self.leaving)), answer)

    def _is_told(self, one: Leaving, answer: str) -> None:
        self.leaving.remove(one)
        if answer in ("accepted", "lost"):
            self.received.append(one)
        self.unsaved.append(
            {
                "accepted": Outcome(one, State.SENT, wamid=_wamid(one)),
                "lost": Outcome(one, State.UNKNOWN, reason="timeout"),
                "refused": Outcome(one, State.FAILED, reason="undeliverable", error_code=131026),
                "busy": Outcome(one, State.RETRY, reason="too fast", error_code=130429, retry_seconds=0),
            }[answer]
        )

    @precondition(lambda self: self.unsaved)
    @rule(data=st.data())
    def senders_write_down_what_became_of_it(self, data: st.DataObject) -> None:
        chosen = data.draw(st.lists(st.sampled_from(self.unsaved), min_size=1, max_size=3, unique_by=id))
        self.runner.run(self.pipeline.save(chosen))
        self.unsaved = [outcome for outcome in self.unsaved if not any(outcome is one for one in chosen)]

    @precondition(lambda self: self.leaving or self.unsaved)
    @rule(data=st.data(), reached=st.booleans())
    def a_sender_dies(self, data: st.DataObject, reached: bool) -> None:
        if self.unsaved and (reached or not self.leaving):
            self.unsaved.remove(data.draw(st.sampled_from(self.unsaved)))
            return
        one = data.draw(st.sampled_from(self.leaving))
        self.leaving.remove(one)
        if reached:
            self.received.append(one)

    @rule(data=st.data())
    def half_a_minute_passes(self, data: st.DataObject) -> None:
        """Every lease ends. No send outlives its own: WhatsApp has it by now, or never will; its sender may be slow."""
        for one in list(self.leaving):
            self._is_told(one, data.draw(ANSWERS_OF_WHATSAPP))
        self.runner.run(self.pipeline.stop_channel(stopped=False))
        self.runner.run(self.pipeline.expire_leases())

    @precondition(lambda self: self.received)
    @rule(data=st.data(), marked=st.booleans())
    def statuses_come(self, data: st.DataObject, marked: bool) -> None:
        """Before or after our own commit, again, out of order; a failure may come without our mark."""
        told = data.draw(
            st.lists(
                st.tuples(st.sampled_from(self.received), st.sampled_from(["sent", "delivered", "read", "failed"])),
                min_size=1,
                max_size=4,
            )
        )
        self.runner.run(
            self.pipeline.told(
                [
                    status(_wamid(one), word, tracker(one.attempt_id) if marked or word != "failed" else None)
                    for one, word in told
                ]
            )
        )
        self.refused |= {one.id for one, word in told if word == "failed"}
        self.arrived |= {one.id for one, word in told if word in ("delivered", "read")}

    @rule(data=st.data(), what=st.sampled_from(["taken", "given_back", "written", "scheduled", "stopped", "lost"]))
    def something_rare_happens(self, data: st.DataObject, what: str) -> None:
        """A person takes, gives back or writes, the channel is refused, or a process dies before its COMMIT."""
        conversation_id = self._any_conversation(data)
        match what:
            case "taken" | "given_back":
                control: Control = "person" if what == "taken" else "bot"
                self.runner.run(self.pipeline.give_to(conversation_id, control))
            case "written" | "scheduled":
                self.runner.run(self.pipeline.write(conversation_id, later=what == "scheduled"))
            case "stopped":
                self.runner.run(self.pipeline.stop_channel(stopped=True))
            case _:
                self.runner.run(self.pipeline.lose([inbound(0, 1_000_000 + self.next_number)]))

    @invariant()
    def nothing_is_sent_twice_and_answers_leave_in_the_order_of_their_turns(self) -> None:
        sent = [one.id for one in self.received]
        assert len(sent) == len(set(sent)), "a customer received the same message twice"
        order: dict[UUID, list[UUID]] = {}
        for one in self.received:
            if one.turn_id is not None:
                order.setdefault(one.conversation_id, []).append(one.id)
        assert all(ids == sorted(ids) for ids in order.values()), "answers left out of order"

    @invariant()
    def every_message_and_every_turn_is_in_one_place(self) -> None:
        self.runner.run(self._look())

    async def _look(self) -> None:
        stored = await self.pipeline.rows(messages, messages.c.author == "customer")
        by_id = {row.id: row for row in await self.pipeline.rows(turns)}
        assert len(stored) == len(self.taken), "a message was lost or doubled"
        for message in stored:
            turn = by_id.get(message.turn_id)
            assert (turn is None) == bool(message.awaits_turn), "a message is in no turn and waits for none"
            assert turn is None or turn.state != TurnState.SUPERSEDED, "a message stayed in a turn that was replaced"
            if turn is None:
                held = [row for row in by_id.values() if row.conversation_id == message.conversation_id]
                assert any(row.state == TurnState.THINKING for row in held), (
                    "a message waits for a turn that nobody has"
                )
        queued = await self.pipeline.rows(outbound_messages)
        by_turn: dict[UUID, set[UUID]] = {}
        flying: set[UUID] = set()
        for row in queued:
            if row.turn_id is not None:
                by_turn.setdefault(row.turn_id, set()).add(row.part)
            if row.state == State.PROCESSING:
                assert row.conversation_id not in flying, "two messages of one conversation are on their way"
                flying.add(row.conversation_id)
        for turn in by_id.values():
            if turn.state in (TurnState.READY, TurnState.SENDING):
                assert by_turn.get(turn.id), "an answered turn without an answer"
            elif turn.state not in OPEN:
                assert turn.ended_at is not None
                assert turn.state == TurnState.DONE or turn.reason, f"{turn.state} without a reason"

    async def _settle(self) -> None:
        """Let everything end: workers live, WhatsApp accepts, statuses come. Then nothing may be left over."""
        self.claimed, self.leaving, self.unsaved = [], [], []
        await self.pipeline.stop_channel(stopped=False)
        for _ in range(60):
            await self.pipeline.expire_leases()
            claimed = await self.pipeline.claim(10)
            await self.pipeline.conclude([(turn, ANSWER if turn.control == "bot" else HELD) for turn in claimed])
            leaving = await self.pipeline.start(10)
            self.received += leaving
            await self.pipeline.save([Outcome(one, State.SENT, wamid=_wamid(one)) for one in leaving])
            if not claimed and not leaving:
                break
        self.nothing_is_sent_twice_and_answers_leave_in_the_order_of_their_turns()
        statuses = [status(_wamid(one), "sent", tracker(one.attempt_id)) for one in self.received]
        await self.pipeline.told(statuses)
        assert not [row for row in await self.pipeline.rows(messages) if row.awaits_turn]
        await self._look()
        await self._everything_has_ended()

    async def _everything_has_ended(self) -> None:
        received = {one.id for one in self.received}
        queued = await self.pipeline.rows(outbound_messages)
        for row in queued:
            assert row.state in FINAL or row.state == State.UNKNOWN, f"left over: {row.state}"
            shown_as_failed = row.id in self.refused - self.arrived
            if row.id in received:
                assert row.state == (State.FAILED if shown_as_failed else State.SENT), f"received, shown as {row.state}"
            else:
                assert row.state != State.SENT, "shown as sent, but nobody received it"
        for turn in await self.pipeline.rows(turns):
            assert turn.state not in OPEN, "a turn never ended"
            if turn.state in (TurnState.READY, TurnState.SENDING):
                parts = [row.state for row in queued if row.turn_id == turn.id]
                assert State.UNKNOWN in parts, f"a turn stays {turn.state} although its parts are {parts}"

    def _any_conversation(self, data: st.DataObject) -> UUID:
        held = self.runner.run(self.pipeline.rows(conversations))
        return UUID(str(data.draw(st.sampled_from([row.id for row in held]))))

    async def _is_held(self, turn: ClaimedTurn) -> bool:
        (row,) = await self.pipeline.rows(turns, turns.c.id == turn.id)
        return bool(row.state == TurnState.THINKING and row.token == turn.token)

    async def _counts(self) -> tuple[int, int]:
        return len(await self.pipeline.rows(messages)), len(await self.pipeline.rows(turns))


def _wamid(one: Leaving) -> str:
    return f"wamid.out.{one.attempt_id}"


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    asyncio.run(build(f"sqlite:///{path}"))
    return path


@pytest.mark.timeout(0 if EXAMPLES > 100 else 300)
def test_pipeline_keeps_its_promises_whatever_happens_in_whatever_order(template: Path) -> None:
    PipelineMachine.template = template
    run_state_machine_as_test(
        PipelineMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=40,
            deadline=None,
            phases=PHASES,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
