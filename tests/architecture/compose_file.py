"""compose.yaml as Docker Compose would read it: variables filled in, durations in seconds."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
OURS = ("app", "worker", "scheduler", "worker-web")

# Compose's own grammar: https://docs.docker.com/reference/compose-file/interpolation/
_VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>[A-Z_][A-Z0-9_]*)(?:(?P<kind>:-|:\?)(?P<rest>[^}]*))?\})")
_DURATION = re.compile(r"(?P<number>\d+)(?P<unit>s|m)")


class VariableMissing(Exception):
    """A variable that the file demands is not set; the message is the file's own."""


def services(variables: Mapping[str, str]) -> dict[str, Any]:
    """Return the services with `variables` filled in.

    Raises `VariableMissing` for one that is demanded (`${NAME:?message}`) and not set.
    """
    document = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    found: dict[str, Any] = _filled(document["services"], variables)
    return found


def demanded() -> dict[str, str]:
    """Return the variables without which Compose refuses to start, and what it says then."""
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    return {match["name"]: match["rest"] for match in _VARIABLE.finditer(text) if match["kind"] == ":?"}


def seconds(duration: str) -> int:
    match = _DURATION.fullmatch(duration)
    assert match, f"{duration} is not a duration this test can read"
    return int(match["number"]) * (60 if match["unit"] == "m" else 1)


def _filled(node: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _filled(value, variables) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, variables) for value in node]
    return _VARIABLE.sub(lambda match: _value(match, variables), node) if isinstance(node, str) else node


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    if match["dollar"]:
        return "$"
    value = variables.get(match["name"], "")
    if not value and match["kind"] == ":?":
        raise VariableMissing(f"{match['name']}: {match['rest']}")
    return value or (match["rest"] if match["kind"] == ":-" else "")
