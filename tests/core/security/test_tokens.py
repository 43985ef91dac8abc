from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from app.core.ids import new_id
from app.core.security.actor import Actor
from app.core.security.tokens import AccessTokens, InvalidToken
from tests.core.http.door import SECRET

ACTOR = Actor(user_id=new_id(), username="ana", role="agent", session_id=new_id())


def claims(**changes: Any) -> dict[str, Any]:
    issued = AccessTokens(SECRET).issue(ACTOR).token
    decoded: dict[str, Any] = jwt.decode(issued, SECRET, algorithms=["HS256"], audience="mostrador-api")
    return {name: value for name, value in (decoded | changes).items() if value is not ...}


def signed(payload: dict[str, Any], **options: Any) -> str:
    return jwt.encode(payload, options.pop("key", SECRET), algorithm=options.pop("algorithm", "HS256"), **options)


def test_a_token_says_who_acts_and_until_when() -> None:
    issued = AccessTokens(SECRET).issue(ACTOR)
    access = AccessTokens(SECRET).verify(issued.token)
    assert access.actor == ACTOR
    assert access.expires_at == issued.expires_at
    assert issued.expires_in_seconds == 600
    assert timedelta(minutes=9) < access.expires_at - datetime.now(UTC) <= timedelta(minutes=10)


def test_two_tokens_of_one_person_differ() -> None:
    tokens = AccessTokens(SECRET)
    assert tokens.issue(ACTOR).token != tokens.issue(ACTOR).token


@pytest.mark.parametrize(
    "changes",
    [
        {"typ": "refresh"},
        {"typ": ...},
        {"aud": "another"},
        {"aud": ...},
        {"iss": "another"},
        {"iss": ...},
        {"exp": ...},
        {"exp": 1},
        {"nbf": 4102444800},
        {"iat": 4102444800},
        {"sub": ...},
        {"sub": "1 OR 1=1"},
        {"sid": ...},
        {"jti": ...},
        {"role": "root"},
        {"role": ...},
        {"name": 5},
    ],
    ids=str,
)
def test_a_token_with_other_claims_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidToken):
        AccessTokens(SECRET).verify(signed(claims(**changes)))


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        "é.ü.ñ",
        signed(claims(), key="", algorithm="none"),
        signed(claims(), key="another secret of tests, also longer than thirty-two bytes"),
        signed(claims(), algorithm="HS512", key=SECRET * 2),
        signed(claims(), headers={"crit": ["exp"]}),
        signed(claims())[:-2],
    ],
    ids=["empty", "one part", "no base64", "no ascii", "unsigned", "other key", "other algorithm", "crit", "truncated"],
)
def test_a_token_that_was_not_signed_by_us_is_refused(token: str) -> None:
    with pytest.raises(InvalidToken):
        AccessTokens(SECRET).verify(token)


def test_an_expired_token_is_refused() -> None:
    long_ago = AccessTokens(SECRET, clock=lambda: datetime.now(UTC) - timedelta(minutes=11))
    with pytest.raises(InvalidToken):
        AccessTokens(SECRET).verify(long_ago.issue(ACTOR).token)


def test_a_token_ends_with_its_session() -> None:
    ends_at = datetime.now(UTC) + timedelta(seconds=90)
    issued = AccessTokens(SECRET).issue(ACTOR, not_after=ends_at)
    assert ends_at - timedelta(seconds=1) < issued.expires_at <= ends_at
    assert 88 <= issued.expires_in_seconds <= 90
