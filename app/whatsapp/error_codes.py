"""What each error code of the Cloud API means for us: what to do, and when the same request may succeed.

Source: Meta, "Cloud API error codes" (2026-05-15). The code decides; HTTP status and titles are not reliable.
Codes come in the answer to a request, in `statuses[].errors` of a webhook, or in both.
"""

from enum import StrEnum

import msgspec

__all__ = ["ErrorAction", "ErrorClass", "ErrorRule", "RetryPolicy", "Scope", "rule_for"]


class ErrorClass(StrEnum):
    AUTH = "auth"
    ACCOUNT = "account"
    THROTTLE = "throttle"
    SPAM = "spam"
    TRANSIENT = "transient"
    WINDOW = "window"
    RECIPIENT = "recipient"
    CONTENT = "content"
    GROUP = "group"
    UNKNOWN = "unknown"


class ErrorAction(StrEnum):
    """What the sender does about it."""

    STOP_CHANNEL = "stop_channel"
    """Pause the channel and alert the operator; nothing will be accepted until a person acts."""
    STOP_COUNTRY = "stop_country"
    """As above, for recipients in this recipient's country only."""
    RETRY = "retry"
    """The same payload later, as the rule's `RetryPolicy` says; `scope` says what has to wait."""
    SLOW_DOWN = "slow_down"
    """Stop marketing on the number for at least `retry.first_seconds`, keep service replies at a low rate, alert."""
    CLOSE_WINDOW = "close_window"
    """Final for this message: the 24-hour window is closed, only a template may be sent."""
    SUPPRESS = "suppress"
    """Final, and no further marketing to this person."""
    DEFER_MARKETING = "defer_marketing"
    """Final, and no marketing to this person before `retry.first_seconds`; never retried by itself."""
    USE_PHONE = "use_phone"
    """Final for this addressee; may be sent to the person's phone number instead."""
    REFRESH_TEMPLATES = "refresh_templates"
    """Final, and our copy of the templates is out of date."""
    FAIL = "fail"
    """Final: shown with its reason, never sent again by itself."""


class Scope(StrEnum):
    """What has to wait before the next try."""

    MESSAGE = "message"
    PAIR = "pair"
    NUMBER = "number"
    ACCOUNT = "account"


class RetryPolicy(msgspec.Struct, frozen=True):
    """Wait `first_seconds * factor ** n` after failure number n (from 0), at most `longest_seconds`.

    `most_tries` counts the first one; `None` leaves the end to the message's expiry.
    """

    first_seconds: float
    factor: float = 1.0
    longest_seconds: float = 3600.0
    most_tries: int | None = None

    def delay_seconds(self, failures: int) -> float:
        """Return the wait after `failures` earlier failures, without jitter."""
        exponent = min(max(failures, 0), 64)
        return float(min(self.longest_seconds, self.first_seconds * self.factor**exponent))


class ErrorRule(msgspec.Struct, frozen=True):
    kind: ErrorClass
    action: ErrorAction
    retry: RetryPolicy | None = None
    scope: Scope = Scope.MESSAGE


