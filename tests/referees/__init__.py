"""Judges that others wrote, vendored unmodified from Meta's OpenAPI file and its overlay (see README.md).

`referee.py` imports `patch_spec.py` by its bare name, so their folder goes on the path while they load.
"""

import importlib
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

FOLDER = Path(__file__).parent


class Referee(Protocol):
    def check_send(self, body: object) -> list[str]:
        """Return the problems of a body for POST /{version}/{phone number id}/messages; none if Meta would take it."""

    def examples(self) -> dict[tuple[str, str], list[str]]:
        """Return the verdicts on the published file's own examples, by side (`send`, `webhook`) and name."""


@cache
def vendored(name: str) -> ModuleType:
    sys.path.insert(0, str(FOLDER))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(FOLDER))


@cache
def meta_referee() -> Referee:
    """Return the referee; loading takes about a second, once for each process."""
    return cast("Referee", vendored("referee").Referee())
