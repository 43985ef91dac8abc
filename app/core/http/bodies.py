"""Limits of what a request may carry."""

import re
from typing import Any, Final

from litestar import Request
from litestar.enums import RequestEncodingType
from litestar.exceptions import ClientException
from litestar.params import BodyKwarg

DEFAULT_BODY_BYTES: Final = 1024 * 1024
WEBHOOK_BODY_BYTES: Final = 4 * 1024 * 1024
UPLOAD_BODY_BYTES: Final = 25 * 1024 * 1024

# `\u0000` with an even number of backslashes before it; with an odd number the text only talks about the escape.
_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


async def refuse_nul(request: Request[Any, Any, Any]) -> None:
    """Refuse NUL characters in the path, the query and a JSON body: PostgreSQL cannot store them as text.

    A `before_request` hook of the application. Handlers that read raw bytes themselves (the webhook) are not touched.

    Raises `ClientException` (400).
    """
    if "\x00" in request.scope["path"] or b"%00" in request.scope["query_string"]:
        raise ClientException("NUL characters are not allowed in an address")
    if _takes_json(request) and _ESCAPED_NUL.search(await request.body()):
        raise ClientException("NUL characters are not allowed in text")


def _takes_json(request: Request[Any, Any, Any]) -> bool:
    field = request.route_handler.parsed_data_field
    if field is None:
        return False
    kwarg = field.kwarg_definition
    return not isinstance(kwarg, BodyKwarg) or kwarg.media_type == RequestEncodingType.JSON
