"""What is installed: no version with a known hole, everything by hash, and nothing that runs by itself.

The floors are those of the advisories in reliability.md section 9; a machine without a network can check them too.
"""

import re
import sysconfig
import tomllib
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest

from app.asgi import create_app
from app.plugins import Parts
from settings import load

ROOT = Path(__file__).parents[2]

# The first version without the advisory named beside it. Packages that we do not use are listed so that nobody brings
# an old one in.
FLOORS = {
    "litestar": ("2.22.0", "CVE-2026-48060, CVE-2026-48061, CVE-2026-25478, CVE-2026-25479, CVE-2025-59152"),
    "granian": ("2.7.4", "CVE-2026-42544, CVE-2026-42545"),
    "pyjwt": ("2.13.0", "CVE-2026-32597, CVE-2026-48522, CVE-2026-48523, CVE-2026-48525, CVE-2026-48526"),
    "multipart": ("1.3.1", "CVE-2026-28356"),
    "redis": ("4.5.4", "CVE-2023-28858"),
    "starlette": ("1.0.1", "CVE-2026-48710"),
    "aiohttp": ("3.13.4", "request smuggling and static-file advisories before it"),
}
NEVER = {"litellm": "releases with a back door in March 2026", "litestar-saq": "see docs/decisions"}

# Files that Python runs at each of its starts. A back door of 2026 lived in one.
KNOWN_PTH = {
    "mostrador.pth": "this repository, by its path",
    "_mostrador.pth": "as above, as other versions of the build backend name it",
    "a1_coverage.pth": "coverage, for subprocesses, only when COVERAGE_PROCESS_START is set",
    "distutils-precedence.pth": "setuptools of the venv itself",
}


@cache
def locked() -> list[dict[str, Any]]:
    packages: list[dict[str, Any]] = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    return packages


def release(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


@pytest.mark.parametrize("name", FLOORS)
def test_no_package_is_below_the_version_that_mended_it(name: str) -> None:
    floor, advisories = FLOORS[name]
    installed = [found.version for found in distributions() if found.metadata["Name"].lower() == name]
    resolved = [package["version"] for package in locked() if package["name"] == name]
    assert [version for version in (*installed, *resolved) if release(version) < release(floor)] == [], advisories


def test_a_version_below_its_floor_would_be_seen() -> None:
    assert release("2.9.1") < release("2.22.0") <= release("2.22.0")


@pytest.mark.parametrize("name", NEVER)
def test_a_package_that_must_not_come_in_is_not_there(name: str) -> None:
    assert name not in {package["name"] for package in locked()}, NEVER[name]


def test_every_locked_file_has_its_hash_and_comes_from_the_package_index() -> None:
    for package in locked():
        if package["name"] == "mostrador":
            assert package["source"] == {"editable": "."}
            continue
        assert set(package["source"]) == {"registry"}, f"{package['name']} comes from somewhere else"
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        assert files, package["name"]
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", file["hash"]) for file in files), package["name"]
        assert all(file["url"].startswith("https://") for file in files), package["name"]


def test_the_packages_come_from_one_index() -> None:
    assert len({package["source"]["registry"] for package in locked() if "registry" in package["source"]}) == 1


def test_the_one_tool_before_the_lock_file_is_pinned_by_hash() -> None:
    lines = (ROOT / ".ci" / "uv.txt").read_text().replace("\\\n", " ").splitlines()
    pinned = [line for line in lines if line and not line.startswith("#")]
    assert len(pinned) == 1
    assert re.match(r"uv==\d+\.\d+\.\d+ ", pinned[0])
    assert re.search(r"--hash=sha256:[0-9a-f]{64}", pinned[0])
    makefile = (ROOT / "Makefile").read_text()
    assert "--require-hashes --only-binary :all: -r .ci/uv.txt" in makefile
    assert all("--locked" in line for line in makefile.splitlines() if "$(UV) sync" in line)


def test_nothing_unknown_runs_when_python_starts() -> None:
    found = {path.name for path in Path(sysconfig.get_path("purelib")).glob("*.pth")}
    assert found <= set(KNOWN_PTH), f"look into {sorted(found - set(KNOWN_PTH))} before adding it here"
    startup = {"sitecustomize.py", "usercustomize.py"}
    assert not startup & {path.name for path in Path(sysconfig.get_path("purelib")).iterdir()}


def test_the_application_never_shows_its_own_insides(tmp_path: Path) -> None:
    app = create_app(Parts(load({"DATA_DIR": str(tmp_path)}), "web"))
    assert app.debug is False
    assert app.pdb_on_exception is False


# Every place where a security rule of the linter is switched off in the product, and why that is right. Whoever adds
# one adds it here, and somebody else reads it.
EXEMPTIONS = {
    ("app/cli.py", "S606"): "becomes the worker process: our own module, and no shell",
    ("app/simulator/faults.py", "S311"): "random faults that can be repeated, no secrets",
    ("app/conversations/receive.py", "S101"): "tells the type checker what the caller has made sure of",
    ("app/core/db/statement.py", "S608"): "made of clauses that SQLAlchemy has compiled",
    ("app/system/checks.py", "S104"): "compares an address, binds to none",
    ("app/core/redis_channel.py", "S311"): "spreads reconnections",
    ("app/core/dispatch.py", "S311"): "spreads retries",
    ("app/core/queue/worker.py", "S311"): "spreads retries",
    ("app/whatsapp/transports/web.py", "S311"): "spreads pauses between messages",
    ("workers/whatsapp_web/session.py", "S311"): "spreads restarts",
    ("settings/strength.py", "S105"): "a command that makes passwords",
    ("settings/server.py", "S104"): "recognises the address of everywhere, binds to none",
}
# Where the finding is that a word looks like a password: what stands there is the name of something.
NAMES_ONLY = frozenset({"S105", "S106", "S107"})


def exemptions() -> set[tuple[str, str]]:
    return {
        (path.relative_to(ROOT).as_posix(), code)
        for folder in ("app", "workers", "settings", "migrations")
        for path in (ROOT / folder).rglob("*.py")
        for codes in re.findall(r"# noqa: ([A-Z0-9, ]+)", path.read_text())
        for code in re.findall(r"\bS\d{3}\b", codes)
    }


def test_every_security_rule_that_is_switched_off_somewhere_is_listed_with_its_reason() -> None:
    found = exemptions()
    unlisted = {(path, code) for path, code in found - set(EXEMPTIONS) if code not in NAMES_ONLY}
    assert not unlisted, f"say in EXEMPTIONS why this is right: {sorted(unlisted)}"
    assert not set(EXEMPTIONS) - found, "these are not needed any more: take them off the list"
    assert len([code for _, code in found if code in NAMES_ONLY]) <= 12, "too many names that look like passwords"


def test_the_security_rules_of_the_linter_are_on() -> None:
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert linter["select"] == ["ALL"]
    assert not [code for code in linter["ignore"] if re.fullmatch(r"S\d*", code)]
    allowed = {code for codes in linter["per-file-ignores"].values() for code in codes if re.fullmatch(r"S\d*", code)}
    assert allowed == {"S101", "S105", "S106", "S107"}
    assert all(pattern.startswith(("tests/", "migrations/")) for pattern in linter["per-file-ignores"])


def test_no_linter_exemption_covers_everything() -> None:
    files = [path for folder in ("app", "workers", "settings") for path in (ROOT / folder).rglob("*.py")]
    everything = re.compile(r"#\s*(?:ruff: noqa|noqa(?!:))")
    assert not [path for path in files if everything.search(path.read_text())]
