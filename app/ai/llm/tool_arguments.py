"""Arguments of tool calls: a JSON object, as text for us and as an object for some providers."""

import msgspec

from app.ai.llm.errors import CallFailed, Failure

__all__ = ["as_object", "checked_arguments"]


def checked_arguments(text: str) -> str:
    """Return `text` if it is a JSON object (nothing counts as an empty one); models do not always write JSON."""
    if not text.strip():
        return "{}"
    try:
        msgspec.json.decode(text, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError) as error:
        raise CallFailed(Failure(kind="malformed", message=f"tool arguments are no JSON object: {error}")) from error
    return text


def as_object(arguments: str) -> msgspec.Raw:
    return msgspec.Raw(arguments.encode())
