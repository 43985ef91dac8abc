"""A state machine of failover: channels stop and resume, processes sleep and die; nobody gets a message twice.

The phone's side is the real ledger with a browser of the test; the Cloud's side is a list. WhatsApp knows a message of
a phone by its id, and a message of the Cloud API by nothing, as it is.
"""

import asyncio
import os
import tempfile
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from app.core.db import Database
from app.outbound.leaving import Leaving, sweep
from app.outbound.models import outbound_messages
from app.outbound.outcomes import Outcome, save
from app.outbound.states import State
from app.whatsapp.content import Text
from app.whatsapp.identifiers import Recipient
from app.whatsapp.web import ledger
from app.whatsapp.web.ledger import CommandState, Fate
from tests.builders.rows import sqlite_copy
from tests.features.outbound.test_failover import Shop
from tests.features.whatsapp_web.rows import begin, claim, fate, order, place, settle

Found = TypeVar("Found")
MEMORY = "/dev/shm"  # noqa: S108 - the commits of this test need not survive a power cut
HOMES = st.sampled_from(["on_phone", "on_phone", "on_cloud"])
CHANNELS = st.sampled_from(["phone", "phone", "cloud"])
ENDS = st.sampled_from(["accepted", "accepted", "refused", "not sent", "absent", "forgotten", "database lost"])
BROWSERS = st.sampled_from(["accepted", "absent", "forgotten"])
EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "20"))


