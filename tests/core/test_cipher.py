import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from app.core.security.cipher import Cipher, Undecryptable

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@given(secret=st.binary(max_size=200))
def test_a_secret_comes_back_and_is_not_in_its_ciphertext(secret: bytes) -> None:
    cipher = Cipher([NEW])
    stored = cipher.encrypt(secret)
    assert cipher.decrypt(stored) == secret
    assert len(secret) < 5 or secret not in stored


def test_what_an_older_key_has_encrypted_can_still_be_read() -> None:
    stored = Cipher([OLD]).encrypt(b"token")
    assert Cipher([NEW, OLD]).decrypt(stored) == b"token"


def test_the_first_key_encrypts() -> None:
    stored = Cipher([NEW, OLD]).encrypt(b"token")
    assert Cipher([NEW]).decrypt(stored) == b"token"


@pytest.mark.parametrize("stored", [Cipher([OLD]).encrypt(b"token")[:-1], b"token", b""], ids=["cut", "plain", "none"])
def test_what_cannot_be_decrypted_is_an_error_that_says_what_to_do(stored: bytes) -> None:
    with pytest.raises(Undecryptable, match="FERNET_KEY"):
        Cipher([OLD]).decrypt(stored)


def test_a_lost_key_is_an_error_and_never_the_ciphertext() -> None:
    with pytest.raises(Undecryptable):
        Cipher([NEW]).decrypt(Cipher([OLD]).encrypt(b"token"))
