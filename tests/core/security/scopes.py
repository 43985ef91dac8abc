"""Requests as ASGI describes them, with the headers that matter."""

from typing import Any, cast

from litestar.types import Scope


def http_scope(method: str = "GET", **headers: str) -> Scope:
    """Return the scope of a request; `x_requested_with` is the header X-Requested-With."""
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    return cast("Scope", scope)
