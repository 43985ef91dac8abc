from collections.abc import AsyncIterator

import pytest

from app.core.db import Database
from tests.core.http.door import database_with_tables


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def database(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgres_url"))
    else:
        url = f"sqlite:///{request.getfixturevalue('tmp_path')}/test.db"
    async with database_with_tables(url) as database:
        yield database
