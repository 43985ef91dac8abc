"""A database of either kind with the tables of the audit trail."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from app.audit.keys import sealed_by
from app.audit.models import audit_entries, audit_marks, signing_keys
from app.core.db import Database, metadata
from app.core.security.cipher import Cipher

TABLES = [audit_entries, audit_marks, signing_keys]


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite:///{tmp_path}/m.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    cipher = Cipher([Fernet.generate_key().decode()])
    async with Database(url, options=sealed_by(cipher)) as opened:
        async with opened.write() as connection:
            await connection.run_sync(metadata.create_all, tables=TABLES)
        yield opened
