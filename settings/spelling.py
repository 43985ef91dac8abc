"""Notices keys of the environment that are most likely a misspelling of one of ours."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Final

__all__ = ["misspelled"]

# Under these names nothing but Mostrador is configured, so that any stranger among them deserves a word.
_OUR_PREFIXES: Final = ("WHATSAPP_", "TURN_", "AI_FALLBACK", "FERNET_", "RATE_LIMIT_", "LM_STUDIO_")
_LIKELY: Final = 0.9
_ANY: Final = 0.0


def misspelled(given: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    """Return a line for each key in `given` that is not in `known` but looks like it was meant to be."""
    lines: list[str] = []
    for key in sorted(set(given) - set(known)):
        cutoff = _ANY if key.startswith(_OUR_PREFIXES) else _LIKELY
        nearest = get_close_matches(key.upper(), known, n=1, cutoff=cutoff)
        if nearest:
            lines.append(f"{key} is not a setting of Mostrador and is not read; the nearest is {nearest[0]}")
    return tuple(lines)
