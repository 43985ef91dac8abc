"""A database of either kind with every table, and the console over it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from app.audit.keys import sealed_by
from app.core.db import Database
from app.core.security.cipher import Cipher
from app.security.rules import rules
from app.security.service import Console
from app.tables import metadata
from settings.watch import WatchSettings

WATCH = WatchSettings(
    sign_in_failed=3,
    locked_out=1,
    refresh_reused=1,
    live_refused=4,
    bad_signature=5,
    window_minutes=5,
    cooldown_minutes=30,
    most_silence_minutes=60,
    retention_days=365,
    fernet_rotation_days=90,
)


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite:///{tmp_path}/m.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    cipher = Cipher([Fernet.generate_key().decode()])
    async with Database(url, options=sealed_by(cipher)) as opened:
        async with opened.write() as connection:
            await connection.run_sync(metadata.create_all)
        yield opened


@pytest.fixture
def console() -> Console:
    return Console(rules(WATCH), WATCH, "1.2.3")
