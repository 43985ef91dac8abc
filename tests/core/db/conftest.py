from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.core.db import Database
from tests.builders.rows import BOTH, migrated


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with migrated(request, tmp_path) as database:
        yield database
