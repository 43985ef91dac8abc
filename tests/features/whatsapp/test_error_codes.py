import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.http_client import HttpResponse
from app.whatsapp.answers import call_failure, classify, digest_of, send_outcome
from app.whatsapp.error_codes import ErrorAction, ErrorClass, Scope, rule_for
from app.whatsapp.errors import CallRefused, CallUnavailable, SendRejected, SendUnknown
from app.whatsapp.transport import Accepted

TABLE = {
    ErrorClass.AUTH: [0, 190, 3, 10, 200, 250, 299, 33, 131005, 131045, 133010],
    ErrorClass.ACCOUNT: [368, 131031, 130497, 131042, 131044, 131037, 131064],
    ErrorClass.THROTTLE: [4, 80007, 130429, 131056, 133016],
    ErrorClass.SPAM: [131048],
    ErrorClass.TRANSIENT: [1, 2, 131000, 131016, 131057, 133004, 135000],
    ErrorClass.WINDOW: [131047],
    ErrorClass.RECIPIENT: [131026, 131021, 131030, 131050, 131049, 130472, 137000, 131062],
    ErrorClass.CONTENT: [
        *(100, 131008, 131009, 131051, 131052, 131053, 131063, 132000, 132001, 132005),
        *(132007, 132008, 132012, 132015, 132016, 132018, 132068, 132069),
    ],
    ErrorClass.GROUP: [131020, 131041, 131059, 131201, 131215],
    ErrorClass.UNKNOWN: [999999, 131200, 131216, 300],
}


def error(code: object, **members: object) -> bytes:
    return json.dumps({"error": {"message": "(#) no", "code": code, "fbtrace_id": "A1", **members}}).encode()


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in TABLE.items() for code in codes])
def test_each_code_has_its_class(kind: ErrorClass, code: int) -> None:
    assert rule_for(code, http_status=400).kind is kind


@pytest.mark.parametrize(
    ("code", "action"),
    [
        (190, ErrorAction.STOP_CHANNEL),
        (131031, ErrorAction.STOP_CHANNEL),
        (130497, ErrorAction.STOP_COUNTRY),
        (131048, ErrorAction.SLOW_DOWN),
        (131047, ErrorAction.CLOSE_WINDOW),
        (131050, ErrorAction.SUPPRESS),
        (131049, ErrorAction.DEFER_MARKETING),
        (131062, ErrorAction.USE_PHONE),
        (132001, ErrorAction.REFRESH_TEMPLATES),
        (132015, ErrorAction.REFRESH_TEMPLATES),
        (100, ErrorAction.FAIL),
        (130429, ErrorAction.RETRY),
    ],
)
def test_what_is_done_about_it(code: int, action: ErrorAction) -> None:
    assert rule_for(code).action is action


@pytest.mark.parametrize(
    ("code", "delays", "scope"),
    [
        (130429, [1, 2, 4, 8], Scope.NUMBER),
        (131056, [1, 4, 16, 64], Scope.PAIR),
        (80007, [60, 120, 240, 480], Scope.ACCOUNT),
        (131000, [2, 4, 8, 16], Scope.MESSAGE),
    ],
)
def test_how_long_to_wait_and_what_waits(code: int, delays: list[float], scope: Scope) -> None:
    rule = rule_for(code)

    assert rule.retry is not None
    assert [rule.retry.delay_seconds(failures) for failures in range(4)] == delays
    assert rule.retry.delay_seconds(10_000) == rule.retry.longest_seconds
    assert rule.scope is scope


def test_unknown_codes_are_judged_by_their_http_status() -> None:
    assert rule_for(999999, http_status=429).kind is ErrorClass.THROTTLE
    assert rule_for(None, http_status=503).kind is ErrorClass.TRANSIENT
    assert rule_for(999999, http_status=400).kind is ErrorClass.UNKNOWN
    assert rule_for(999999, http_status=400, is_transient=True).kind is ErrorClass.TRANSIENT
    assert rule_for(190, http_status=400, is_transient=True).kind is ErrorClass.AUTH


