"""compose.yaml: confined, complete, and every command of it started for real, without Docker."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import settings
from tests.architecture.compose_file import OURS, ROOT, VariableMissing, demanded, seconds, services
from tests.servers import free_port
from tests.settings.production import production

EXIT_SECONDS = 25  # P24 of the promises: less than the grace period, so that nothing is ever killed
STARTED = ("app", "worker", "scheduler", "worker-web")


def _variables(tmp_path: Path) -> dict[str, str]:
    return {**production(tmp_path), "POSTGRES_PASSWORD": "5f0a9c", "REDIS_PASSWORD": "7b31de"}


@pytest.fixture
def declared(tmp_path: Path) -> dict[str, Any]:
    return services(_variables(tmp_path))


def test_the_services_are_the_processes_of_the_design_and_their_two_servers(declared: dict[str, Any]) -> None:
    assert set(declared) == {*OURS, "postgres", "redis"}
    assert declared["worker-web"]["profiles"] == ["whatsapp-web"]


def test_every_service_is_confined(declared: dict[str, Any]) -> None:
    for name, service in declared.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "cap_add" not in service, name
        assert "privileged" not in service, name
        assert int(service["user"].split(":")[0]) > 0, name
        assert service["mem_limit"], name
        assert 0 < service["pids_limit"] <= 512, name
        assert any(mount.startswith("/tmp:") for mount in service["tmpfs"]), name  # noqa: S108  # a mount's name
        assert ":latest" not in service["image"], name
        assert ":" in service["image"].rpartition("/")[2], name


def test_every_service_tells_its_health_and_has_time_to_stop(declared: dict[str, Any]) -> None:
    for name, service in declared.items():
        assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}, name
        assert "curl" not in str(service["healthcheck"]["test"]), name
        assert seconds(service["stop_grace_period"]) > EXIT_SECONDS, name


def test_only_the_web_server_is_reached_from_outside_and_only_from_this_machine(declared: dict[str, Any]) -> None:
    assert {name for name, service in declared.items() if "ports" in service} == {"app"}
    assert declared["app"]["ports"] == ["127.0.0.1:8003:8003"]


def test_the_databases_and_the_scheduler_have_no_way_out(declared: dict[str, Any]) -> None:
    document = (ROOT / "compose.yaml").read_text(encoding="utf-8")

    assert {name for name, service in declared.items() if service["networks"] == ["storage"]} == {
        "postgres", "redis", "scheduler"
    }  # fmt: skip
    assert "storage:\n    internal: true" in document


def test_each_secret_is_demanded_with_the_command_that_makes_it(tmp_path: Path) -> None:
    assert set(demanded()) == {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "JWT_SECRET", "FERNET_KEY", "ADMIN_PASSWORD"}
    for name in demanded():
        with pytest.raises(VariableMissing, match=f"{name}: set it in .env to"):
            services({**_variables(tmp_path), name: ""})


@pytest.mark.parametrize("name", OURS)
def test_the_environment_of_a_service_is_complete_and_holds_nothing_unknown(
    declared: dict[str, Any], tmp_path: Path, name: str
) -> None:
    environment = declared[name]["environment"]

    loaded = settings.load({**environment, "DATA_DIR": str(tmp_path)})

    assert set(environment) <= settings.known_keys()
    assert loaded.server.is_production
    assert not loaded.storage.is_sqlite
    assert loaded.storage.redis_url == "redis://:7b31de@redis:6379/0"
    assert loaded.warnings == ()


def test_the_servers_have_the_passwords_that_our_services_use(declared: dict[str, Any]) -> None:
    database = urlsplit(declared["app"]["environment"]["DATABASE_URL"])
    server = declared["postgres"]["environment"]

    assert database.username == server["POSTGRES_USER"]
    assert database.password == server["POSTGRES_PASSWORD"]
    assert database.path == f"/{server['POSTGRES_DB']}"
    assert (
        urlsplit(declared["app"]["environment"]["REDIS_URL"]).password
        == declared["redis"]["environment"]["REDISCLI_AUTH"]
    )
    assert '"$REDISCLI_AUTH"' in declared["redis"]["command"][-1]


@pytest.mark.kill
@pytest.mark.timeout(300)
def test_every_command_starts_becomes_healthy_and_stops_in_time(
    declared: dict[str, Any], postgres_url: str, redis_url: str, tmp_path: Path
) -> None:
    """All start together on an empty database, as `docker compose up` starts them."""
    here = {
        "DATABASE_URL": postgres_url,
        "REDIS_URL": redis_url,
        "DATA_DIR": str(tmp_path / "data"),
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
    }
    with _running({name: declared[name] for name in STARTED}, here, tmp_path) as processes:
        for name, process in processes.items():
            _wait_until_healthy(name, process, declared[name]["healthcheck"], {**declared[name]["environment"], **here})
        asked = time.monotonic()
        for process in processes.values():
            process.send_signal(signal.SIGTERM)
        for name, process in processes.items():
            status = process.wait(timeout=seconds(declared[name]["stop_grace_period"]))
            took = time.monotonic() - asked
            assert status == 0, f"{name} ended with {status}:\n{_said(tmp_path, name)}"
            assert took < EXIT_SECONDS, f"{name} took {took:.1f} s to stop"


@contextmanager
def _running(
    wanted: Mapping[str, Any], here: Mapping[str, str], directory: Path
) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, service in wanted.items():
            with (directory / f"{name}.log").open("wb") as output:
                processes[name] = subprocess.Popen(  # noqa: S603  # a command of our own compose file
                    _command(service["command"]),
                    cwd=directory,
                    env=_environment({**service["environment"], **here}),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        yield processes
    finally:
        for process in processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _wait_until_healthy(
    name: str, process: subprocess.Popen[bytes], check: Mapping[str, Any], environment: Mapping[str, str]
) -> None:
    """Run the service's own health check until it succeeds, as Docker does, for as long as Docker would."""
    patience = seconds(check["start_period"]) + check["retries"] * seconds(check["interval"])
    deadline = time.monotonic() + patience
    directory = Path(environment["DATA_DIR"]).parent
    while time.monotonic() < deadline:
        assert process.poll() is None, f"{name} ended by itself ({process.returncode}):\n{_said(directory, name)}"
        result = subprocess.run(  # noqa: S603  # as above
            _command(check["test"][1:]),
            cwd=directory,
            env=_environment(environment),
            capture_output=True,
            timeout=seconds(check["timeout"]),
            check=False,
        )
        if result.returncode == 0:
            return
    said = (result.stdout + result.stderr).decode(errors="replace")
    pytest.fail(f"{name} did not become healthy in {patience} s: {said}\n{_said(directory, name)}")


def _command(words: list[str]) -> list[str]:
    """Return the command with the program that this environment installed."""
    program = Path(sys.executable).with_name(words[0])
    assert program.exists(), f"{words[0]} is not installed beside {sys.executable}"
    return [str(program), *words[1:]]


def _environment(declared: Mapping[str, str]) -> dict[str, str]:
    """Return what the service declares and nothing of this machine but the way to its programs."""
    return {"PATH": os.environ["PATH"], **declared}


def _said(directory: Path, name: str) -> str:
    return (directory / f"{name}.log").read_text(encoding="utf-8", errors="replace")[-4000:]
