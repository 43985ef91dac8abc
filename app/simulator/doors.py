"""What both doors of the simulator (Graph and control) take and answer, free of any framework."""

from collections.abc import Mapping
from enum import Enum
from urllib.parse import parse_qsl

import msgspec

__all__ = ["Answer", "Asked", "Fate", "json_answer", "parse_query"]


class Asked(msgspec.Struct, frozen=True):
    """A request. `parts` is the path without the prefix, split at slashes; header names are lower case.

    base_url: scheme, host and prefix under which these parts are reached.
    """

    method: str
    parts: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    base_url: str


class Fate(Enum):
    """What happens to the answer on its way."""

    ARRIVES = "arrives"
    NEVER_COMES = "never comes"
    CONNECTION_DROPS = "connection drops"


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: bytes
    content_type: str = "application/json"
    fate: Fate = Fate.ARRIVES
    headers: tuple[tuple[str, str], ...] = ()


_encode = msgspec.json.Encoder().encode


def json_answer(content: object, status: int = 200) -> Answer:
    return Answer(status, _encode(content))


def parse_query(raw: bytes) -> dict[str, str]:
    """Return the last value of each name."""
    return dict(parse_qsl(raw.decode("latin-1"), keep_blank_values=True)) if raw else {}
