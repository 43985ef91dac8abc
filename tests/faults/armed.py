"""The product with its fail points, its clock or one of its duties tampered with: `python -m tests.faults.armed serve`.

- `ARMED_FILE` names a file of `<point> <exit|raise|cancel>` lines, read at the start and at every SIGUSR1. A point acts
  once; what acted is appended to `<file>.acted`.
- `SKEW_SECONDS` sets the clock of this process ahead or back.
- `SABOTAGE` breaks one promise, so that a test of the tests can see them turn red (`tests/faults/sabotage.py`).

Nothing of this is in the product: it is done to it from here, before it starts.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal, cast

Action = Literal["exit", "raise", "cancel"]

EXIT_STATUS = 137
_WHILE_SENDING_SECONDS = 0.05


def main() -> None:
    if seconds := float(os.environ.get("SKEW_SECONDS", "0")):
        from tests.faults import skew

        skew.skew(seconds)
    if path := os.environ.get("ARMED_FILE"):
        _arm_from(Path(path))
    if name := os.environ.get("SABOTAGE"):
        from tests.faults.sabotage import SABOTAGES

        SABOTAGES[name]()
    _run(sys.argv[1])


def _run(process: str) -> None:
    if process in ("jobs", "scheduler"):
        from workers.__main__ import main as work

        sys.exit(work([process]))
    from app.cli import main as command

    command()


def _arm_from(path: Path) -> None:
    def read(*_: object) -> None:
        from app.core import failpoints

        failpoints.armed.clear()
        for line in path.read_text().splitlines() if path.exists() else []:
            point, action = line.split()
            assert point in failpoints.POINTS, point
            failpoints.armed[point] = _action(path, point, cast("Action", action))

    read()
    signal.signal(signal.SIGUSR1, read)


def _action(path: Path, point: str, action: Action) -> Callable[[], None]:
    def act() -> None:
        from app.core import failpoints

        del failpoints.armed[point]
        with Path(f"{path}.acted").open("a") as file:
            file.write(f"{point} {action}\n")
        match action:
            case "raise":
                raise RuntimeError(f"armed at {point}")
            case "cancel":
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            case "exit" if point == "deliver.sending":
                asyncio.get_running_loop().call_later(_WHILE_SENDING_SECONDS, os._exit, EXIT_STATUS)
            case "exit":
                os._exit(EXIT_STATUS)

    return act


if __name__ == "__main__":
    main()
