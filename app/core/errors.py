"""Errors the caller can act on. Each class knows its HTTP status, its stable code and whether trying again helps."""

from typing import ClassVar


class MostradorError(Exception):
    """Base of every error we raise on purpose.

    The message is for the person who caused it: it says what is wrong and what to do, and never holds a secret,
    a phone number or a message text.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    try_again: ClassVar[bool] = False


class InvalidInput(MostradorError):
    """What was sent cannot be used; `field` names the member at fault where there is one."""

    status = 422
    code = "invalid_input"

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class Unauthenticated(MostradorError):
    status = 401
    code = "unauthenticated"


class Forbidden(MostradorError):
    status = 403
    code = "forbidden"


class NotFound(MostradorError):
    status = 404
    code = "not_found"


class Conflict(MostradorError):
    """The thing has changed, or is in a state that does not allow this."""

    status = 409
    code = "conflict"


class TooManyRequests(MostradorError):
    """`retry_after_seconds` says when the same request may succeed."""

    status = 429
    code = "too_many_requests"
    try_again = True

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(MostradorError):
    """Something we need does not answer now (the database, a full queue). The same request may succeed later."""

    status = 503
    code = "unavailable"
    try_again = True
