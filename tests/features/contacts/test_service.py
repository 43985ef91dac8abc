import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from app.contacts.models import contact_identifiers, contacts
from app.contacts.service import Identity, move, resolve, stop_marketing
from app.core.db import Database, exclusive
from tests.builders.rows import BOTH, build, migrated, rows
from tests.databases import PostgresDatabases

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PHONE = Identity(phone="573001112233")
USER = Identity(user_id="CO.1")
BOTH_NAMES = Identity(phone="573001112233", user_id="CO.1")


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with migrated(request, tmp_path) as database:
        yield database


async def find(database: Database, *people: tuple[Identity, str | None]) -> dict[Identity, UUID]:
    async with database.write() as connection:
        await exclusive(connection, "people")
        return await resolve(connection, people)


async def identifiers(database: Database) -> dict[str, UUID]:
    return {row.value: row.contact_id for row in await rows(database, contact_identifiers)}


async def change(database: Database, old: Identity, new: Identity) -> UUID | None:
    async with database.write() as connection:
        return await move(connection, old, new)


def test_the_strongest_name_comes_first() -> None:
    everything = Identity("573001112233", "CO.1", "CO.ENT.1")
    assert everything.names() == [("bsuid", "CO.1"), ("parent", "CO.ENT.1"), ("phone", "573001112233")]
    assert Identity().names() == []


async def test_nobody_is_nobody(database: Database) -> None:
    assert await find(database) == {}


async def test_a_person_is_made_once_and_found_again_by_every_name(database: Database) -> None:
    first = await find(database, (BOTH_NAMES, "Ana"))
    again = await find(database, (PHONE, "Ana"), (USER, None))
    assert set(first.values()) == set(again.values())
    assert len(await rows(database, contacts)) == 1


async def test_who_is_found_by_a_weaker_name_gets_the_stronger_one_too(database: Database) -> None:
    first = (await find(database, (PHONE, "Ana")))[PHONE]
    await find(database, (BOTH_NAMES, "Ana"))
    assert (await find(database, (USER, None)))[USER] == first
    assert await identifiers(database) == {"573001112233": first, "CO.1": first}


async def test_people_of_one_batch_who_share_a_name_are_one(database: Database) -> None:
    found = await find(database, (PHONE, None), (BOTH_NAMES, "Ana"), (USER, None))
    assert len(set(found.values())) == len(await rows(database, contacts)) == 1


async def test_the_strongest_name_decides_when_names_disagree(database: Database) -> None:
    by_phone = (await find(database, (PHONE, "old owner")))[PHONE]
    by_user = (await find(database, (USER, "Ana")))[USER]
    assert by_phone != by_user
    assert (await find(database, (BOTH_NAMES, "Ana")))[BOTH_NAMES] == by_user


async def test_a_thousand_people_at_once(database: Database) -> None:
    people = [(Identity(phone=f"57300{number:07}", user_id=f"CO.{number}"), "x") for number in range(1000)]
    assert len(set((await find(database, *people)).values())) == 1000
    assert await find(database, *people) == await find(database, *people)


async def test_a_changed_number_is_the_same_person(database: Database) -> None:
    contact_id = (await find(database, (PHONE, "Ana")))[PHONE]
    new = Identity(phone="573009998877")
    assert await change(database, PHONE, new) == contact_id
    assert (await find(database, (new, "Ana")))[new] == contact_id
    assert (await rows(database, contacts))[0].phone == "573009998877"


async def test_a_number_that_somebody_else_had_is_the_one_who_moved_to_it(database: Database) -> None:
    contact_id = (await find(database, (PHONE, "Ana")))[PHONE]
    taken = Identity(phone="573009998877")
    await find(database, (taken, "Luis"))
    assert await change(database, PHONE, taken) == contact_id
    assert (await identifiers(database))["573009998877"] == contact_id


async def test_the_same_change_twice_and_a_change_of_nobody_known_are_harmless(database: Database) -> None:
    contact_id = (await find(database, (PHONE, "Ana")))[PHONE]
    assert await change(database, PHONE, USER) == await change(database, PHONE, USER) == contact_id
    assert await change(database, Identity(phone="1234567"), USER) is None
    assert await change(database, Identity(), USER) is None


async def test_who_stops_marketing_is_marked_until_they_resume(database: Database) -> None:
    await find(database, (PHONE, "Ana"), (Identity(phone="573009998877"), "Luis"))
    for stopped_at in (NOW, None):
        async with database.write() as connection:
            await stop_marketing(connection, PHONE, stopped_at=stopped_at)
            await stop_marketing(connection, Identity(phone="99999999"), stopped_at=NOW)
        ana, luis = await rows(database, contacts)
        assert (ana.marketing_stopped_at, luis.marketing_stopped_at) == (stopped_at, None)


async def test_two_processes_that_meet_the_same_people_make_each_once(postgres_template: PostgresDatabases) -> None:
    with postgres_template.fresh(postgres_template.template("migrated", build)) as url:
        async with Database(url) as one, Database(url) as other:
            people = [(Identity(phone=f"57300{number:07}", user_id=f"CO.{number}"), "x") for number in range(30)]
            found = await asyncio.gather(
                *(find(database, *order) for database in (one, other) for order in (people, people[::-1]))
            )
            assert all(each == found[0] for each in found)
            assert len(await rows(one, contacts)) == 30