class Failover(RuleBasedStateMachine):
    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directory = tempfile.TemporaryDirectory(dir=MEMORY if Path(MEMORY).is_dir() else None)
        path = Path(self.directory.name) / "failover.db"
        path.write_bytes(self.template.read_bytes())
        self.database = Database(f"sqlite:///{path}")
        self.shop = Shop(self.database)
        self.run(self.database.__aenter__())
        self.run(self.shop.open())
        self.leaving: list[Leaving] = []
        self.asleep: list[Leaving] = []  # their leases have ended, and they do not know it
        self.received: list[UUID] = []  # as it reached the person, whatever the way
        self.through_phone: set[UUID] = set()
        self.late: set[UUID] = set()  # slept over: no transport can be fenced, so their order is not promised

    def run(self, work: Coroutine[Any, Any, Found]) -> Found:
        return self.runner.run(work)

    def teardown(self) -> None:
        try:
            self._settle()
        finally:
            self.run(self.database.__aexit__())
            self.runner.close()
            self.directory.cleanup()

    @rule(home=HOMES)
    def a_colleague_writes(self, home: str) -> None:
        self.run(self.shop.message(getattr(self.shop, home)))

    @rule(channel=CHANNELS)
    def a_channel_is_down(self, channel: str) -> None:
        self.run(self.shop.stop(getattr(self.shop, channel)))

    @rule(channel=CHANNELS)
    def a_channel_is_back(self, channel: str) -> None:
        self.run(self.shop.resume(getattr(self.shop, channel)))

    @rule()
    def messages_leave(self) -> None:
        self.leaving += self.run(self.shop.leave())

    @rule(end=ENDS)
    def a_phone_goes_down_while_it_sends(self, end: str) -> None:
        """The usual trouble in one step, so that what can only go wrong later is reached."""
        self.a_channel_is_back("phone")
        self.a_colleague_writes("on_phone")
        self.messages_leave()
        while self.leaving:
            self.a_send_ends(end)
        self.a_channel_is_down("phone")
        self.messages_leave()

    @precondition(lambda self: self.leaving)
    @rule(end=ENDS)
    def a_send_ends(self, end: str) -> None:
        self._send(self.leaving.pop(0), end)

    @precondition(lambda self: self.leaving)
    @rule()
    def a_process_falls_asleep(self) -> None:
        """Its lease ends, and its message is `unknown`."""
        one = self.leaving.pop(0)
        self.asleep.append(one)
        self.late.add(one.id)
        self.run(self._lease_ends(one))

    @precondition(lambda self: self.asleep)
    @rule(end=ENDS)
    def it_wakes_up(self, end: str) -> None:
        self._send(self.asleep.pop(0), end)

    @rule()
    def a_phone_is_asked_what_became_of_it(self) -> None:
        """As app.outbound.recall does for messages in `unknown`."""
        o = outbound_messages.c
        for row in self.run(self._rows(o.state == State.UNKNOWN, o.channel_id == self.shop.phone)):
            self.run(self._withdraw(row.id))
            known = self.run(fate(self.database, row.id))
            if known is None or known.state is CommandState.NOT_SENT:
                self.run(self._save(row, State.RETRY))
            elif known.state is CommandState.SENT:
                self.run(self._save(row, State.SENT))

    @rule(end=BROWSERS)
    def the_browser_works(self, end: str) -> None:
        self.run(self._browse(end))

    @invariant()
    def nobody_gets_a_message_twice(self) -> None:
        assert len(self.received) == len(set(self.received))

    @invariant()
    def a_conversation_keeps_its_order(self) -> None:
        homes = {row.id: row.conversation_id for row in self.run(self._rows())}
        for home in (self.shop.on_phone, self.shop.on_cloud):
            received = [one for one in self.received if homes[one] == home and one not in self.late]
            assert received == sorted(received)

    def _settle(self) -> None:
        """Let everything work again: what waits leaves, and what is shown as sent was received."""
        self.a_channel_is_back("phone")
        self.a_channel_is_back("cloud")
        while self.asleep:
            self.it_wakes_up("accepted")
        for _ in range(100):
            self.a_phone_is_asked_what_became_of_it()
            self.messages_leave()
            if not self.leaving:
                break
            while self.leaving:
                self.a_send_ends("accepted")
        for row in self.run(self._rows()):
            assert row.state in (State.SENT, State.FAILED, State.UNKNOWN), row.state
            assert row.state != State.SENT or row.id in self.received

    def _send(self, one: Leaving, end: str) -> None:
        if end == "refused":
            self.run(self._save(one, State.FAILED))
        elif end == "not sent":
            self.run(self._save(one, State.RETRY))
        elif one.channel_id == self.shop.cloud:
            self.received.append(one.id)
            self.run(self._save(one, State.SENT))
        else:
            self.run(self._send_by_phone(one, end))

    async def _send_by_phone(self, one: Leaving, end: str) -> None:
        """`database lost`: it was placed, and its process was never told so."""
        placed = await place(self.database, order(self.shop.phone, one.id))
        if end == "database lost" or not isinstance(placed, Fate):
            await self._save(one, State.RETRY)
            return
        while placed.state is CommandState.PENDING and end in ("accepted", "absent", "forgotten"):
            await self._browse(end)
            found = await fate(self.database, one.id)
            assert found is not None
            placed = found
        await self._withdraw(one.id)
        found = await fate(self.database, one.id)
        assert found is not None
        await self._save(one, State.SENT if found.state is CommandState.SENT else State.RETRY)

    async def _browse(self, end: str) -> None:
        """Let the browser send what is next. `forgotten`: WhatsApp got it, and the next browser knows nothing of it."""
        command = await claim(self.database, self.shop.phone)
        if command is None:
            return
        await begin(self.database, command)
        if end != "absent" and command.id not in self.through_phone:
            self.through_phone.add(command.id)
            self.received.append(command.id)
        if end == "accepted":
            await settle(self.database, command.id, CommandState.SENT)
        else:
            await settle(self.database, command.id, CommandState.NOT_SENT, "absent")

    async def _lease_ends(self, one: Leaving) -> None:
        past = datetime.now(UTC) - timedelta(seconds=1)
        await self.shop.pipeline.change(outbound_messages, one.id, due_at=past)
        async with self.database.write() as connection:
            await sweep(connection)

    async def _save(self, one: Any, state: State) -> None:
        leaving = one if isinstance(one, Leaving) else _attempt(one)
        async with self.database.write() as connection:
            now = await self.database.now(connection)
            await save(connection, [Outcome(leaving, state)], now=now)

    async def _withdraw(self, key: UUID) -> None:
        async with self.database.write() as connection:
            await ledger.withdraw(connection, key, now=await self.database.now(connection))

    async def _rows(self, *where: sa.ColumnElement[bool]) -> list[Any]:
        async with self.database.read() as connection:
            query = sa.select(*outbound_messages.c).where(*where).order_by(outbound_messages.c.id)
            return list((await connection.execute(query)).all())


def _attempt(row: Any) -> Leaving:
    return Leaving(
        id=row.id,
        conversation_id=row.conversation_id,
        channel_id=row.channel_id,
        turn_id=None,
        attempt=row.attempt,
        attempt_id=row.attempt_id,
        recipient=Recipient(),
        content=Text(""),
        reply_to=None,
        event_id=None,
        opened_at=None,
    )


async def test_no_message_leaves_twice_or_out_of_order_whatever_happens(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    Failover.template = await sqlite_copy(tmp_path_factory, tmp_path)
    await asyncio.to_thread(
        run_state_machine_as_test,
        Failover,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=40,
            deadline=None,
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
