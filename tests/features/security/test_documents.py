"""The promises name tests that exist, and the runbook names commands and routes that exist."""

import re
from pathlib import Path

import click
import pytest
from litestar.routes import HTTPRoute

from app.asgi import create_app
from app.cli import main
from app.plugins import Parts
from settings import known_keys, load

ROOT = Path(__file__).parents[3]
PROMISES = (ROOT / "docs/SECURITY.md").read_text()
RUNBOOK = (ROOT / "docs/runbook.md").read_text()

_CODE = re.compile(r"`([^`]+)`")
_COMMAND = re.compile(r"^mostrador (?P<name>[a-z-]+)(?P<rest>.*)$", re.DOTALL)
_ROUTE = re.compile(r"^(GET|POST|PUT|PATCH|DELETE) (/[^ ?]+)")
_KEY = re.compile(r"^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$")


def _promises() -> list[str]:
    table = PROMISES.split("## Promises")[1].split("## Keys")[0]
    return [line for line in table.splitlines() if line.startswith("|") and not line.startswith(("|---", "| promise"))]


@pytest.mark.parametrize("promise", _promises())
def test_every_promise_names_tests_that_exist(promise: str) -> None:
    named = re.findall(r"`(tests/[^`]+)`", promise.rsplit("|", 2)[1])

    assert named
    assert all(re.search(r"^(async )?def test_", (ROOT / path).read_text(), re.MULTILINE) for path in named)


@pytest.mark.parametrize("document", [PROMISES, RUNBOOK], ids=["SECURITY.md", "runbook.md"])
def test_every_command_with_its_options_exists(document: str) -> None:
    found = [named for code in _CODE.findall(document) if (named := _COMMAND.match(code))]

    assert found
    for command in found:
        known = main.commands[command["name"]]
        options = {text for one in known.params if isinstance(one, click.Option) for text in one.opts}
        assert set(re.findall(r"--[a-z-]+", command["rest"])) <= options


@pytest.mark.parametrize("document", [PROMISES, RUNBOOK], ids=["SECURITY.md", "runbook.md"])
def test_every_setting_exists(document: str) -> None:
    named = {code for code in _CODE.findall(document) if _KEY.match(code)}

    assert named
    assert named <= known_keys()


def test_every_route_of_the_runbook_exists(tmp_path: Path) -> None:
    parts = Parts(load({"DATA_DIR": str(tmp_path)}), "web")
    served = {
        f"{method} {_shape(route.path_format)}"
        for route in create_app(parts).routes
        if isinstance(route, HTTPRoute)
        for method in route.methods
    }

    named = {f"{route[1]} {_shape(route[2])}" for code in _CODE.findall(RUNBOOK) if (route := _ROUTE.match(code))}

    assert named
    assert named - served == set()


def _shape(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)
