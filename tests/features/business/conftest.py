"""A database of either kind with the tables that the business profile needs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from app.audit.keys import sealed_by
from app.audit.models import audit_entries, audit_marks, signing_keys
from app.business.models import business_profiles
from app.core.db import Database, metadata
from app.core.db.events import events
from app.core.security.cipher import Cipher

TABLES = [business_profiles, events, audit_entries, audit_marks, signing_keys]


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite:///{tmp_path}/m.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    async with Database(url, options=sealed_by(Cipher([Fernet.generate_key().decode()]))) as opened:
        async with opened.write() as connection:
            await connection.run_sync(metadata.create_all, tables=TABLES)
        yield opened
