"""Every error as problem+json (RFC 9457) with a stable code. A client's mistake is never answered with a 5xx."""

import math
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, SerializationException, ValidationException
from litestar.types import ExceptionHandlersMap, Scope, Send
from litestar.types.empty import Empty
from litestar.utils.scope.state import ScopeState

from app.core.errors import InvalidInput, MostradorError, TooManyRequests, Unavailable
from app.core.http.fields import FieldError, fault_of, find_faults
from app.core.log import current_correlation_id

__all__ = ["EXCEPTION_HANDLERS", "PROBLEM_MEDIA_TYPE", "FieldError", "Problem", "problem_response", "send_problem"]

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"

_SERVER_ERROR = 500
_UNAVAILABLE_RETRY_SECONDS = 2
_DECODER_FRAMES = 200  # msgspec recurses in C, where there are no Python frames
_UNEXPECTED_DETAIL = "Something went wrong on our side. It has been recorded under this correlation id."

# Stable codes of the errors that the framework raises by itself.
_CODES: Final[Mapping[int, str]] = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid_input",
    429: "too_many_requests",
    503: "unavailable",
}

# Litestar has no exceptions of their own for these two.
_MISSING_PARAMETER = re.compile(r"Missing required \w+ parameter '(?P<name>[^']*)'")
_CLIENT_LEFT: Final = "client disconnected prematurely"

log = structlog.get_logger()


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong. `code` is stable and meant for programs, `detail` for people.

    `errors` names each member of the request at fault. `correlation_id` finds the matching lines in the server's log.
    `try_again` is true when the same request may succeed later; `Retry-After` then says when.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    correlation_id: UUID | None = None
    try_again: bool = False
    errors: list[FieldError] = []


def problem_response(
    *,
    status: int,
    code: str,
    detail: str,
    errors: list[FieldError] | None = None,
    try_again: bool = False,
    headers: Mapping[str, str] | None = None,
) -> Response[Problem]:
    """Build the answer for one problem."""
    problem = _problem(status, code, detail, errors=errors or [], try_again=try_again)
    return Response(problem, status_code=status, media_type=PROBLEM_MEDIA_TYPE, headers=dict(headers or {}))


async def send_problem(
    scope: Scope,
    send: Send,
    *,
    status: int,
    code: str,
    detail: str,
    try_again: bool = False,
    headers: Sequence[tuple[bytes, bytes]] = (),
) -> None:
    """Answer one problem from outside the router, where no response class reaches."""
    body = msgspec.json.encode(_problem(status, code, detail, errors=[], try_again=try_again))
    own = [(b"content-type", PROBLEM_MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": own})
    without_body = scope.get("method") == "HEAD"
    await send({"type": "http.response.body", "body": b"" if without_body else body, "more_body": False})


def _problem(status: int, code: str, detail: str, *, errors: list[FieldError], try_again: bool) -> Problem:
    return Problem(
        type=f"urn:mostrador:problem:{code}",
        title=HTTPStatus(status).phrase if status in _known_statuses else "Error",
        status=status,
        code=code,
        detail=detail,
        correlation_id=current_correlation_id(),
        try_again=try_again,
        errors=errors,
    )


_known_statuses: Final = frozenset(HTTPStatus)


def problem_body(error: MostradorError) -> bytes:
    """Return the JSON of a problem, for answers that are given without the framework."""
    problem = problem_response(
        status=error.status, code=error.code, detail=str(error), try_again=error.try_again
    ).content
    return msgspec.json.encode(problem)


def _on_known(request: Request[Any, Any, Any], error: MostradorError) -> Response[Problem]:
    if error.status >= _SERVER_ERROR and not isinstance(error, Unavailable):
        return _on_unexpected(request, error)
    headers: dict[str, str] = {}
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_seconds)))
    elif isinstance(error, Unavailable):
        headers["Retry-After"] = str(_UNAVAILABLE_RETRY_SECONDS)
        log.warning("http.unavailable", code=error.code, route=_route(request), exc_info=error.__cause__)
    elif error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    faults = []
    if isinstance(error, InvalidInput) and error.field is not None:
        faults.append(FieldError(field=error.field, message=str(error)))
    return problem_response(
        status=error.status,
        code=error.code,
        detail=str(error) or HTTPStatus(error.status).phrase,
        errors=faults,
        try_again=error.try_again,
        headers=headers,
    )


