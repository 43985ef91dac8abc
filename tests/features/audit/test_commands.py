"""`mostrador verify --audit` and `mostrador rotate-keys`."""

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from app.audit.keys import sealed_by
from app.audit.models import audit_entries, audit_marks, signing_keys
from app.audit.service import AuditEntry, record
from app.cli import main
from app.core.db import Database, metadata
from app.core.security.cipher import Cipher
from app.core.security.key_file import KeyFile
from settings import load


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # where no .env is
    settings = load({"DATA_DIR": str(tmp_path)})
    cipher = Cipher([key.reveal() for key in settings.security.fernet_keys])

    async def write() -> None:
        async with Database(settings.storage.database_url, options=sealed_by(cipher)) as database:
            async with database.write() as connection:
                await connection.run_sync(metadata.create_all, tables=[audit_entries, audit_marks, signing_keys])
            for action in ("a.done", "b.done"):
                async with database.write() as connection:
                    await record(connection, AuditEntry(action, "thing", "1"))

    asyncio.run(write())
    return tmp_path


def _alter(folder: Path) -> None:
    async def alter() -> None:
        async with Database(f"sqlite:///{folder}/mostrador.db") as database, database.write() as connection:
            second = audit_entries.c.sequence == 2
            await connection.execute(sa.update(audit_entries).where(second).values(action="c.done"))

    asyncio.run(alter())


def _run(folder: Path, *arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(main, arguments, env={"DATA_DIR": str(folder), **environ})


def test_a_whole_trail_is_exit_code_0_and_names_its_head(folder: Path) -> None:
    answer = _run(folder, "verify", "--audit")

    assert (answer.exit_code, "2 entries, head 2:" in answer.output) == (0, True)


def test_the_head_of_one_verification_is_the_anchor_of_the_next(folder: Path) -> None:
    head = _run(folder, "verify", "--audit").output.split()[-1]

    assert _run(folder, "verify", "--audit", "--anchor", head).exit_code == 0
    assert _run(folder, "verify", "--audit", "--anchor", "3:00").exit_code == 1


def test_a_broken_trail_is_exit_code_1_and_names_the_first_broken_row(folder: Path) -> None:
    _alter(folder)

    answer = _run(folder, "verify", "--audit")

    assert answer.exit_code == 1
    assert "entry 2 is not as it was written" in answer.output


def test_a_trail_is_verified_beside_a_running_server(folder: Path) -> None:
    async def serve() -> int:
        async with Database(f"sqlite:///{folder}/mostrador.db"):
            return (await asyncio.to_thread(_run, folder, "verify", "--audit")).exit_code

    assert asyncio.run(serve()) == 0


def test_where_there_is_no_database_nothing_is_called_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert _run(tmp_path, "verify", "--audit").exit_code == 2


def test_a_key_of_the_file_is_added_before_the_others(folder: Path) -> None:
    file = KeyFile(folder / "secrets" / "fernet_key")
    (before,) = file.read()

    answer = _run(folder, "rotate-keys")

    new, old = file.read()
    assert (answer.exit_code, old) == (0, before)
    assert new not in answer.output
    assert Cipher([new]).fingerprints[0] in answer.output
    assert _run(folder, "verify", "--audit").exit_code == 0


def test_keys_of_the_environment_are_not_changed_but_the_operator_is_told(folder: Path) -> None:
    (key,) = KeyFile(folder / "secrets" / "fernet_key").read()

    answer = _run(folder, "rotate-keys", FERNET_KEY=key)

    assert answer.exit_code == 0
    assert "FERNET_KEY=" in answer.output
    assert key not in answer.output
    assert len(KeyFile(folder / "secrets" / "fernet_key").read()) == 1
