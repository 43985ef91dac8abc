from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

import pytest

from app.core.db import Database
from app.core.db.events import EventRelay, events, record
from app.core.events import Event
from app.core.ids import new_id
from tests.builders.rows import rows


class Happened(Event, frozen=True, kw_only=True):
    name: ClassVar[str] = "happened"
    number: int


class Browser:
    """Whoever reacts; raises as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.seen: list[int] = []
        self._failures = failures

    async def react(self, facts: Sequence[Event]) -> None:
        if self._failures:
            self._failures -= 1
            raise RuntimeError("not now")
        self.seen += [fact.number for fact in facts if isinstance(fact, Happened)]


def relay(database: Database, browser: Browser) -> EventRelay:
    return EventRelay(database, {"happened": Happened}, browser.react)


async def happen(database: Database, *numbers: int, correlation_id: UUID | None = None) -> None:
    async with database.write() as connection:
        await record(connection, [Happened(number=number, correlation_id=correlation_id) for number in numbers])


async def test_what_happened_is_relayed_in_order_once_and_forgotten(database: Database) -> None:
    await happen(database, *range(20))
    await happen(database, *range(20, 25))
    browser = Browser()
    reader = relay(database, browser)
    while claimed := await reader.claim(7):
        await reader.relay(claimed)
    assert browser.seen == list(range(25))
    assert await rows(database, events) == []


async def test_no_fact_is_no_row(database: Database) -> None:
    await happen(database)
    assert await rows(database, events) == []


async def test_a_fact_of_a_unit_of_work_that_failed_never_happened(database: Database) -> None:
    async def fail() -> None:
        async with database.write() as connection:
            await record(connection, [Happened(number=1)])
            raise RuntimeError("undone")

    with pytest.raises(RuntimeError):
        await fail()
    assert await relay(database, Browser()).claim(10) == []


async def test_one_claim_takes_no_more_than_it_was_asked_for_and_two_claims_share_nothing(database: Database) -> None:
    await happen(database, *range(30))
    reader = relay(database, Browser())
    first, second = await reader.claim(4), await reader.claim(4)
    assert (len(first), len(second)) == (4, 4)
    assert not {row.id for row in first} & {row.id for row in second}


async def test_what_could_not_be_relayed_comes_again_after_its_lease(database: Database) -> None:
    await happen(database, 1)
    browser = Browser(failures=1)
    reader = relay(database, browser)
    claimed = await reader.claim(10)
    with pytest.raises(RuntimeError, match="not now"):
        await reader.relay(claimed)
    assert await reader.claim(10) == []
    async with database.write() as connection:
        await connection.execute(events.update().values(due_at=await database.now(connection)))
    await reader.relay(await reader.claim(10))
    assert browser.seen == [1]


async def test_an_unreadable_and_an_unknown_event_do_not_hold_up_the_others(database: Database) -> None:
    await happen(database, 1)
    async with database.write() as connection:
        now = await database.now(connection)
        for name, payload in (("happened", b'{"number":"seven"}'), ("happened", b"{"), ("unheard_of", b"{}")):
            await connection.execute(events.insert().values(id=new_id(), name=name, payload=payload, due_at=now))
    await happen(database, 2)
    browser = Browser()
    reader = relay(database, browser)
    await reader.relay(await reader.claim(10))
    assert browser.seen == [1, 2]
    assert await rows(database, events) == []


async def test_a_fact_keeps_its_correlation_id(database: Database) -> None:
    correlation_id = new_id()
    await happen(database, 1, correlation_id=correlation_id)
    (row,) = await rows(database, events)
    assert str(correlation_id).encode() in row.payload
