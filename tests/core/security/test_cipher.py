"""The key ring: what encrypts, what decrypts, and how a change of it reaches every process."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from app.core.security.cipher import Cipher, Undecryptable
from app.core.security.key_file import KeyFile, KeyFileUnusable


def _key() -> str:
    return Fernet.generate_key().decode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "fernet_key"
    path.write_text(f"{_key()}\n")
    path.chmod(0o600)
    return path


def _process(path: Path) -> tuple[Cipher, KeyFile]:
    file = KeyFile(path)
    return Cipher(file.read(), source=file), file


def test_every_key_of_the_ring_decrypts_and_the_first_encrypts() -> None:
    old, new = _key(), _key()
    ciphertext = Cipher([old]).encrypt(b"secret")

    assert Cipher([new, old]).decrypt(ciphertext) == b"secret"
    assert Cipher([new]).decrypt(Cipher([new, old]).encrypt(b"secret")) == b"secret"


def test_what_no_key_opens_raises_and_is_never_returned() -> None:
    ciphertext = Cipher([_key()]).encrypt(b"secret")

    for unusable in (ciphertext, b"plain text", b""):
        with pytest.raises(Undecryptable):
            Cipher([_key()]).decrypt(unusable)
        with pytest.raises(Undecryptable):
            Cipher([_key()]).renew(unusable)


def test_only_what_an_older_key_encrypted_is_renewed() -> None:
    old, new = _key(), _key()
    ring = Cipher([new, old])

    renewed = ring.renew(Cipher([old]).encrypt(b"secret"))

    assert renewed is not None
    assert Cipher([new]).decrypt(renewed) == b"secret"
    assert ring.renew(renewed) is None


def test_a_new_key_is_used_by_every_running_process_at_once(path: Path) -> None:
    one, _ = _process(path)
    other, _ = _process(path)
    before = one.encrypt(b"before")

    KeyFile(path).add()
    after = one.encrypt(b"after")

    assert Cipher(KeyFile(path).read()[:1]).decrypt(after) == b"after"
    assert (other.decrypt(after), other.decrypt(before)) == (b"after", b"before")
    assert one.fingerprints == other.fingerprints
    assert len(one.fingerprints) == 2


def test_a_dropped_key_opens_nothing_any_more(path: Path) -> None:
    cipher, file = _process(path)
    old = cipher.encrypt(b"secret")
    file.add()

    assert file.keep_newest(if_ring_is=file.read())

    assert len(cipher.fingerprints) == 1
    with pytest.raises(Undecryptable):
        cipher.decrypt(old)


def test_keys_are_not_dropped_from_a_ring_that_has_changed(path: Path) -> None:
    file = KeyFile(path)
    file.add()
    known = file.read()
    KeyFile(path).add()

    assert not file.keep_newest(if_ring_is=known)
    assert len(file.read()) == 3


def test_the_file_stays_readable_by_its_owner_only(path: Path) -> None:
    KeyFile(path).add()

    assert {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()} == {0o600}
    assert {one.name for one in path.parent.iterdir()} == {"fernet_key", "fernet_key.lock"}


def test_processes_that_rotate_together_add_one_key(path: Path) -> None:
    known = KeyFile(path).read()

    def rotate(_: int) -> bool:
        return KeyFile(path).add(unless=lambda keys: keys != known)

    with ThreadPoolExecutor(8) as threads:
        added = list(threads.map(rotate, range(8)))

    assert sum(added) == 1
    assert len(KeyFile(path).read()) == 2


def test_a_file_that_vanished_leaves_the_ring_as_it_was(path: Path) -> None:
    cipher, _ = _process(path)
    ciphertext = cipher.encrypt(b"secret")

    path.unlink()

    assert cipher.decrypt(cipher.encrypt(b"more")) == b"more"
    assert cipher.decrypt(ciphertext) == b"secret"


@pytest.mark.parametrize("content", ["", "no key\n"])
def test_a_file_without_keys_is_refused(path: Path, content: str) -> None:
    path.write_text(content)

    with pytest.raises(KeyFileUnusable):
        KeyFile(path).read()


def test_a_fingerprint_tells_keys_apart_and_nothing_else() -> None:
    first, second = _key(), _key()

    fingerprints = Cipher([first, second]).fingerprints

    assert len(set(fingerprints)) == 2
    assert not any(fingerprint in first + second for fingerprint in fingerprints)
    assert Cipher([second]).fingerprints == fingerprints[1:]
