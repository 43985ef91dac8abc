import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.core.db import Database
from app.core.errors import Unavailable
from app.core.wake import InProcessWake
from app.whatsapp.intake import INBOX, Intake, RawEvent
from app.whatsapp.models import inbound_events
from tests.builders.rows import BOTH, build, migrated, rows
from tests.databases import PostgresDatabases


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with migrated(request, tmp_path) as database:
        yield database


async def test_a_webhook_is_stored_as_it_came_and_its_reader_is_woken(database: Database) -> None:
    wake = InProcessWake()
    woken = wake.subscribe(INBOX)
    body = b'{"a": "\\ud800"}\xff\x00'
    async with Intake(database, wake) as intake:
        assert await intake.save(RawEvent(body))
    (row,) = await rows(database, inbound_events)
    assert (row.body, row.state, row.claims) == (body, "pending", 0)
    assert abs(row.due_at - row.received_at) < timedelta(seconds=1)  # PostgreSQL reads its clock for each of the two
    assert woken.is_set()


async def test_the_same_body_again_is_not_stored_again_and_wakes_nobody(database: Database) -> None:
    wake = InProcessWake()
    async with Intake(database, wake) as intake:
        assert await intake.save(RawEvent(b"{}"))
        woken = wake.subscribe(INBOX)
        assert not await intake.save(RawEvent(b"{}"))
        assert not woken.is_set()
    assert len(await rows(database, inbound_events)) == 1


async def test_of_many_deliveries_at_once_exactly_one_is_new(database: Database) -> None:
    async with Intake(database, InProcessWake()) as intake:
        bodies = [b"%d" % (number % 10) for number in range(100)]
        new = await asyncio.gather(*(intake.save(RawEvent(body)) for body in bodies))
    assert sum(new) == 10
    assert {row.body for row in await rows(database, inbound_events)} == set(bodies)


async def test_ids_follow_the_order_in_which_webhooks_came(database: Database) -> None:
    bodies = [b"%d" % number for number in range(60)]
    async with Intake(database, InProcessWake()) as intake:
        await asyncio.gather(*(intake.save(RawEvent(body)) for body in bodies))
    assert [row.body for row in await rows(database, inbound_events)] == bodies


async def test_after_the_stop_nothing_is_taken(database: Database) -> None:
    async with Intake(database, InProcessWake()) as intake:
        pass
    with pytest.raises(Unavailable):
        await intake.save(RawEvent(b"{}"))


async def test_doors_that_are_given_the_same_webhooks_at_once_store_each_once(
    postgres_template: PostgresDatabases,
) -> None:
    with postgres_template.fresh(postgres_template.template("migrated", build)) as url:
        async with Database(url) as one, Database(url) as other:
            wake = InProcessWake()
            async with Intake(one, wake) as first, Intake(other, wake) as second:
                for round_ in range(5):
                    bodies = [b"%d.%d" % (round_, number) for number in range(100)]
                    new = await asyncio.gather(
                        *(first.save(RawEvent(body)) for body in bodies),
                        *(second.save(RawEvent(body)) for body in reversed(bodies)),
                    )
                    assert sum(new) == 100
            assert len(await rows(one, inbound_events)) == 500
