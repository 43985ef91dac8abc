"""The key ring of an installation that keeps its own: one key a line, newest first, readable by this user only."""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet

from app.core.errors import MostradorError

_ONLY_OWNER: Final = 0o600


class KeyFileUnusable(MostradorError):
    """The file of the key ring cannot be read, or holds something else."""

    code = "key_file_unusable"


class KeyFile:
    """A `KeySource` that can also be changed, by one process at a time; readers see the old ring or the new one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None

    def read_if_changed(self) -> Sequence[str] | None:
        """Return the keys, newest first, if the file is not the one of the last call.

        A file that is gone for now leaves the ring as it is: keys in memory still open what is stored.

        Raises `KeyFileUnusable` for one that holds no keys.
        """
        try:
            status = self._path.stat()
            seen = (status.st_ino, status.st_mtime_ns)
            if seen == self._seen:
                return None
            keys = self.read()
        except FileNotFoundError:
            return None
        self._seen = seen
        return keys

    def read(self) -> tuple[str, ...]:
        """Return the keys as they are in the file."""
        keys = tuple(self._path.read_text(encoding="ascii").split())
        try:
            for key in keys:
                Fernet(key)
        except ValueError as error:
            raise KeyFileUnusable(f"{self._path} holds something that is no key") from error
        if not keys:
            raise KeyFileUnusable(f"{self._path} is empty: restore it from a backup")
        return keys

    def add(self, *, unless: Callable[[tuple[str, ...]], bool] = lambda _: False) -> bool:
        """Put a new key first, and tell whether that was done.

        `unless` is asked with the keys while nobody else can change them, so that two processes add one key.
        """
        with self._alone():
            keys = self.read()
            if unless(keys):
                return False
            self._write((Fernet.generate_key().decode(), *keys))
        return True

    def keep_newest(self, *, if_ring_is: tuple[str, ...]) -> bool:
        """Drop all keys but the first if the ring is still the one named, and tell whether that was done."""
        with self._alone():
            keys = self.read()
            if keys != if_ring_is or len(keys) == 1:
                return False
            self._write(keys[:1])
        return True

    def _write(self, keys: Sequence[str]) -> None:
        """Replace the file whole, on disk before it is named so."""
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _ONLY_OWNER)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.writelines(f"{key}\n" for key in keys)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
        directory = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        descriptor = os.open(self._path.with_name(f"{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, _ONLY_OWNER)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
