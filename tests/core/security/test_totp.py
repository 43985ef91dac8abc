from datetime import UTC, datetime

import pytest

from app.core.security import totp

SECRET = b"12345678901234567890"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
STEP = totp.step_of(NOW)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037"),
     (20000000000, "353130")],
)  # fmt: skip
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    """RFC 6238 appendix B, the last six of the eight digits."""
    assert totp.code_at(SECRET, seconds // 30) == code


@pytest.mark.parametrize("away", [-1, 0, 1])
def test_a_code_of_a_neighbouring_step_is_accepted(away: int) -> None:
    code = totp.code_at(SECRET, STEP + away)
    assert totp.matching_step(SECRET, code, now=NOW, after_step=None) == STEP + away


@pytest.mark.parametrize("away", [-2, 2, 1000])
def test_a_code_of_another_time_is_refused(away: int) -> None:
    assert totp.matching_step(SECRET, totp.code_at(SECRET, STEP + away), now=NOW, after_step=None) is None


@pytest.mark.parametrize("after", [STEP, STEP + 1])
def test_a_step_that_was_used_and_those_before_it_are_refused(after: int) -> None:
    assert totp.matching_step(SECRET, totp.code_at(SECRET, STEP), now=NOW, after_step=after) is None


@pytest.mark.parametrize("code", ["", "12345", "abcdef", "\uff11\uff12\uff13\uff14\uff15\uff16"])
def test_what_is_no_code_is_refused(code: str) -> None:
    assert totp.matching_step(SECRET, code, now=NOW, after_step=None) is None


def test_an_authenticator_is_told_everything_it_needs() -> None:
    uri = totp.provisioning_uri(SECRET, username="ana@desk")
    assert uri == (
        "otpauth://totp/Mostrador%3Aana%40desk?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Mostrador&digits=6&period=30"
    )


def test_recovery_codes_differ_and_may_be_typed_in_any_way() -> None:
    codes = totp.new_recovery_codes()
    assert len(set(codes)) == 10
    typed = codes[0].upper().replace("-", " ")
    assert totp.recovery_hash(typed) == totp.recovery_hash(codes[0])
    assert totp.recovery_hash(codes[1]) != totp.recovery_hash(codes[0])
