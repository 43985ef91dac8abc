from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from app.core.db import Database
from app.core.security.cipher import Cipher
from app.proof.service import Prover
from app.whatsapp.channels import Channels
from tests.builders.pipeline import Pipeline
from tests.builders.rows import BOTH, migrated


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with migrated(request, tmp_path) as database:
        yield database


@pytest.fixture
def rows(database: Database) -> Pipeline:
    return Pipeline(database)


@pytest.fixture
def prover(database: Database) -> Prover:
    return Prover(database, Channels(database, Cipher([Fernet.generate_key().decode()])))
