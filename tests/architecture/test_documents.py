"""What the documents name exists: paths, links, make targets, commands with their options, environment keys."""

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import settings
from app.cli import main

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])

CODE = re.compile(r"```[a-z]*\n(.*?)```|`([^`\n]+)`", re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
FILE = re.compile(r"^[\w.-]*[\w-](?:/[\w.<>-]+)*(?:/|\.(?:py|md|toml|yaml|yml|env|lock|json|txt|mako))$|^\.ci/run$")
KEY = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)

MADE_AT_RUN_TIME = frozenset({"data/", ".env", "build/bench.json", "build/faults.md", "build/faults.json"})
KEYS_OF_TESTS = frozenset({"TEST_DATABASE_URL", "TEST_REDIS_URL", "HYPOTHESIS_EXAMPLES", "FAULT_SEED"})
SHORT_PATHS = ("app/", "app/core/", "app/ai/llm/", "")  # what a document may leave out, having said where it is

pytestmark = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def pieces(document: Path) -> Iterator[str]:
    """Give what is written as code: blocks line by line, and inline."""
    for block, inline in CODE.findall(document.read_text()):
        yield from block.splitlines() if block else [inline]


def commands(document: Path) -> Iterator[list[str]]:
    for piece in pieces(document):
        if "<" not in piece and re.match(r"^(\.venv/bin/|make |mostrador )", piece.strip()):
            yield shlex.split(piece.strip(), comments=True)


def test_every_link_leads_somewhere(document: Path) -> None:
    links = [link for link in LINK.findall(document.read_text()) if "://" not in link]
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_path_is_there(document: Path) -> None:
    named = {piece for piece in pieces(document) if FILE.match(piece)} - MADE_AT_RUN_TIME
    places = [document.parent, *(ROOT / short for short in SHORT_PATHS)]
    assert [name for name in named if "<" not in name and not any((place / name).exists() for place in places)] == []


def test_every_make_target_is_there(document: Path) -> None:
    targets = set(TARGET.findall((ROOT / "Makefile").read_text()))
    named = {command[1] for command in commands(document) if command[0] == "make" and len(command) > 1}
    assert named - targets == set()


def test_every_command_and_its_options_are_there(document: Path) -> None:
    for command in commands(document):
        program = command[0].removeprefix(".venv/bin/")
        if program == "mostrador":
            _parse(command[1:])
        elif program == "python" and command[1:2] == ["-m"]:
            assert importlib.util.find_spec(command[2]) is not None, command
        elif command[0] != program:
            assert (ROOT / command[0]).exists(), command


def test_every_environment_key_is_known(document: Path) -> None:
    known = settings.known_keys() | KEYS_OF_TESTS
    named = {key for piece in pieces(document) for key in KEY.findall(piece)}
    assert named - known == set()


def _parse(arguments: list[str]) -> None:
    """Parse as the command line would, without running anything."""
    assert isinstance(main, click.Group)
    context = click.Context(main)
    command = main.get_command(context, arguments[0]) if arguments and not arguments[0].startswith("-") else main
    assert command is not None, f"there is no `mostrador {arguments[0]}`"
    if command is not main:
        command.make_context(arguments[0], arguments[1:], parent=context, resilient_parsing=True)
