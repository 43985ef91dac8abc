"""Rules of the house that a linter does not know. An exemption stands in the list of its rule, with its reason."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOUSE = ("app", "workers", "settings")

MAY_PRINT = {
    "app/simulator/chat.py": "it talks to a person in a terminal",
    "workers/__main__.py": "says to a person in a terminal why it does not start",
}
MAY_COMMIT = {
    "app/core/db/": "the one place that commits",
}
MAY_COMPILE: dict[str, str] = {}
MAY_FORGET_TASKS: dict[str, str] = {}
PATTERN_FUNCTIONS = frozenset(
    {"compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}
)


@cache
def files() -> tuple[Path, ...]:
    return tuple(sorted(path for house in HOUSE for path in (ROOT / house).rglob("*.py")))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def calls() -> Iterator[tuple[str, ast.Call]]:
    for path in files():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call):
                yield str(path.relative_to(ROOT)), node


def exempt(place: str, exemptions: dict[str, str]) -> bool:
    return any(place.startswith(start) for start in exemptions)


def at(place: str, node: ast.expr) -> str:
    return f"{place}:{node.lineno}"


def test_nothing_prints() -> None:
    found = [
        at(place, call)
        for place, call in calls()
        if isinstance(call.func, ast.Name) and call.func.id == "print" and not exempt(place, MAY_PRINT)
    ]
    assert found == []


def test_every_task_has_an_owner() -> None:
    """A task that nobody keeps may be collected while it runs, and nobody sees its error. A TaskGroup is an owner."""
    found = []
    for path in files():
        place = str(path.relative_to(ROOT))
        groups = _task_groups(tree(path))
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                function = node.value.func
                if isinstance(function, ast.Attribute) and function.attr in {"create_task", "ensure_future"}:
                    owner = function.value
                    owned = isinstance(owner, ast.Name) and owner.id in groups
                    if not owned and not exempt(place, MAY_FORGET_TASKS):
                        found.append(at(place, node.value))
    assert found == []


def _task_groups(module: ast.Module) -> set[str]:
    """Return the names that are bound by `async with asyncio.TaskGroup() as name`."""
    return {
        item.optional_vars.id
        for node in ast.walk(module)
        if isinstance(node, ast.AsyncWith)
        for item in node.items
        if isinstance(item.optional_vars, ast.Name)
        and isinstance(item.context_expr, ast.Call)
        and ast.unparse(item.context_expr.func).endswith("TaskGroup")
    }


def test_patterns_are_written_down_and_never_made_of_what_somebody_sent() -> None:
    found = [
        at(place, call)
        for place, call in calls()
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "re"
        and call.func.attr in PATTERN_FUNCTIONS
        and not (call.args and _is_written_down(call.args[0]))
        and not exempt(place, MAY_COMPILE)
    ]
    assert found == []


def _is_written_down(node: ast.expr) -> bool:
    """A literal, or an f-string or sum of literals and constants of the module."""
    match node:
        case ast.Constant(value=str() | bytes()):
            return True
        case ast.Name(id=name):
            return name.isupper()
        case ast.JoinedStr(values=values):
            return all(_is_written_down(value) for value in values)
        case ast.FormattedValue(value=value):
            return _is_written_down(value)
        case ast.BinOp(left=left, right=right, op=ast.Add()):
            return _is_written_down(left) and _is_written_down(right)
    return False


def test_only_the_unit_of_work_commits() -> None:
    found = [
        at(place, call)
        for place, call in calls()
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in {"commit", "rollback"}
        and ast.unparse(call.func.value).rsplit(".", 1)[-1].lstrip("_") in {"connection", "session", "database"}
        and not exempt(place, MAY_COMMIT)
    ]
    assert found == []


@pytest.mark.parametrize("house", HOUSE)
def test_every_package_says_what_it_is_for(house: str) -> None:
    packages = [path.parent for path in files() if path.name == "__init__.py" and path.is_relative_to(ROOT / house)]
    assert packages
    assert [str(package) for package in packages if not ast.get_docstring(tree(package / "__init__.py"))] == []


@pytest.mark.parametrize("house", HOUSE)
def test_every_folder_with_code_is_a_package(house: str) -> None:
    folders = {path.parent for path in files() if path.is_relative_to(ROOT / house)}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_every_exemption_is_still_needed() -> None:
    places = [str(path.relative_to(ROOT)) for path in files()]
    for exemptions in (MAY_PRINT, MAY_COMMIT, MAY_COMPILE, MAY_FORGET_TASKS):
        for start, reason in exemptions.items():
            assert any(place.startswith(start) for place in places), f"{start} is gone: {reason}"
