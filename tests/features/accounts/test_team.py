from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.accounts.controllers import TeamController
from app.core.db import Database
from tests.builders.api import BOTH, Desk, desk, either_database
from tests.builders.pipeline import Pipeline


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with either_database(request, tmp_path) as database:
        yield database


@pytest.fixture
def panel(database: Database) -> Desk:
    return desk([TeamController], {"database": database})


async def test_the_team_is_everybody_who_may_come_in_by_name(panel: Desk, database: Database) -> None:
    rows = Pipeline(database)
    marta, ana = await rows.user("marta", role="supervisor"), await rows.user("ana")
    await rows.user("gone", disabled_at=datetime.now(UTC))
    await rows.user("invited", awaits_password=True)

    assert await panel.get("/api/team", role="viewer") == [
        {"id": str(ana), "name": "ana", "role": "agent"},
        {"id": str(marta), "name": "marta", "role": "supervisor"},
    ]


async def test_strangers_learn_no_names(panel: Desk) -> None:
    assert (await panel.call("GET", "/api/team", role=None)).status_code == 401
