from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ai.llm.classify import classify
from app.ai.llm.errors import ErrorKind
from app.ai.llm.limits import limits_of_headers, retry_after_of_headers, seconds_of, seconds_to_pacific_midnight

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["error", "message", "code", "type", "details", "@type", "violations", "quotaId", "metadata"]
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(
    status=st.integers(100, 999),
    headers=st.dictionaries(
        st.sampled_from(["retry-after", "retry-after-ms", "x-ratelimit-limit-requests", "x-ratelimit-reset-requests"]),
        st.text(max_size=12) | st.floats().map(str),
    ),
    body=st.binary(max_size=100) | JSON.map(msgspec.json.encode),
)
def test_every_answer_has_a_kind(status: int, headers: dict[str, str], body: bytes) -> None:
    failure = classify(status, headers, body)
    assert len(failure.message) <= 300
    assert failure.retry_after_seconds is None or 0 <= failure.retry_after_seconds <= 7 * 86400


def kind(status: int, error: Any) -> ErrorKind:
    return classify(status, {}, msgspec.json.encode(error)).kind


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (403, {"error": {"code": 403, "message": "flagged", "metadata": {"reasons": ["violence"]}}}, "refusal"),
        (429, {"error": {"code": 429, "message": "Rate limit exceeded: free-models-per-day"}}, "quota"),
        (429, {"error": {"code": 429, "message": "Rate limit exceeded: free-models-per-min"}}, "rate"),
        (402, {"error": {"code": 402, "message": "Insufficient credits"}}, "quota"),
        (400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided"}, "auth"),
        (413, {"type": "error", "error": {"type": "request_too_large", "message": "Request too large"}}, "context"),
        (400, {"error": {"message": "Unsupported parameter: 'max_tokens'", "param": "max_tokens"}}, "param"),
        (400, [{"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "bad"}}], "bad_request"),
        (400, {"error": {"message": "This image format is not supported"}}, "bad_request"),
        (400, {"error": "registry.ollama.ai/library/gemma does not support tools"}, "param"),
        (408, {}, "timeout"),
        (418, "teapot", "bad_request"),
    ],
)
def test_known_traps(status: int, error: Any, expected: ErrorKind) -> None:
    assert kind(status, error) == expected


def test_a_body_nested_without_end_is_only_text() -> None:
    assert classify(500, {}, b"[" * 100_000).kind == "server"


def test_the_wait_is_read_where_each_provider_puts_it() -> None:
    def wait(headers: dict[str, str], body: bytes = b"{}") -> float | None:
        return classify(429, headers, body).retry_after_seconds

    assert wait({"retry-after": "7"}) == 7
    assert wait({"retry-after": "7", "retry-after-ms": "1500"}) == 1.5
    assert wait({}, b'{"error":{"message":"Please retry in 46.2s."}}') == 46.2
    details = b'{"error":{"details":[{"@type":"t/google.rpc.RetryInfo","retryDelay":"36.5s"}]}}'
    assert wait({}, details) == 36.5
    assert wait({}) is None


def test_a_date_in_retry_after_is_read() -> None:
    assert retry_after_of_headers({"retry-after": format_datetime(datetime.now(UTC), usegmt=True)}) == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("6m0s", 360), ("20ms", 0.02), ("1.5s", 1.5), ("3", 3), ("1d2h", 93600), ("", None), ("soon", None), ("-1", None)],
)
def test_durations_are_read(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


def test_a_bucket_tells_by_its_refilling_whether_it_counts_minutes_or_days() -> None:
    def learned(limit: str, remaining: str, reset: str) -> tuple[int | None, int | None]:
        limits = limits_of_headers(
            {
                "x-ratelimit-limit-requests": limit,
                "x-ratelimit-remaining-requests": remaining,
                "x-ratelimit-reset-requests": reset,
            }
        )
        return limits.requests_per_minute, limits.requests_per_day

    assert learned("500", "499", "120ms") == (500, None)
    assert learned("10000", "9999", "8.64s") == (None, 10000)
    assert learned("500", "500", "0s") == (None, None)
    assert learned("many", "1", "1s") == (None, None)


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (datetime(2026, 11, 23, 7, 59, tzinfo=UTC), 60),
        (datetime(2026, 11, 23, 8, 0, tzinfo=UTC), 86400),
        (datetime(2026, 11, 1, 7, 0, tzinfo=UTC), 25 * 3600),  # clocks go back on this day
    ],
)
def test_midnight_is_that_of_the_pacific_coast(now: datetime, seconds: float) -> None:
    assert seconds_to_pacific_midnight(now) == seconds
