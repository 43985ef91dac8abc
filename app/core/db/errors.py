"""What can go wrong with the database itself."""

from app.core.errors import MostradorError, Unavailable


class DatabaseUnavailable(Unavailable):
    """The database did not answer, or a COMMIT failed: nothing of the unit of work may be taken as stored."""

    code = "database_unavailable"


class DatabaseInUse(MostradorError):
    """Another process already writes to this SQLite file."""

    code = "database_in_use"
