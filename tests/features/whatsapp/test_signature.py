import pytest

from app.whatsapp.signature import sign, verify
from tests.builders.whatsapp import messages, text, webhook

SECRET = "a-very-secret-app-secret"
BODY = webhook(messages(text("caf\u00e9 \U0001f600")))


def test_a_signature_of_these_bytes_is_genuine() -> None:
    assert verify(BODY, sign(BODY, SECRET), [SECRET])


def test_the_signature_is_the_one_meta_would_send() -> None:
    # Computed with `openssl dgst -sha256 -hmac key`.
    expected = "sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"

    assert sign(b"The quick brown fox jumps over the lazy dog", "key") == expected


def test_every_flipped_bit_of_the_body_is_noticed() -> None:
    body = BODY[:200]
    header = sign(body, SECRET)

    for position in range(len(body)):
        for bit in range(8):
            changed = bytearray(body)
            changed[position] ^= 1 << bit
            assert not verify(bytes(changed), header, [SECRET])


def test_every_changed_digit_of_the_signature_is_noticed() -> None:
    header = sign(BODY, SECRET)

    for position in range(len("sha256="), len(header)):
        other = "0" if header[position] != "0" else "1"
        assert not verify(BODY, header[:position] + other + header[position + 1 :], [SECRET])


GENUINE = sign(BODY, SECRET)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        GENUINE.upper(),
        GENUINE.replace("sha256=", "SHA256="),
        GENUINE.replace("sha256=", "sha1="),
        GENUINE.removeprefix("sha256="),
        GENUINE[:-1],
        GENUINE + "0",
        GENUINE + "\n",
        GENUINE + "\u00e9",
        " " + GENUINE,
        f"{GENUINE}, {GENUINE}",
        "sha256=" + "\u0661" * 64,
    ],
)
def test_only_the_exact_form_of_the_header_counts(header: str | None) -> None:
    assert not verify(BODY, header, [SECRET])


def test_while_a_secret_is_rotated_both_are_good() -> None:
    old, new = sign(BODY, "old"), sign(BODY, "new")

    assert verify(BODY, old, ["new", "old"])
    assert verify(BODY, new, ["new", "old"])
    assert not verify(BODY, sign(BODY, "stranger"), ["new", "old"])


def test_without_a_secret_nothing_is_genuine() -> None:
    assert not verify(BODY, sign(BODY, ""), [])
    assert not verify(BODY, sign(BODY, ""), [""])


def test_the_same_json_written_otherwise_has_another_signature() -> None:
    header = sign(BODY, SECRET)

    assert b"\\u00e9" in BODY
    assert not verify(BODY.replace(b"\\u00e9", "é".encode()), header, [SECRET])
