"""From a refused HTTP answer to a `Failure`: total, for any status, headers and body of any provider.

The shapes of the providers do not collide, so one reader serves all of them:
OpenAI and those like it `{"error": {"message", "type", "code", "param"}}`, xAI `{"code", "error": "text"}`, Anthropic
`{"type": "error", "error": {"type", "message"}}`, Gemini `{"error": {"code", "message", "status", "details": [...]}}`
(sometimes in a list), OpenRouter `{"error": {"code", "message", "metadata"}}`, Ollama `{"error": "text"}`.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from app.ai.llm.errors import ErrorKind, Failure, Limits
from app.ai.llm.limits import limits_of_headers, retry_after_of_headers, seconds_of

__all__ = ["NO_ERROR", "classify"]

NO_ERROR = msgspec.Raw(b"null")
"""What the `error` field of an answer of status 200 holds when there is none."""


_QUOTA_CODES = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "billing_hard_limit_reached",
        "billing_error",
        "enforced_spend_limit_reached",
    }
)
_QUOTA_TEXT = re.compile(
    r"specified api usage limits|credit balance is too low|(free-models-)?per-day|limit: 0\b", re.IGNORECASE
)
_CONTEXT_TEXT = re.compile(
    r"context_length_exceeded|maximum context length|context (length|window|size)|prompt is too long|"
    r"input token count.{0,40}exceeds|exceeds the (available|maximum) context|too many tokens|request_too_large",
    re.IGNORECASE,
)
_PARAMETER_TEXT = re.compile(
    r"unsupported (parameter|value)|unrecognized request argument|unknown (parameter|name|field)|"
    r"(is|are) (not supported|deprecated|not permitted|no longer supported)|does not support|extra inputs|"
    r"not supported (with|by|for) this model|cannot be (set|used)",
    re.IGNORECASE,
)
# Fields of ours that a model may not take; a message that names one of them and refuses it is kind `param`.
_PARAMETERS = (
    "max_completion_tokens",
    "max_tokens",
    "temperature",
    "prompt_cache_key",
    "response_format",
    "responseJsonSchema",
    "responseMimeType",
    "output_config",
    "cache_control",
    "tools",
)
_RETRY_TEXT = re.compile(r"(?:retry|try again) in ([0-9.]+) ?(ms|s|m|h)?", re.IGNORECASE)
_KEY_TEXT = re.compile(r"(incorrect|invalid) api key|api key (is )?(not valid|invalid)", re.IGNORECASE)
_REFUSAL_CODES = frozenset({"content_filter", "content_policy_violation", "refusal"})


class _Said(msgspec.Struct, frozen=True):
    """The error object of any provider, flattened."""

    message: str = ""
    codes: frozenset[str] = frozenset()
    parameter: str | None = None
    details: tuple[Mapping[str, Any], ...] = ()
    metadata: Mapping[str, Any] = msgspec.field(default_factory=dict)


def classify(status: int, headers: Mapping[str, str], body: bytes) -> Failure:
    """Say what an answer that is not a success means. Never raises.

    An answer of status 200 that holds an error object (OpenRouter) is classified by the status in that object.
    """
    said = _read(body)
    if status < 400:  # noqa: PLR2004 - RFC 9110: below 400 there is no error
        status = next((int(code) for code in said.codes if code.isdecimal() and len(code) == 3), 500)  # noqa: PLR2004
    kind = _kind(status, said)
    learned = limits_of_headers(headers)
    limits = _quota_limits(said) or learned
    retry_after = _gemini_delay(said) or retry_after_of_headers(headers) or _delay_in_words(said.message)
    if kind == "rate" and retry_after is None:
        retry_after = learned.pause_seconds
    return Failure(
        kind=kind,
        message=(said.message or f"HTTP {status}")[:300],
        status=status,
        retry_after_seconds=retry_after if kind in {"rate", "overload", "server"} else None,
        parameter=_parameter(said) if kind == "param" else None,
        resets_at_midnight=kind == "quota" and _is_daily(said),
        limits=limits,
    )


def _kind(status: int, said: _Said) -> ErrorKind:
    if said.codes & _REFUSAL_CODES or (status == 403 and {"reasons", "flagged_input"} & said.metadata.keys()):  # noqa: PLR2004
        return "refusal"
    match status:
        case 402:
            return "quota"
        case 429:
            return "quota" if _is_quota(said) else "rate"
        case 529 | 503:
            return "overload"
        case 408:
            return "timeout"
        case 401 | 403:
            return "quota" if said.codes & _QUOTA_CODES else "auth"
        case 404:
            return "not_found"
        case 413:
            return "context"
        case 400 | 422:
            return _kind_of_bad_request(said)
        case _:
            return "server" if status >= 500 else "bad_request"  # noqa: PLR2004 - the 5xx class of RFC 9110


def _kind_of_bad_request(said: _Said) -> ErrorKind:
    if "API_KEY_INVALID" in said.codes or _KEY_TEXT.search(said.message):
        return "auth"
    if said.codes & _QUOTA_CODES or _QUOTA_TEXT.search(said.message):
        return "quota"
    if "context_length_exceeded" in said.codes or _CONTEXT_TEXT.search(said.message):
        return "context"
    if {"model_not_found", "model_not_available"} & said.codes:
        return "not_found"
    if _parameter(said) is not None:
        return "param"
    return "bad_request"


def _is_quota(said: _Said) -> bool:
    quota_ids = _quota_ids(said)
    if quota_ids:
        # Gemini says "exceeded your current quota" for a minute's limit too: the id decides, not the words.
        return any("PerDay" in quota_id for quota_id in quota_ids) or "limit: 0" in said.message
    return bool(said.codes & _QUOTA_CODES) or bool(_QUOTA_TEXT.search(said.message))


def _is_daily(said: _Said) -> bool:
    return any("PerDay" in quota_id for quota_id in _quota_ids(said))


def _parameter(said: _Said) -> str | None:
    refused = "unsupported_parameter" in said.codes or "unsupported_value" in said.codes
    if not refused and not _PARAMETER_TEXT.search(said.message):
        return None
    named = said.parameter or said.message
    return next((parameter for parameter in _PARAMETERS if parameter in named), None)


def _read(body: bytes) -> _Said:
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _Said(body[:300].decode("utf-8", "replace"))
    if isinstance(decoded, list) and decoded:
        decoded = decoded[0]
    if not isinstance(decoded, dict):
        return _Said(str(decoded)[:300])
    error = decoded.get("error")
    if isinstance(error, dict):
        return _from_object(error)
    code = decoded.get("code")
    words = error if isinstance(error, str) else decoded.get("message", decoded.get("detail", ""))
    return _Said(str(words), frozenset({str(code)} if code is not None else ()))


def _from_object(error: Mapping[str, Any]) -> _Said:
    details = error.get("details")
    details = tuple(detail for detail in details if isinstance(detail, dict)) if isinstance(details, list) else ()
    codes = {str(error[name]) for name in ("type", "code", "status") if error.get(name) is not None}
    codes |= {str(detail["reason"]) for detail in details if "reason" in detail}
    metadata = error.get("metadata")
    parameter = error.get("param")
    return _Said(
        message=str(error.get("message", "")),
        codes=frozenset(codes),
        parameter=parameter if isinstance(parameter, str) else None,
        details=details,
        metadata=metadata if isinstance(metadata, dict) else {},
    )


def _violations(said: _Said) -> list[Mapping[str, Any]]:
    lists = [detail.get("violations") for detail in said.details if "QuotaFailure" in str(detail.get("@type"))]
    return [entry for entries in lists if isinstance(entries, list) for entry in entries if isinstance(entry, dict)]


def _quota_ids(said: _Said) -> list[str]:
    return [str(entry.get("quotaId", "")) for entry in _violations(said)]


def _quota_limits(said: _Said) -> Limits | None:
    """Read the limits out of Gemini's QuotaFailure: `quotaId` says which, `quotaValue` how many."""
    found: dict[str, int] = {}
    for entry in _violations(said):
        quota_id, value = str(entry.get("quotaId", "")), str(entry.get("quotaValue", ""))
        if "Request" not in quota_id or not (value.isascii() and value.isdecimal()) or int(value) == 0:
            continue
        found["requests_per_day" if "PerDay" in quota_id else "requests_per_minute"] = int(value)
    return Limits(**found) if found else None


def _gemini_delay(said: _Said) -> float | None:
    for detail in said.details:
        if "RetryInfo" in str(detail.get("@type")):
            return seconds_of(str(detail.get("retryDelay", "")))
    return None


def _delay_in_words(message: str) -> float | None:
    found = _RETRY_TEXT.search(message)
    return seconds_of(f"{found[1]}{found[2] or 's'}") if found else None
