"""`mostrador verify` and `mostrador doctor`, as the operator meets them."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from app.core.db import Database
from app.core.db.migrate import migrate
from tests.builders.pipeline import Pipeline
from tests.servers import free_port


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # where no .env is
    return tmp_path


async def _write(folder: Path, state: str) -> None:
    async with Database(f"sqlite:///{folder}/mostrador.db") as database:
        await migrate(database)
        rows = Pipeline(database)
        conversation = await rows.conversation()
        turn = await rows.turn(conversation, state="done")
        await rows.message(conversation, turn_id=turn)
        await rows.outbound(conversation, turn_id=turn, state=state, wamid="wamid.1")


def _run(folder: Path, *arguments: str, **environ: str) -> Result:
    given = {"DATA_DIR": str(folder), "PORT": str(free_port()), **environ}
    return CliRunner().invoke(main, arguments, env=given)


def test_a_proof_that_holds_is_exit_code_0(folder: Path) -> None:
    asyncio.run(_write(folder, "sent"))

    answer = _run(folder, "verify")

    assert answer.exit_code == 0, answer.output
    assert "1  answered" in answer.output
    assert "It holds" in answer.output


def test_a_message_without_a_fate_is_exit_code_1_and_is_named(folder: Path) -> None:
    asyncio.run(_write(folder, "failed"))

    answer = _run(folder, "verify")

    assert answer.exit_code == 1
    assert "1  unexplained (its turn is done, but nothing was sent)" in answer.output
    assert "NOT TRUE" in answer.output
    assert "It does not hold" in answer.output


def test_a_proof_is_made_beside_a_running_server(folder: Path) -> None:
    asyncio.run(_write(folder, "sent"))

    async def serve() -> int:
        async with Database(f"sqlite:///{folder}/mostrador.db"):
            return (await asyncio.to_thread(_run, folder, "verify")).exit_code

    assert asyncio.run(serve()) == 0


def test_the_doctor_says_what_does_not_run_and_what_to_do(folder: Path) -> None:
    asyncio.run(_write(folder, "sent"))

    answer = _run(folder, "doctor")

    assert answer.exit_code == 1
    assert "no web process was heard of" in answer.output
    assert "→ Start it: mostrador serve" in answer.output
    assert "offline answerer" in answer.output
