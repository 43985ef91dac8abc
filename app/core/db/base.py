"""What every table is made of: one metadata, UTC times, the database's own clock."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

Item = TypeVar("Item")

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Base(DeclarativeBase):
    """Base of the tables that repositories serve; the message path uses Core tables on the same metadata."""

    metadata = metadata


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime with microseconds.

    PostgreSQL stores `timestamptz`; SQLite stores the text `YYYY-MM-DD HH:MM:SS.ffffff` in UTC, which sorts as time
    does.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored: give it a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class ExactDecimal(TypeDecorator[Decimal]):
    """A Decimal that comes back as it went in: `numeric` on PostgreSQL, text on SQLite, which has no such type."""

    impl = sa.Numeric(24, 12)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.String(40))
        return dialect.type_descriptor(sa.Numeric(24, 12))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Decimal | str | None:
        return format(value, "f") if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        del dialect
        return None if value is None else Decimal(value)


class db_now(FunctionElement[datetime]):  # noqa: N801 - reads as the SQL function it is
    """The database's clock at the moment the statement runs (not at the start of its transaction)."""

    type = UtcDateTime()
    inherit_cache = True


class db_now_plus(FunctionElement[datetime]):  # noqa: N801 - reads as the SQL function it is
    """The database's clock plus a number of seconds, which may be a column."""

    type = UtcDateTime()
    inherit_cache = True

    def __init__(self, seconds: float | sa.ColumnElement[Any]) -> None:
        super().__init__(sa.literal(seconds, sa.Float()) if isinstance(seconds, int | float) else seconds)


def one_of(column: sa.ColumnElement[Any], words: Iterable[str]) -> sa.ColumnElement[bool]:
    """`column IN (words)`, or `column = word`, with the words in the statement's text instead of parameters.

    Only so does a planner see that a partial index with the same condition covers the query: SQLite never looks at
    parameters of an IN, and PostgreSQL does not once it has made its generic plan.
    """
    quoted = [_quoted(word) for word in words]
    return column.in_(quoted) if len(quoted) > 1 else column == quoted[0]


def _quoted(word: str) -> sa.ColumnElement[str]:
    if not word.isidentifier():
        raise ValueError(f"{word!r} is not a plain word, and it would be part of a statement")
    return sa.literal_column(f"'{word}'", sa.String())


def filled_up(values: Iterable[Item]) -> list[Item]:
    """List `values` for an expanding `IN`, the last one again and again up to a power of two.

    For what SQLAlchemy runs; a `Statement` has `any_of`.

    Each length is a statement of its own, which every PostgreSQL connection parses and plans when it first meets it; so
    there are nine of them up to 256 values and not 256.
    """
    found = list(values)
    missing = (1 << (len(found) - 1).bit_length()) - len(found) if found else 0
    return found + found[-1:] * missing


@compiles(db_now, "sqlite")
def _sqlite_now(element: db_now, compiler: SQLCompiler, **kwargs: Any) -> str:
    del element, compiler, kwargs
    return "strftime('%Y-%m-%d %H:%M:%f000', 'now')"


@compiles(db_now)
def _now(element: db_now, compiler: SQLCompiler, **kwargs: Any) -> str:
    del element, compiler, kwargs
    return "clock_timestamp()"


@compiles(db_now_plus, "sqlite")
def _sqlite_now_plus(element: db_now_plus, compiler: SQLCompiler, **kwargs: Any) -> str:
    seconds = compiler.process(element.clauses, **kwargs)
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', ({seconds}) || ' seconds')"


@compiles(db_now_plus)
def _now_plus(element: db_now_plus, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"(clock_timestamp() + make_interval(secs => {compiler.process(element.clauses, **kwargs)}))"


@compiles(sa.types.JSON, "postgresql")
def _jsonb(element: sa.types.JSON, compiler: Any, **kwargs: Any) -> str:
    del element, compiler, kwargs
    return "JSONB"
