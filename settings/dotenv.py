"""The `.env` file: lines of KEY=value, read where the environment itself does not set the key."""

import re
from collections.abc import Mapping
from pathlib import Path

__all__ = ["parse", "read"]

# An unquoted value ends where white space and # begin a comment; a quoted one is taken as it stands, without escapes.
_LINE = re.compile(
    r"""(?:export\s+)?(?P<key>[A-Za-z_][A-Za-z0-9_]*)\s*="""
    r"""(?:\s*"(?P<double>[^"]*)"|\s*'(?P<single>[^']*)'|\s*(?P<plain>[^"'\#\s].*?))?(?:\s+\#.*)?\s*""",
    re.VERBOSE,
)


def read(path: Path) -> tuple[Mapping[str, str], list[str]]:
    """Return the keys of the file at `path` and one line for each thing in it that cannot be read.

    A file that does not exist has no keys.
    """
    try:
        return parse(path.read_text(encoding="utf-8-sig"), name=path.name)
    except FileNotFoundError:
        return {}, []
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        return {}, [f"{path}: cannot be read ({reason}); correct or remove the file"]


def parse(text: str, *, name: str) -> tuple[Mapping[str, str], list[str]]:
    """Return the keys of `text` and its problems; `name` is what the problems call the file. The last value wins."""
    values: dict[str, str] = {}
    problems: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if match is None:
            # The line stays unsaid: it may hold a secret.
            problems.append(f"{name} line {number}: is not KEY=value; correct it, or put # before it")
            continue
        values[match["key"]] = match["double"] or match["single"] or match["plain"] or ""
    return values, problems
