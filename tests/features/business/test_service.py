"""Reading and replacing the profile, on both databases."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.business import service
from app.business.errors import ProfileChanged
from app.business.events import BusinessProfileChanged
from app.business.example_profile import example_profile
from app.business.schemas import BusinessProfile, StoredProfile
from app.core.db import Database
from app.core.db.events import events
from app.core.ids import new_id
from tests.features.business.profiles import hours, profile


async def _get(database: Database) -> StoredProfile:
    async with database.read() as connection:
        return await service.get(connection)


async def _replace(database: Database, given: BusinessProfile, version: int) -> StoredProfile:
    async with database.write() as connection:
        return await service.replace(connection, given, expected_version=version, updated_by=None)


async def test_a_new_installation_has_the_example_profile(database: Database) -> None:
    stored = await _get(database)

    assert stored == StoredProfile(profile=example_profile("es"), version=0, updated_at=None, updated_by=None)


async def test_what_was_stored_is_read_again_with_who_and_when(database: Database) -> None:
    user = new_id()
    given = profile(name="Café Ñandú", hours=hours(monday=["20:00-02:00"], exceptions={"2026-12-25": []}))

    async with database.write() as connection:
        stored = await service.replace(connection, given, expected_version=0, updated_by=user)

    assert await _get(database) == stored
    assert stored.profile == given
    assert (stored.version, stored.updated_by) == (1, user)
    assert stored.updated_at is not None
    assert abs(stored.updated_at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_each_replacement_counts_one_version(database: Database) -> None:
    await _replace(database, profile(name="One"), 0)
    second = await _replace(database, profile(name="Two"), 1)

    assert second.version == 2
    assert (await _get(database)).profile.name == "Two"


@pytest.mark.parametrize("stale", [0, 2])
async def test_a_change_made_from_another_version_is_refused_and_changes_nothing(
    database: Database, stale: int
) -> None:
    await _replace(database, profile(name="One"), 0)

    with pytest.raises(ProfileChanged):
        await _replace(database, profile(name="Lost"), stale)

    assert (await _get(database)).profile.name == "One"


async def test_of_two_changes_at_once_one_wins_and_the_other_is_told(database: Database) -> None:
    outcomes = await asyncio.gather(
        *(_replace(database, profile(name=name), 0) for name in ("One", "Two")), return_exceptions=True
    )

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ProfileChanged", "StoredProfile"]
    (winner,) = [outcome for outcome in outcomes if isinstance(outcome, StoredProfile)]
    assert await _get(database) == winner


async def test_a_change_is_told_as_an_event_in_the_same_unit_of_work(database: Database) -> None:
    await _replace(database, profile(), 0)
    with pytest.raises(ProfileChanged):
        await _replace(database, profile(), 0)

    async with database.read() as connection:
        recorded = (await connection.execute(sa.select(events.c.name))).scalars().all()
    assert recorded == [BusinessProfileChanged.name]
