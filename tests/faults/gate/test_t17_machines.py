"""T17 and T17b: the pipeline's state machine with more examples, and the pure decisions under thousands of seeds."""

import random
from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from app.conversations.turns import Begin, Join, OpenTurn, Pace, Replace, State, Wait, place
from app.outbound.settle import verdict
from app.outbound.states import FINAL
from app.outbound.states import State as Sending
from tests.faults.figures import Figures
from tests.faults.scene import chosen_seed
from tests.faults.test_pipeline_machine import PipelineMachine, template

__all__ = ["template"]

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

EXAMPLES = 120
SEEDS, STEPS = 5000, 200
PACE = Pace(quiet_seconds=4, max_wait_seconds=20, max_restarts=2)


def test_t17_the_pipeline_does_what_its_model_says(template: Path) -> None:
    with Figures("T17 state machine", "sqlite", None) as told:
        PipelineMachine.template = template
        run_state_machine_as_test(
            PipelineMachine,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=40,
                deadline=None,
                phases=(Phase.explicit, Phase.reuse, Phase.generate),
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            ),
        )
        told.add(examples=EXAMPLES, steps_each=40)


def test_t17b_the_decisions_keep_their_promises_under_every_seed() -> None:
    first = chosen_seed()
    with Figures("T17b decisions", "pure", first) as told:
        turns = answered = replaced = 0
        for seed in range(first, first + SEEDS):
            desk = Desk(seed)
            try:
                desk.run(STEPS)
            except AssertionError as error:
                error.add_note(f"seed {seed}")
                raise
            turns, answered, replaced = turns + desk.begun, answered + desk.answered, replaced + desk.replaced
        told.add(seeds=SEEDS, steps=SEEDS * STEPS, turns=turns, answered=answered, replaced=replaced)


class Turn:
    def __init__(self, number: int, latest_at: datetime, restarts: int, messages: list[int]) -> None:
        self.id = UUID(int=number)
        self.state = State.COLLECTING
        self.latest_at = latest_at
        self.due_at = latest_at
        self.restarts = restarts
        self.messages = messages
        self.parts: list[Sending] = []


class Desk:
    """One conversation with a clock, a network and rows of its own: what the pipeline decides, without its database."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - what happens next
        self._now = datetime(2026, 1, 1, tzinfo=UTC)
        self._open: Turn | None = None
        self._ready: deque[Turn] = deque()
        self._waiting: list[int] = []
        self._written = 0
        self._received: list[list[int]] = []
        self.begun = self.answered = self.replaced = 0

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self._chance.choice((self._arrive, self._arrive, self._pass, self._claim, self._conclude, self._send))()
            self._look()
        self._end_everything()

    def _pass(self) -> None:
        self._now += timedelta(seconds=self._chance.choice((0.1, 1, 5, 30)))

    def _arrive(self) -> None:
        self._written += 1
        self._place([self._written])

    def _place(self, messages: list[int]) -> None:
        turn = self._open or (self._ready[-1] if self._ready and self._ready[-1].state is State.READY else None)
        known = None if turn is None else OpenTurn(turn.id, turn.state, turn.latest_at, turn.restarts)
        match place(known, self._now, PACE):
            case Join(due_at=due_at):
                assert turn is not None
                assert due_at <= max(self._now, turn.latest_at), "a burst is waited for without end"
                turn.messages += messages
                turn.due_at = due_at
            case Replace(latest_at=latest_at, restarts=restarts, due_at=due_at):
                assert turn is not None
                assert restarts <= PACE.max_restarts
                self.replaced += 1
                turn.state = State.SUPERSEDED
                if turn in self._ready:
                    self._ready.remove(turn)
                self._begin(latest_at, due_at, restarts, turn.messages + messages)
            case Begin(latest_at=latest_at, due_at=due_at):
                self._begin(latest_at, due_at, 0, messages)
            case Wait():
                self._waiting += messages

    def _begin(self, latest_at: datetime, due_at: datetime, restarts: int, messages: list[int]) -> None:
        self.begun += 1
        self._open = Turn(self.begun, latest_at, restarts, messages)
        self._open.due_at = due_at

    def _claim(self) -> None:
        if self._open is not None and self._open.due_at <= self._now:
            self._open.state = State.THINKING

    def _conclude(self) -> None:
        turn = self._open
        if turn is None or turn.state is not State.THINKING:
            return
        self._open = None
        turn.state = State.READY
        turn.parts = [Sending.PENDING] * self._chance.randint(1, 3)
        self._ready.append(turn)
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._place(waiting)

    def _send(self) -> None:
        if not self._ready:
            return
        turn = self._ready[0]
        at = next(place for place, state in enumerate(turn.parts) if state not in FINAL)
        turn.state = State.SENDING
        if self._chance.random() < 0.2:
            turn.parts[at] = Sending.RETRY
            return
        turn.parts[at] = Sending.SENT
        if verdict(turn.parts) is not None:
            self._ready.popleft()
            self._received.append(turn.messages)
            self.answered += 1

    def _look(self) -> None:
        placed = [one for turn in (*self._ready, *([self._open] if self._open else [])) for one in turn.messages]
        answered = [one for messages in self._received for one in messages]
        everywhere = answered + placed + self._waiting
        assert sorted(everywhere) == list(range(1, self._written + 1)), "a message is lost, or in two places"
        assert answered == sorted(answered), "answered out of order"

    def _end_everything(self) -> None:
        for _ in range(1000):
            if self._open is None and not self._ready:
                break
            self._now += timedelta(seconds=30)
            self._claim()
            self._conclude()
            self._send()
        assert not self._waiting
        assert sum(len(messages) for messages in self._received) == self._written, "not every message was answered"
