"""Secrets made on first start for those who configured none, kept in files that only this user can read."""

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from settings.env import BadSettings, Secret

__all__ = ["GeneratedSecrets", "new_fernet_key", "new_password", "new_secret"]

# Without i, l, o, u and digits that look like letters: the password is copied by hand from a terminal.
_LEGIBLE: Final = "abcdefghjkmnpqrstvwxyz23456789"
_PASSWORD_GROUPS: Final = 4
_PASSWORD_GROUP_CHARACTERS: Final = 5


def new_secret() -> str:
    """Return 32 random bytes as hexadecimal digits."""
    return secrets.token_hex(32)


def new_fernet_key() -> str:
    """Return 32 random bytes as URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def new_password() -> str:
    """Return a password of 98 random bits that can be read aloud."""
    groups = (
        "".join(secrets.choice(_LEGIBLE) for _ in range(_PASSWORD_GROUP_CHARACTERS)) for _ in range(_PASSWORD_GROUPS)
    )
    return "-".join(groups)


class GeneratedSecrets:
    """One file a secret in `<data_dir>/secrets`. Processes that start together agree on the same secrets.

    Raises `BadSettings` when a file cannot be read or written, or was emptied.
    """

    def __init__(self, data_dir: Path) -> None:
        self._directory = data_dir / "secrets"

    def get(self, name: str, make: Callable[[], str]) -> Secret:
        return self.get_or_create(name, make)[0]

    def path(self, name: str) -> Path:
        """Return where the secret called `name` is kept."""
        return self._directory / name

    def get_or_create(self, name: str, make: Callable[[], str]) -> tuple[Secret, bool]:
        """Return the secret called `name`, and whether this call has made it."""
        path = self._directory / name
        try:
            created = not path.exists() and self._create(path, make())
            value = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not plain text"
            raise BadSettings([f"DATA_DIR: {path} cannot be used ({reason}); correct its owner and mode"]) from error
        if not value:
            raise BadSettings([f"DATA_DIR: {path} is empty; restore it from a backup, or remove it to have a new one"])
        return Secret(value), created

    def _create(self, path: Path, value: str) -> bool:
        """Write `value` to `path` unless another process was first; return whether it was us.

        The file appears whole or not at all: it is written under another name and then linked, which fails when the
        name is taken.
        """
        self._directory.mkdir(mode=0o700, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            _write_durably(draft, value)
            path.hardlink_to(draft)
        except FileExistsError:
            return False
        finally:
            draft.unlink(missing_ok=True)
        _sync_directory(self._directory)
        return True


def _write_durably(path: Path, value: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{value}\n")
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