def _on_invalid(request: Request[Any, Any, Any], error: ValidationException) -> Response[Problem]:
    return problem_response(
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        code=InvalidInput.code,
        detail="The request does not fit what this address takes; `errors` names each member at fault.",
        errors=_body_faults(request) + _parameter_faults(error),
    )


def _body_faults(request: Request[Any, Any, Any]) -> list[FieldError]:
    body = ScopeState.from_scope(request.scope).json
    field = getattr(request.route_handler, "parsed_data_field", None)
    return [] if field is None or body is Empty else find_faults(body, field.annotation)


def _parameter_faults(error: ValidationException) -> list[FieldError]:
    if missing := _MISSING_PARAMETER.match(error.detail):
        return [FieldError(field=missing["name"], message="is required")]
    entries = error.extra if isinstance(error.extra, list) else []
    return [
        fault_of(str(entry.get("message", "is not valid")), str(entry.get("key", "")))
        for entry in entries
        if isinstance(entry, dict) and entry.get("source") != "body" and entry.get("key") != "data"
    ]


def _on_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    if error.detail == _CLIENT_LEFT:
        log.info("http.client_left", route=_route(request))
        return problem_response(status=HTTPStatus.BAD_REQUEST, code="incomplete", detail="The body ended too early.")
    if error.status_code >= _SERVER_ERROR and error.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
        return _on_unexpected(request, error)
    if isinstance(error.__cause__, SerializationException):
        return _on_malformed(request, error.__cause__)
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.UNAUTHORIZED:
        headers.setdefault("WWW-Authenticate", "Bearer")
    return problem_response(
        status=error.status_code,
        code=_CODES.get(error.status_code, "bad_request"),
        detail=error.detail,
        try_again=error.status_code == HTTPStatus.SERVICE_UNAVAILABLE,
        headers=headers,
    )


def _on_malformed(request: Request[Any, Any, Any], error: SerializationException) -> Response[Problem]:
    """Answer a body that is not JSON. The same class is raised when our own answer cannot be written: that is a 500."""
    if not isinstance(error.__cause__, msgspec.DecodeError):
        return _on_unexpected(request, error)
    return problem_response(
        status=HTTPStatus.BAD_REQUEST, code="malformed_json", detail=f"The body is not valid JSON: {error.__cause__}"
    )


def _on_recursion(request: Request[Any, Any, Any], error: RecursionError) -> Response[Problem]:
    """Answer JSON that is nested too deep to read. A loop of our own is another matter: it leaves a long trace."""
    if _frames(error) > _DECODER_FRAMES:
        return _on_unexpected(request, error)
    log.info("http.too_deep", route=_route(request))
    return problem_response(
        status=HTTPStatus.BAD_REQUEST, code="malformed_json", detail="The body is nested too deep to be read."
    )


def _frames(error: BaseException) -> int:
    """Return how many calls of Python functions lie between the handler and the failure."""
    count, frame = 0, error.__traceback__
    while frame is not None:
        count, frame = count + 1, frame.tb_next
    return count


def _on_undecodable(request: Request[Any, Any, Any], error: UnicodeDecodeError) -> Response[Problem]:
    """Answer a body that is not UTF-8; the same error about any other bytes is our own."""
    body = ScopeState.from_scope(request.scope).body
    if body is Empty or bytes(error.object) not in body:
        return _on_unexpected(request, error)
    return problem_response(
        status=HTTPStatus.BAD_REQUEST, code="malformed_json", detail="The body is not valid JSON: it is not UTF-8."
    )


def _on_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    log.error("http.unhandled_error", method=request.method, route=_route(request), exc_info=error)
    return problem_response(status=_SERVER_ERROR, code="internal_error", detail=_UNEXPECTED_DETAIL)


def _route(request: Request[Any, Any, Any]) -> str:
    """Return the route's template: the path itself may hold what must not be logged."""
    return str(request.scope.get("path_template", "unmatched"))


EXCEPTION_HANDLERS: Final[ExceptionHandlersMap] = {
    MostradorError: _on_known,
    ValidationException: _on_invalid,
    HTTPException: _on_http,
    SerializationException: _on_malformed,
    RecursionError: _on_recursion,
    UnicodeDecodeError: _on_undecodable,
    Exception: _on_unexpected,
}
