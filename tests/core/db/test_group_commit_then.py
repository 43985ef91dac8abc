import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.db import Database, GroupCommit


async def doubled(connection: AsyncConnection, numbers: Sequence[int]) -> Sequence[int]:
    del connection
    if 13 in numbers:
        raise ValueError("13 cannot be stored")
    return [2 * number for number in numbers]


async def test_who_follows_is_told_once_a_commit_with_all_its_results(database: Database) -> None:
    told: list[Sequence[int]] = []
    async with GroupCommit(database, doubled, then=told.append) as group:
        await asyncio.gather(*(group.save(number) for number in range(5)))
    assert told == [[0, 2, 4, 6, 8]]


async def test_who_follows_hears_only_of_what_was_committed(database: Database) -> None:
    told: list[Sequence[int]] = []
    async with GroupCommit(database, doubled, then=told.append) as group:
        with pytest.raises(ValueError, match="13"):
            await group.save(13)
        await asyncio.gather(*(group.save(number) for number in (12, 13, 14)), return_exceptions=True)
    assert told == [[24], [28]]
