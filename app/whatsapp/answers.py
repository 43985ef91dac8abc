"""Reads what Graph answers, as something a stranger wrote: any status, any bytes, any shape.

The outcome of a send follows reliability.md 3.2: a message id is acceptance; a 4xx with a Graph error, or any 429, is a
definite rejection; everything else, every 5xx included, leaves open whether the message was accepted.
"""

import base64
import binascii
from collections.abc import Mapping

import msgspec

from app.core.http_client import HttpResponse
from app.whatsapp.error_codes import ErrorAction, ErrorRule, Scope, rule_for
from app.whatsapp.errors import CallRefused, CallUnavailable, SendRejected, SendUnknown
from app.whatsapp.identifiers import identifier
from app.whatsapp.repair import clean, lenient
from app.whatsapp.transport import Accepted

__all__ = ["GraphError", "call_failure", "classify", "digest_of", "send_outcome"]

_LONGEST_WORDS = 500
_LONGEST_WAIT_SECONDS = 86_400.0
_OK, _REDIRECT, _CLIENT_ERROR, _TOO_MANY_REQUESTS, _SERVER_ERROR = 200, 300, 400, 429, 500
_SHA256_BYTES, _SHA256_HEX_DIGITS = 32, 64


class GraphError(msgspec.Struct, frozen=True):
    """The error object of an answer, and what it means. `code` is `None` if the answer held none."""

    rule: ErrorRule
    code: int | None = None
    subcode: int | None = None
    title: str = ""
    details: str = ""
    fbtrace_id: str | None = None


class _ErrorData(msgspec.Struct):
    details: str | None = None


class _Error(msgspec.Struct):
    message: str | None = None
    code: int | None = None
    error_subcode: int | None = None
    is_transient: bool | None = None
    error_user_msg: str | None = None
    error_data: _ErrorData | None = None
    fbtrace_id: str | None = None


class _ErrorAnswer(msgspec.Struct):
    error: _Error | None = None


class _Message(msgspec.Struct):
    id: str | None = None
    message_status: str | None = None


class _Contact(msgspec.Struct):
    wa_id: str | None = None
    user_id: str | None = None


class _SendAnswer(msgspec.Struct):
    messages: list[_Message] | None = None
    contacts: list[_Contact] | None = None


class _Usage(msgspec.Struct):
    estimated_time_to_regain_access: float | None = None


_decode_send_answer = msgspec.json.Decoder(_SendAnswer).decode
_decode_usage = msgspec.json.Decoder(dict[str, list[_Usage]]).decode


def classify(http_status: int, body: bytes) -> GraphError:
    """Say what a refusal means, whatever the body is.

    For sends look at `send_outcome` instead: there a 5xx is never a refusal.
    """
    answer = lenient(clean(body), _ErrorAnswer)
    error = (answer and answer.error) or _Error()
    return GraphError(
        rule_for(error.code, http_status=http_status, is_transient=bool(error.is_transient)),
        error.code,
        error.error_subcode,
        (error.message or "")[:_LONGEST_WORDS],
        ((error.error_data and error.error_data.details) or error.error_user_msg or "")[:_LONGEST_WORDS],
        identifier(error.fbtrace_id),
    )


def send_outcome(response: HttpResponse) -> Accepted:
    """Read the answer to a send.

    Raises:
        SendRejected: definitely not accepted.
        SendUnknown: it may have been accepted.

    """
    status = response.status
    if _OK <= status < _REDIRECT:
        return _accepted(response.body)
    error = classify(status, response.body)
    definite = status == _TOO_MANY_REQUESTS or (_CLIENT_ERROR <= status < _SERVER_ERROR and error.code is not None)
    if not definite:
        raise SendUnknown(f"http_{status}", error.code, error.fbtrace_id)
    raise SendRejected(
        code=error.code,
        title=error.title or f"HTTP {status}",
        rule=error.rule,
        retry_after_seconds=_retry_after_seconds(error.rule, response.headers),
        details=error.details,
        fbtrace_id=error.fbtrace_id,
    )


def call_failure(response: HttpResponse) -> CallRefused | CallUnavailable:
    """Return the error for an answer, other than to a send, that is not what was asked for."""
    error = classify(response.status, response.body)
    if error.rule.action is ErrorAction.RETRY:
        return CallUnavailable(f"http_{response.status}", _retry_after_seconds(error.rule, response.headers))
    return CallRefused(error.title or f"HTTP {response.status}", error.code, error.rule, error.fbtrace_id)


def digest_of(written: str | None) -> bytes | None:
    """Return the SHA-256 digest that Meta writes in hexadecimal in some places and in base64 in others."""
    if not written:
        return None
    try:
        if len(written) == _SHA256_HEX_DIGITS:
            return bytes.fromhex(written)
        digest = base64.b64decode(written, validate=True)
    except (ValueError, binascii.Error):
        return None
    return digest if len(digest) == _SHA256_BYTES else None


def _accepted(body: bytes) -> Accepted:
    try:
        answer: _SendAnswer | None = _decode_send_answer(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        answer = lenient(clean(body), _SendAnswer)
    if answer is None:
        raise SendUnknown("not_json")
    message = answer.messages[0] if answer.messages else _Message()
    message_id = identifier(message.id)
    if message_id is None:
        raise SendUnknown("no_message_id")
    contact = answer.contacts[0] if answer.contacts else _Contact()
    return Accepted(
        message_id,
        held=message.message_status == "held_for_quality_assessment",
        wa_id=identifier(contact.wa_id),
        user_id=identifier(contact.user_id),
    )


def _retry_after_seconds(rule: ErrorRule, headers: Mapping[str, str]) -> float | None:
    """Return the wait that the answer asks for, at least that of the rule; `None` if trying again does not help."""
    if rule.action is not ErrorAction.RETRY or rule.retry is None:
        return None
    asked = [rule.retry.delay_seconds(0), _seconds(headers.get("retry-after", ""))]
    if rule.scope is Scope.ACCOUNT:
        asked.append(_minutes_until_quota(headers.get("x-business-use-case-usage", "")) * 60)
    return min(max(asked), _LONGEST_WAIT_SECONDS)


def _seconds(written: str) -> float:
    return float(written) if written.isascii() and written.isdigit() and len(written) <= len("86400") else 0.0


def _minutes_until_quota(usage: str) -> float:
    """Read Meta's usage header: `{"<account id>": [{"estimated_time_to_regain_access": <minutes>}]}`."""
    try:
        accounts = _decode_usage(usage) if usage else {}
    except (msgspec.DecodeError, RecursionError):
        return 0.0
    return max((one.estimated_time_to_regain_access or 0.0 for many in accounts.values() for one in many), default=0.0)
