"""One unit of work, group commit, times and the events table: the only place that commits."""

from app.core.db.base import Base, ExactDecimal, UtcDateTime, db_now, db_now_plus, filled_up, metadata, one_of
from app.core.db.errors import DatabaseInUse, DatabaseUnavailable
from app.core.db.group_commit import GroupCommit
from app.core.db.session import Database, exclusive, savepoint
from app.core.db.statement import InsertMany, Statement, any_of

__all__ = [
    "Base",
    "Database",
    "DatabaseInUse",
    "DatabaseUnavailable",
    "ExactDecimal",
    "GroupCommit",
    "InsertMany",
    "Statement",
    "UtcDateTime",
    "any_of",
    "db_now",
    "db_now_plus",
    "exclusive",
    "filled_up",
    "metadata",
    "one_of",
    "savepoint",
]