_DAY_SECONDS = 86_400.0
_STOP_AUTH = ErrorRule(ErrorClass.AUTH, ErrorAction.STOP_CHANNEL, scope=Scope.NUMBER)
_STOP_ACCOUNT = ErrorRule(ErrorClass.ACCOUNT, ErrorAction.STOP_CHANNEL, scope=Scope.ACCOUNT)
_QUOTA = ErrorRule(ErrorClass.THROTTLE, ErrorAction.RETRY, RetryPolicy(60, 2, 3600), Scope.ACCOUNT)
_TOO_FAST = ErrorRule(ErrorClass.THROTTLE, ErrorAction.RETRY, RetryPolicy(1, 2, 64), Scope.NUMBER)
_PAIR_TOO_FAST = ErrorRule(ErrorClass.THROTTLE, ErrorAction.RETRY, RetryPolicy(1, 4, 4096), Scope.PAIR)
_REGISTERING = ErrorRule(ErrorClass.THROTTLE, ErrorAction.RETRY, RetryPolicy(3600, 2, 6 * 3600), Scope.NUMBER)
_TRANSIENT = ErrorRule(ErrorClass.TRANSIENT, ErrorAction.RETRY, RetryPolicy(2, 2, 300, most_tries=5))
_TRANSIENT_ONCE = ErrorRule(ErrorClass.TRANSIENT, ErrorAction.RETRY, RetryPolicy(2, 2, 300, most_tries=2))
_MAINTENANCE = ErrorRule(ErrorClass.TRANSIENT, ErrorAction.RETRY, RetryPolicy(120, 2, 900, 5), Scope.NUMBER)
_RECIPIENT = ErrorRule(ErrorClass.RECIPIENT, ErrorAction.FAIL)
_CONTENT = ErrorRule(ErrorClass.CONTENT, ErrorAction.FAIL)
_TEMPLATE = ErrorRule(ErrorClass.CONTENT, ErrorAction.REFRESH_TEMPLATES)
_GROUP = ErrorRule(ErrorClass.GROUP, ErrorAction.FAIL)
_UNKNOWN = ErrorRule(ErrorClass.UNKNOWN, ErrorAction.FAIL)

_RULES: dict[int, ErrorRule] = {
    **dict.fromkeys((0, 190, 3, 10, *range(200, 300), 33, 131005, 131045, 133010), _STOP_AUTH),
    **dict.fromkeys((368, 131031, 131037, 131042, 131044, 131064), _STOP_ACCOUNT),
    130497: ErrorRule(ErrorClass.ACCOUNT, ErrorAction.STOP_COUNTRY),
    **dict.fromkeys((4, 80007), _QUOTA),
    130429: _TOO_FAST,
    131056: _PAIR_TOO_FAST,
    133016: _REGISTERING,
    131048: ErrorRule(ErrorClass.SPAM, ErrorAction.SLOW_DOWN, RetryPolicy(_DAY_SECONDS, 1, _DAY_SECONDS), Scope.NUMBER),
    **dict.fromkeys((2, 131000, 131016, 133004), _TRANSIENT),
    **dict.fromkeys((1, 135000), _TRANSIENT_ONCE),
    131057: _MAINTENANCE,
    131047: ErrorRule(ErrorClass.WINDOW, ErrorAction.CLOSE_WINDOW, scope=Scope.PAIR),
    **dict.fromkeys((131026, 131021, 131030, 130472, 137000), _RECIPIENT),
    131050: ErrorRule(ErrorClass.RECIPIENT, ErrorAction.SUPPRESS),
    131049: ErrorRule(
        ErrorClass.RECIPIENT,
        ErrorAction.DEFER_MARKETING,
        RetryPolicy(_DAY_SECONDS, 1, _DAY_SECONDS, most_tries=1),
        Scope.PAIR,
    ),
    131062: ErrorRule(ErrorClass.RECIPIENT, ErrorAction.USE_PHONE),
    **dict.fromkeys(
        (100, 131008, 131009, 131051, 131052, 131053, 131063, 132000, 132005, 132007, 132008, 132012, 132018),
        _CONTENT,
    ),
    **dict.fromkeys((132068, 132069), _CONTENT),
    **dict.fromkeys((132001, 132015, 132016), _TEMPLATE),
    **dict.fromkeys((131020, 131041, 131059, *range(131201, 131216)), _GROUP),
}

_TOO_MANY_REQUESTS, _SERVER_ERRORS = 429, 500


def rule_for(code: int | None, *, http_status: int | None = None, is_transient: bool = False) -> ErrorRule:
    """Return the rule for an error code.

    A code we do not know is judged by `is_transient`, then by the HTTP status: 429 throttles, 5xx is transient, the
    rest is final. Sends that end in 5xx never come here: they are ambiguous (reliability.md 3.2).
    """
    rule = _RULES.get(code) if code is not None else None
    if rule is not None:
        return rule
    if http_status == _TOO_MANY_REQUESTS:
        return _TOO_FAST
    if is_transient or (http_status is not None and http_status >= _SERVER_ERRORS):
        return _TRANSIENT
    return _UNKNOWN
