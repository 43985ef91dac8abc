"""What can go wrong between us and WhatsApp."""

from app.core.errors import InvalidInput, MostradorError, Unavailable
from app.whatsapp.error_codes import ErrorAction, ErrorClass, ErrorRule, Scope

__all__ = [
    "CallRefused",
    "CallUnavailable",
    "InvalidContent",
    "MediaRefused",
    "MediaUnavailable",
    "SendError",
    "SendNotAttempted",
    "SendRejected",
    "SendUnknown",
    "Unintelligible",
]


class Unintelligible(MostradorError):
    """A body that is no WhatsApp webhook at all. `reason` is a short code: `not_json`, `not_a_webhook`."""

    status = 422
    code = "unintelligible_webhook"

    def __init__(self, reason: str) -> None:
        super().__init__(f"this is not a WhatsApp webhook: {reason}")
        self.reason = reason


class InvalidContent(InvalidInput):
    """A message that WhatsApp would refuse; `field` is the path of the member at fault, `buttons[1].title`."""

    code = "invalid_content"


class SendError(Exception):
    """A send that did not end in a message id. Exactly one of the three classes below."""


class SendNotAttempted(SendError):
    """No byte left this machine: the same message may be sent again. `reason` is a short code.

    `retry_after_seconds` is the wait that the transport asks for, if it does.
    """

    def __init__(self, reason: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds


class SendUnknown(SendError):
    """The message may have been accepted: it must never be sent again blindly.

    `reason` is a short code: the HTTP client's (`timeout`, `reset`, ...), `http_503` and the like, `not_json`,
    `no_message_id`. `code` and `fbtrace_id` are Graph's, where its answer could be read.
    """

    def __init__(self, reason: str, code: int | None = None, fbtrace_id: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.fbtrace_id = fbtrace_id


class SendRejected(SendError):
    """WhatsApp definitely did not accept the message.

    `rule` says what to do (`action`, `kind` and `scope` are its shortcuts). `retry_after_seconds` is the wait WhatsApp
    asked for, else that of a first failure; `None` unless the same message may be sent again (`ErrorAction.RETRY`).
    `code` is `None` if the answer carried none; `title` and `details` are Meta's words, for the operator, and hold no
    message text.
    """

    def __init__(
        self,
        *,
        code: int | None,
        title: str,
        rule: ErrorRule,
        retry_after_seconds: float | None = None,
        details: str = "",
        fbtrace_id: str | None = None,
    ) -> None:
        super().__init__(f"{code}: {title}")
        self.code = code
        self.title = title
        self.rule = rule
        self.retry_after_seconds = retry_after_seconds
        self.details = details
        self.fbtrace_id = fbtrace_id

    @property
    def action(self) -> ErrorAction:
        return self.rule.action

    @property
    def kind(self) -> ErrorClass:
        return self.rule.kind

    @property
    def scope(self) -> Scope:
        return self.rule.scope


class CallRefused(MostradorError):
    """WhatsApp refused a call other than a send; `graph_code` and `rule` say why, trying again does not help."""

    status = 502
    code = "whatsapp_refused"

    def __init__(self, title: str, graph_code: int | None, rule: ErrorRule, fbtrace_id: str | None = None) -> None:
        super().__init__(f"WhatsApp refused the request: {title}")
        self.graph_code = graph_code
        self.rule = rule
        self.fbtrace_id = fbtrace_id


class CallUnavailable(Unavailable):
    """WhatsApp did not give a usable answer to a call other than a send; the same call may succeed later."""

    code = "whatsapp_unavailable"

    def __init__(self, reason: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(f"WhatsApp does not answer usably: {reason}")
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds


class MediaRefused(InvalidInput):
    """A file that WhatsApp would not carry, or that is not what it says: `reason` is a short code.

    One of `type`, `size`, `mismatch`, `empty`.
    """

    code = "media_refused"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message, field="file")
        self.reason = reason


class MediaUnavailable(MostradorError):
    """A file on WhatsApp's side cannot be had, now or ever: `gone`, `too_large`, `corrupt`, `unreadable_answer`."""

    status = 502
    code = "media_unavailable"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the file could not be fetched from WhatsApp: {reason}")
        self.reason = reason
