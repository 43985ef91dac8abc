"""Where things are kept: the data directory, the database, Redis."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from settings.env import Reader, absolute_path, split_url

__all__ = ["StorageSettings", "prepare", "read"]

_SQLITE: Final = "sqlite:///"
_POSTGRESQL: Final = ("postgresql", "postgres")


@dataclass(frozen=True, kw_only=True, slots=True)
class StorageSettings:
    """`data_dir` is absolute. `database_url` begins with `sqlite:///` or `postgresql://`. Both URLs may hold passwords.

    Without `redis_url` there is one process, and jobs run inside it.
    """

    data_dir: Path
    database_url: str = field(repr=False)
    database_pool_size: int
    redis_url: str | None = field(repr=False)

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith(_SQLITE)

    @property
    def sqlite_path(self) -> Path | None:
        """The database file, or None on PostgreSQL."""
        return Path(self.database_url.removeprefix(_SQLITE)) if self.is_sqlite else None


def read(reader: Reader) -> StorageSettings:
    data_dir = reader.path("DATA_DIR", "data")
    storage = StorageSettings(
        data_dir=data_dir,
        database_url=_database_url(reader, f"{_SQLITE}{data_dir / 'mostrador.db'}"),
        database_pool_size=reader.whole_number("DATABASE_POOL_SIZE", 10, minimum=2, maximum=200),
        redis_url=reader.url("REDIS_URL", None, schemes=("redis", "rediss"), credentials=True),
    )
    if storage.redis_url is not None and storage.is_sqlite:
        reader.problem(
            "DATABASE_URL",
            "REDIS_URL is for separate worker processes, and SQLite serves a single process",
            "write a postgresql:// address, or remove REDIS_URL",
        )
    return storage


def prepare(data_dir: Path, reader: Reader) -> None:
    """Create `data_dir`, readable by this user alone, unless it is there already."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        _unusable(reader, data_dir, f"cannot be created ({error.strerror})")
        return
    if not os.access(data_dir, os.R_OK | os.W_OK | os.X_OK):
        _unusable(reader, data_dir, "may not be written by this user")


def _unusable(reader: Reader, data_dir: Path, wrong: str) -> None:
    reader.problem("DATA_DIR", f"{data_dir} {wrong}", "write a directory that may be, or correct its owner")


def _database_url(reader: Reader, default: str) -> str:
    given = reader.text("DATABASE_URL", default)
    if given.startswith(_SQLITE):
        return _sqlite_url(reader, given)
    parts = split_url(given)
    # A PostgreSQL URL without a host is one that names a socket directory in its query.
    if parts is not None and parts.scheme in _POSTGRESQL and parts.path.strip("/"):
        return given.replace("postgres://", "postgresql://", 1) if parts.scheme == "postgres" else given
    reader.problem(
        "DATABASE_URL",
        "is not the address of an SQLite file or a PostgreSQL database",
        "write sqlite:///path/to/file.db or postgresql://user:password@host:5432/name, without a driver's name",
    )
    return given


def _sqlite_url(reader: Reader, given: str) -> str:
    name = given.removeprefix(_SQLITE)
    path = absolute_path(name)
    if not name or path is None or name.startswith(":memory:") or "?" in name:
        reader.problem(
            "DATABASE_URL",
            "names no SQLite file, and a database in memory would forget every message",
            "write sqlite:///path/to/file.db, without options",
        )
        return given
    return f"{_SQLITE}{path}"
