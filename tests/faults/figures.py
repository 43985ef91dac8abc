"""One report of a run: every fault test leaves its figures in `build/faults/`, and this makes a table of them.

`python -m tests.faults.figures` renders what is there into build/faults.md and build/faults.json.
"""

import os
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

BUILD = Path(__file__).resolve().parents[2] / "build"
PARTS = BUILD / "faults"


class Figures(msgspec.Struct):
    """What one test measured. Use as a context manager: it is written at the end, whatever the end."""

    test: str
    form: str
    seed: int | None = None
    passed: bool = False
    seconds: float = 0.0
    load_average: float = 0.0
    at: str = ""
    figures: dict[str, object] = {}

    def add(self, **figures: object) -> None:
        self.figures |= figures

    def __enter__(self) -> Self:
        self.at = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}"
        self.load_average = round(os.getloadavg()[0], 1)
        self.seconds = time.monotonic()
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self.passed = kind is None
        self.seconds = round(time.monotonic() - self.seconds, 1)
        PARTS.mkdir(parents=True, exist_ok=True)
        (PARTS / f"{self.test} {self.form}.json".replace(" ", "-")).write_bytes(msgspec.json.encode(self))


def render() -> str:
    """Make the report of what is there, and return it as Markdown."""
    found = [msgspec.json.decode(path.read_bytes(), type=Figures) for path in sorted(PARTS.glob("*.json"))]
    (BUILD / "faults.json").write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1))
    lines = ["| test | form | verdict | seed | s | load | figures |", "|---|---|---|---|---|---|---|"]
    for one in found:
        told = ", ".join(f"{name} {value}" for name, value in one.figures.items())
        verdict = "passed" if one.passed else "**failed**"
        lines.append(
            f"| {one.test} | {one.form} | {verdict} | {one.seed or ''} | {one.seconds} | {one.load_average} | {told} |"
        )
    report = "\n".join(lines) + "\n"
    (BUILD / "faults.md").write_text(report)
    return report


if __name__ == "__main__":
    if sys.argv[1:] == ["clear"]:
        shutil.rmtree(PARTS, ignore_errors=True)
    else:
        print(render())
