"""The Containerfile: locked, without tools or root in what ships, and built from files that exist."""

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
SMALLEST_UID = 10001


class Instruction(NamedTuple):
    word: str
    rest: str


def _stages() -> list[list[Instruction]]:
    """Return the instructions of each stage, continued lines joined; what stands before the first FROM is left out."""
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    stages: list[list[Instruction]] = []
    for line in joined.splitlines():
        instruction = Instruction(*line.split(maxsplit=1))
        if instruction.word == "FROM":
            stages.append([])
        if stages:
            stages[-1].append(instruction)
    return stages


BUILDER, FINAL, BROWSER = _stages()


def _all(stage: list[Instruction], word: str) -> list[str]:
    return [instruction.rest for instruction in stage if instruction.word == word]


def _environment() -> dict[str, str]:
    pairs = [pair.partition("=") for rest in _all(FINAL, "ENV") for pair in shlex.split(rest)]
    return {name: value for name, _, value in pairs}


def test_both_stages_stand_on_the_same_slim_python_that_the_project_asks_for() -> None:
    (base,) = re.findall(
        r"^ARG PYTHON_IMAGE=(\S+)$", (ROOT / "Containerfile").read_text(encoding="utf-8"), re.MULTILINE
    )
    version = re.search(r"/python:(\d+)\.(\d+)-slim", base)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert [stage[0].rest.split()[0] for stage in (BUILDER, FINAL)] == ["${PYTHON_IMAGE}", "${PYTHON_IMAGE}"]
    assert version is not None
    assert project["requires-python"] == f">={version[1]}.{version[2]}"


def test_everything_installed_is_pinned_by_hash() -> None:
    installs = [command for command in _all(BUILDER, "RUN") if "install" in command or "sync" in command]

    assert len(installs) == 4
    for command in installs:
        assert "uv sync --locked" in command or "pip install --no-cache-dir --require-hashes" in command
    requirements = (ROOT / ".ci" / "uv.txt").read_text(encoding="utf-8")
    assert re.search(r"^uv==\S+ \\\n\s+--hash=sha256:", requirements, re.MULTILINE)


def test_the_panel_is_built_from_its_lock_file_and_served_from_where_it_is_copied() -> None:
    (build,) = [command for command in _all(BUILDER, "RUN") if "cd frontend" in command]
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text(encoding="utf-8"))

    assert 'npm-cli.js" ci' in build
    assert all("integrity" in package for path, package in lock["packages"].items() if path)
    assert f"--from=builder /build/frontend/dist {_environment()['PANEL_DIR']}" in _all(FINAL, "COPY")


def test_development_tools_do_not_ship() -> None:
    assert all("--no-default-groups" in command for command in _all(BUILDER, "RUN") if "uv sync" in command)


def test_the_final_stage_installs_nothing_and_removes_the_installers() -> None:
    (run,) = _all(FINAL, "RUN")

    assert "pip uninstall --yes" in run
    for tool in ("apt-get", "apk", "pip install", "uv ", "gcc", "build-essential", "curl", "wget", "git "):
        assert tool not in run, tool


def test_the_final_stage_takes_only_what_the_builder_made() -> None:
    assert all(rest.startswith("--from=builder ") for rest in _all(FINAL, "COPY"))
    assert not _all(FINAL, "ADD")
    assert not _all(BUILDER, "ADD")


def test_it_does_not_run_as_root() -> None:
    assert _all(FINAL, "USER") == [f"{SMALLEST_UID}:{SMALLEST_UID}"]
    words = [instruction.word for instruction in FINAL]
    assert words.index("USER") > max(index for index, word in enumerate(words) if word in {"RUN", "COPY"})


def test_it_runs_on_a_read_only_file_system() -> None:
    assert _environment()["PYTHONDONTWRITEBYTECODE"] == "1"
    assert _environment()["DATA_DIR"] == "/data"
    assert _all(FINAL, "VOLUME") == ["/data"]
    assert all("--compile-bytecode" in command for command in _all(BUILDER, "RUN") if "uv sync" in command)
    # An editable install would read the sources, which stay behind in the builder.
    assert "--no-editable" in _all(BUILDER, "RUN")[-1]


def test_the_browser_stands_on_the_final_stage_and_runs_as_nobody_either() -> None:
    (run,) = _all(BROWSER, "RUN")

    assert BROWSER[0].rest == "mostrador AS whatsapp-web"
    assert FINAL[0].rest.endswith(" AS mostrador")
    assert "apt-get install --yes --no-install-recommends chromium" in run
    assert _all(BROWSER, "USER")[-1] == f"{SMALLEST_UID}:{SMALLEST_UID}"
    assert [json.loads(command) for command in _all(BROWSER, "CMD")] == [["mostrador", "whatsapp-web"]]
    (health,) = _all(BROWSER, "HEALTHCHECK")
    assert json.loads(health.partition(" CMD ")[2]) == ["mostrador", "health", "whatsapp-web"]


def test_no_secret_is_baked_in() -> None:
    assert _environment()["APP_ENV"] == "production"
    assert not [name for name in _environment() if re.search("SECRET|PASSWORD|TOKEN|KEY", name)]
    assert not _all(FINAL, "ARG")
    assert not _all(BUILDER, "ARG")


def test_it_starts_and_checks_itself_without_a_shell() -> None:
    (health,) = _all(FINAL, "HEALTHCHECK")

    assert json.loads(health.partition(" CMD ")[2]) == ["mostrador", "health", "web"]
    assert [json.loads(command) for command in _all(FINAL, "CMD")] == [["mostrador", "serve"]]
    assert _all(FINAL, "STOPSIGNAL") == ["SIGTERM"]
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert "mostrador" in scripts


def _copied() -> list[str]:
    return [source for rest in _all(BUILDER, "COPY") for source in rest.split()[:-1]]


@pytest.mark.parametrize("source", _copied())
def test_what_is_copied_exists_and_is_let_into_the_build(source: str) -> None:
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert (ROOT / source).exists()
    assert f"!{source}" in allowed


def test_every_package_of_the_project_is_copied() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["uv"]["build-backend"]

    assert set(packages["module-name"]) <= set(_copied())


def test_nothing_enters_the_build_that_is_not_named() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]

    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == {*_copied(), "settings/example.env"}
    assert "**/*.env" in rules
