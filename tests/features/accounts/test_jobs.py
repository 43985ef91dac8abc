import sqlalchemy as sa

from app.accounts.jobs import prune
from app.accounts.models import api_keys, one_time_links, refresh_tokens, sessions, sign_in_failures
from app.accounts.schemas import NewApiKey
from app.accounts.sessions import LONGEST_SECONDS
from app.accounts.trail import NOBODY
from tests.features.accounts.conftest import Desk

DAY = 24 * 3600


async def rows(desk: Desk) -> list[int]:
    async with desk.database.read() as connection:
        tables = (sessions, refresh_tokens, one_time_links, api_keys, sign_in_failures)
        return [await connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in tables]


async def test_what_ended_long_ago_is_deleted_and_nothing_else(desk: Desk) -> None:
    await desk.add("root", "admin")
    actor = (await desk.authentication.authenticate((await desk.sign_in("root")).access.token)).actor
    await desk.people.invite(username="bea", role="viewer", actor=actor, caller=NOBODY)
    key = NewApiKey(name="x", scopes=["contacts:read"], expires_in_days=1)
    await desk.api_keys.create(key, actor=actor, caller=NOBODY)
    async with desk.database.write() as connection:
        await connection.execute(
            sa.insert(sign_in_failures).values(
                name_hash=b"x" * 32, failures=1, last_failed_at=await desk.database.now(connection)
            )
        )
    await prune(desk.database)
    assert await rows(desk) == [1, 1, 1, 1, 1]
    await desk.time_passes(DAY + 60)
    await prune(desk.database)
    assert await rows(desk) == [1, 1, 1, 1, 0]
    await desk.time_passes(LONGEST_SECONDS + 28 * DAY)
    await prune(desk.database)
    assert await rows(desk) == [1, 1, 0, 0, 0]
    await desk.time_passes(DAY)
    await prune(desk.database)
    assert await rows(desk) == [0, 0, 0, 0, 0]
