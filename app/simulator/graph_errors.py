"""Errors as Graph words them (Meta: WhatsApp Cloud API error codes; `reference/whatsapp.md` A2)."""

import secrets

import msgspec

__all__ = ["GRAPH_ERRORS", "GraphError", "GraphErrorKind", "StatusError", "StatusErrorData"]


class GraphErrorKind(msgspec.Struct, frozen=True):
    """HTTP status and title of an error code; `kind` is Graph's `type`."""

    status: int
    title: str
    details: str
    kind: str = "OAuthException"
    transient: bool = False


GRAPH_ERRORS: dict[int, GraphErrorKind] = {
    0: GraphErrorKind(401, "AuthException", "We were unable to authenticate the app user."),
    1: GraphErrorKind(400, "API Unknown", "Invalid request or possible server error.", transient=True),
    2: GraphErrorKind(503, "API Service", "Temporary due to downtime or due to being overloaded.", transient=True),
    3: GraphErrorKind(500, "API Method", "Capability or permissions issue."),
    4: GraphErrorKind(400, "API Too Many Calls", "The app has reached its API call rate limit.", transient=True),
    10: GraphErrorKind(403, "Permission Denied", "Permission is either not granted or has been removed."),
    33: GraphErrorKind(400, "Parameter value is not valid", "The business phone number has been deleted."),
    100: GraphErrorKind(400, "Invalid parameter", "The request included one or more unsupported parameters."),
    190: GraphErrorKind(401, "Invalid OAuth access token.", "Your access token has expired or is not valid."),
    368: GraphErrorKind(403, "Temporarily blocked for policies violations", "The account was restricted."),
    80007: GraphErrorKind(400, "Rate limit issues", "The business account has reached its rate limit.", transient=True),
    130429: GraphErrorKind(400, "Rate limit hit", "Message failed to send because there were too many messages sent."),
    130472: GraphErrorKind(400, "User's number is part of an experiment", "Message was not sent as part of a test."),
    130497: GraphErrorKind(403, "Business account is restricted", "Messages to this country are restricted."),
    131000: GraphErrorKind(500, "Something went wrong", "Message failed to send due to an unknown error."),
    131005: GraphErrorKind(403, "Access denied", "Permission is either not granted or has been removed."),
    131008: GraphErrorKind(400, "Required parameter is missing", "The request is missing a required parameter."),
    131009: GraphErrorKind(400, "Parameter value is not valid", "One or more parameter values are invalid."),
    131016: GraphErrorKind(500, "Service unavailable", "A service is temporarily unavailable.", transient=True),
    131021: GraphErrorKind(400, "Recipient cannot be sender", "Sender and recipient phone number is the same."),
    131026: GraphErrorKind(400, "Message undeliverable", "Unable to deliver message."),
    131030: GraphErrorKind(400, "Recipient phone number not in allowed list", "Add the number to the allowed list."),
    131031: GraphErrorKind(403, "Account has been locked", "The account was disabled for violating a policy."),
    131042: GraphErrorKind(400, "Business eligibility payment issue", "There was an error with your payment method."),
    131045: GraphErrorKind(500, "Incorrect certificate", "Message failed to send due to a registration error."),
    131047: GraphErrorKind(
        400,
        "Re-engagement message",
        "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
    ),
    131048: GraphErrorKind(400, "Spam rate limit hit", "Restrictions on how many messages can be sent were reached."),
    131049: GraphErrorKind(400, "Meta chose not to deliver", "Not delivered to maintain healthy ecosystem engagement."),
    131050: GraphErrorKind(400, "User stopped marketing messages", "The customer does not want marketing messages."),
    131051: GraphErrorKind(400, "Unsupported message type", "Message type is not currently supported."),
    131052: GraphErrorKind(400, "Media download error", "Unable to download the media sent by the user."),
    131053: GraphErrorKind(400, "Media upload error", "Unable to upload the media used in the message."),
    131056: GraphErrorKind(
        400,
        "(Business Account, Consumer Account) pair rate limit hit",
        "Too many messages sent from the sender phone number to the same recipient in a short period of time.",
    ),
    131057: GraphErrorKind(500, "Account in maintenance mode", "The account is in maintenance mode.", transient=True),
    131062: GraphErrorKind(400, "Business-scoped id not possible", "This message needs the phone number."),
    132000: GraphErrorKind(400, "Template Param Count Mismatch", "The number of parameters does not match."),
    132001: GraphErrorKind(404, "Template does not exist", "The template does not exist in the specified language."),
    132012: GraphErrorKind(400, "Template Parameter Format Mismatch", "Parameters are formatted incorrectly."),
    132015: GraphErrorKind(400, "Template is Paused", "The template is paused due to low quality."),
    132016: GraphErrorKind(400, "Template is Disabled", "The template is permanently disabled due to low quality."),
    133004: GraphErrorKind(503, "Server temporarily unavailable", "Server is temporarily unavailable.", transient=True),
    133010: GraphErrorKind(400, "Phone number not registered", "The number is not registered on the platform."),
    135000: GraphErrorKind(400, "Generic user error", "Message failed to send because of an unknown error."),
}


class StatusErrorData(msgspec.Struct, frozen=True):
    details: str


class StatusError(msgspec.Struct, frozen=True):
    """An error inside a `failed` status or an unsupported message."""

    code: int
    title: str
    message: str
    error_data: StatusErrorData
    href: str = "https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes/"

    @classmethod
    def of(cls, code: int) -> "StatusError":
        known = GRAPH_ERRORS[code]
        return cls(code, known.title, known.title, StatusErrorData(known.details))


class GraphError(Exception):
    """A call that Graph refuses. `code` must be one of `GRAPH_ERRORS`; `status` replaces its usual HTTP status."""

    def __init__(
        self, code: int, details: str | None = None, *, subcode: int | None = None, status: int | None = None
    ) -> None:
        known = GRAPH_ERRORS[code]
        super().__init__(f"(#{code}) {known.title}")
        self.code = code
        self.details = details or known.details
        self.subcode = subcode
        self.status = status or known.status

    def body(self) -> bytes:
        """Return the answer's JSON: code, error_subcode, error_data.details and a fresh fbtrace_id."""
        known = GRAPH_ERRORS[self.code]
        error: dict[str, object] = {
            "message": str(self),
            "type": known.kind,
            "code": self.code,
            "error_data": {"messaging_product": "whatsapp", "details": self.details},
            "fbtrace_id": "A" + secrets.token_urlsafe(17),
        }
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if known.transient:
            error["is_transient"] = True
        return msgspec.json.encode({"error": error})