def outcome(status: int, body: bytes, **headers: str) -> Accepted | SendRejected | SendUnknown:
    try:
        return send_outcome(HttpResponse(status, headers, body))
    except (SendRejected, SendUnknown) as failure:
        return failure


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
@pytest.mark.parametrize("code", [code for codes in TABLE.values() for code in codes])
def test_a_send_that_ends_in_5xx_is_unknown_whatever_its_code(status: int, code: int) -> None:
    failure = outcome(status, error(code, is_transient=True))

    assert isinstance(failure, SendUnknown)
    assert (failure.reason, failure.code, failure.fbtrace_id) == (f"http_{status}", code, "A1")


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (200, b"", "not_json"),
        (200, b"<html>", "not_json"),
        (200, b"[]", "not_json"),
        (200, b"{}", "no_message_id"),
        (200, b'{"messages":[]}', "no_message_id"),
        (200, b'{"messages":[{}]}', "no_message_id"),
        (200, b'{"messages":[{"id":""}]}', "no_message_id"),
        (200, b'{"messages":[{"id":{"a":1}}]}', "no_message_id"),
        (200, error(100), "no_message_id"),
        (200, b'{"messages":' + b"[" * 50_000, "not_json"),
        (302, b"", "http_302"),
        (400, b"<html>", "http_400"),
        (400, b"{}", "http_400"),
        (403, b'{"error":"no"}', "http_403"),
        (404, error("x"), "http_404"),
        (502, b"<html>", "http_502"),
    ],
)
def test_an_answer_that_proves_nothing_leaves_the_send_unknown(status: int, body: bytes, reason: str) -> None:
    failure = outcome(status, body)

    assert isinstance(failure, SendUnknown)
    assert failure.reason == reason


def test_an_accepted_message_has_an_id() -> None:
    body = {"messages": [{"id": "wamid.X", "message_status": "held_for_quality_assessment"}]}
    body |= {"contacts": [{"input": "34", "wa_id": "34600", "user_id": "ES.1"}]}

    assert outcome(200, json.dumps(body).encode()) == Accepted("wamid.X", held=True, wa_id="34600", user_id="ES.1")


def test_members_of_the_wrong_type_do_not_hide_the_id() -> None:
    assert outcome(200, b'{"messages":[{"id":"wamid.X","message_status":5}],"contacts":7}') == Accepted("wamid.X")


def test_a_rejection_carries_what_the_operator_needs() -> None:
    failure = outcome(400, error(132000, error_data={"details": "expected 2 params"}))

    assert isinstance(failure, SendRejected)
    assert (failure.code, failure.title, failure.details) == (132000, "(#) no", "expected 2 params")
    assert (failure.fbtrace_id, failure.retry_after_seconds) == ("A1", None)


@pytest.mark.parametrize(
    ("status", "body", "headers", "seconds"),
    [
        (429, b"slow down", {}, 1.0),
        (429, b"", {"retry-after": "30"}, 30.0),
        (429, b"", {"retry-after": "tomorrow"}, 1.0),
        (400, error(130429), {"retry-after": "999999999"}, 1.0),
        (400, error(131056), {}, 1.0),
        (400, error(4), {}, 60.0),
        (400, error(80007), {"x-business-use-case-usage": '{"1":[{"estimated_time_to_regain_access":12}]}'}, 720.0),
        (400, error(80007), {"x-business-use-case-usage": "{broken"}, 60.0),
        (400, error(131000), {}, 2.0),
        (400, error(131049), {}, None),
        (400, error(131048), {}, None),
    ],
)
def test_how_long_a_rejected_message_waits(
    status: int, body: bytes, headers: dict[str, str], seconds: float | None
) -> None:
    failure = outcome(status, body, **headers)

    assert isinstance(failure, SendRejected)
    assert failure.retry_after_seconds == seconds


@given(status=st.integers(100, 599), body=st.binary() | st.builds(error, st.none() | st.integers() | st.text()))
def test_any_answer_is_one_of_three_outcomes_and_only_4xx_is_a_rejection(status: int, body: bytes) -> None:
    found = outcome(status, body)

    assert isinstance(found, SendUnknown) or 400 <= status < 500
    assert classify(status, body).rule is not None


def test_other_calls_say_whether_the_same_call_may_succeed_later() -> None:
    refused = call_failure(HttpResponse(401, {}, error(190)))
    busy = call_failure(HttpResponse(503, {}, b""))
    throttled = call_failure(HttpResponse(400, {}, error(80007)))

    assert isinstance(refused, CallRefused)
    assert refused.graph_code == 190
    assert isinstance(busy, CallUnavailable)
    assert isinstance(throttled, CallUnavailable)
    assert throttled.retry_after_seconds == 60


@pytest.mark.parametrize("written", ["00" * 32, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="])
def test_a_digest_is_read_in_both_spellings(written: str) -> None:
    assert digest_of(written) == bytes(32)


@pytest.mark.parametrize("written", [None, "", "4654+8g=", "g" * 64, "ñ", "@@@"])
def test_what_is_no_digest_is_not_compared(written: str | None) -> None:
    assert digest_of(written) is None
