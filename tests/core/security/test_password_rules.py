import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.security.password_rules import WeakPassword, check_new_password

WIDE = "".join(chr(ord(letter) + 0xFEE0) for letter in "password1234")  # full-width forms


def refusal(password: str, username: str = "ana") -> str:
    with pytest.raises(WeakPassword) as refused:
        check_new_password(password, username=username)
    assert refused.value.field == "password"
    return str(refused.value)


@pytest.mark.parametrize(("password", "said"), [("", "12"), ("eleven char", "12"), ("x" * 257, "256")])
def test_a_new_password_of_the_wrong_length_is_refused(password: str, said: str) -> None:
    assert said in refusal(password)


@pytest.mark.parametrize(
    "password",
    ["twelve chars", "ñandú ñandú ñandú", "correct horse battery", "🐎 correct 🔋 staple", "zebra" * 50 + "x"],
)
def test_a_new_password_may_hold_anything(password: str) -> None:
    check_new_password(password, username="ana")


@pytest.mark.parametrize(
    "password",
    ["password1234", "PassWord2026!!", "p@ssw0rd!!!!", "dragondragon", "iloveyou!2026", "!!!administrator",
     "mostrador2026", "WhatsApp12345", "1111superman1111", WIDE],
)  # fmt: skip
def test_a_common_password_is_refused_however_it_is_dressed_up(password: str) -> None:
    assert "most common" in refusal(password)


@pytest.mark.parametrize("password", ["qwertyuiop12", "123456789012", "abcdefghijklm", "ponmlkjihgfe", "1qaz2wsx3edc"])
def test_a_walk_along_the_keyboard_is_refused(password: str) -> None:
    refusal(password)


@pytest.mark.parametrize("password", ["x" * 12, "ababababababab", "abcabcabcabcabc"])
def test_very_few_different_characters_are_refused(password: str) -> None:
    assert "few" in refusal(password)


@pytest.mark.parametrize("username", ["marcela", "marcela@desk.example"])
def test_the_persons_own_name_is_refused(username: str) -> None:
    assert "username" in refusal("hola soy Marcela!", username)


@given(st.text(max_size=300))
def test_every_text_is_accepted_or_refused_for_a_reason(password: str) -> None:
    try:
        check_new_password(password, username="ana")
    except WeakPassword:
        return
    assert 12 <= len(password) <= 256
