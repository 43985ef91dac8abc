"""What an audit entry may say of a thing: its members, without those whose names speak of secrets."""

import hashlib
import re
from typing import Any, Final

import msgspec

_SECRET: Final = re.compile(
    r"passw|secret|token|cookie|credential|authorization|api_?key|private|signature|seed|totp|recovery|otp|hash",
    re.IGNORECASE,
)
_SHOWN: Final = re.compile(r"_(?:ends_with|id|at|count)$|^max_tokens$", re.IGNORECASE)
_STARS: Final = "***"
_MOST_BYTES: Final = 64 * 1024


def describe(thing: object | None) -> str | None:
    """Return redacted JSON of a struct, a mapping or plain values; None stays None.

    What would be longer than 64 KiB is replaced by its size and SHA-256.
    """
    if thing is None:
        return None
    raw = msgspec.json.encode(redact(msgspec.to_builtins(thing, str_keys=True)), order="deterministic")
    if len(raw) > _MOST_BYTES:
        raw = msgspec.json.encode({"left_out_bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()})
    return raw.decode()


def redact(value: Any) -> Any:
    """Return decoded JSON with stars instead of every value whose member's name speaks of a secret."""
    if isinstance(value, dict):
        return {
            name: _STARS if _is_secret(name) and member not in (None, "", [], {}) else redact(member)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [redact(item) for item in value]
    return value


def difference(before: object, after: object) -> tuple[object, object]:
    """Return only the members in which two structs or mappings differ, of both."""
    first, second = msgspec.to_builtins(before, str_keys=True), msgspec.to_builtins(after, str_keys=True)
    if not isinstance(first, dict) or not isinstance(second, dict):
        return first, second
    changed = [name for name in {**first, **second} if first.get(name) != second.get(name)]
    return (
        {name: first[name] for name in changed if name in first},
        {name: second[name] for name in changed if name in second},
    )


def _is_secret(name: str) -> bool:
    return _SECRET.search(name) is not None and _SHOWN.search(name) is None
