"""Statements of the message path: written in SQLAlchemy's language, compiled once, run by the driver itself.

What SQLAlchemy does for each execution (contexts, events, parameters by name, rows, a greenlet to wait in) costs
several times what SQLite or asyncpg do for the statements that carry messages. A `Statement` leaves that out and keeps
the rest: columns and types are the tables' own, errors are SQLAlchemy's, and it runs inside the connection's unit of
work.
"""

import json
import sqlite3
from abc import ABC, abstractmethod
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import aiosqlite
import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert  # SQLite understands the same ON CONFLICT DO NOTHING
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.core.db.base import ExactDecimal, UtcDateTime
from app.core.db.connections import driver_of, told
from app.core.db.sqlite_writer import WriterConnection

__all__ = ["InsertMany", "Statement", "any_of"]

Convert = Callable[[Any], Any]


class Statement:
    """One SQL statement with named parameters (`sa.bindparam`), for SQLite and PostgreSQL.

    Rows come back as named tuples of the selected columns. Raises what SQLAlchemy raises for the same mistake. Lists
    are given to `any_of`; an expanding `IN` would be another statement for each length.
    """

    def __init__(self, clause: sa.Executable) -> None:
        self._clause: Any = clause
        self._forms: dict[str, _Form] = {}

    async def rows(self, connection: AsyncConnection, **parameters: Any) -> list[Any]:
        """Run it once and return its rows."""
        form = self._form(connection.dialect)
        return await form.fetch(driver_of(connection), form.arguments(parameters))

    async def values(self, connection: AsyncConnection, **parameters: Any) -> list[Any]:
        """Run it once and return the first column of its rows."""
        return [row[0] for row in await self.rows(connection, **parameters)]

    async def run(self, connection: AsyncConnection, **parameters: Any) -> None:
        """Run it once."""
        await self.rows(connection, **parameters)

    async def run_each(self, connection: AsyncConnection, parameters: Iterable[Mapping[str, Any]]) -> None:
        """Run it once for each set of parameters; all sets have the same names."""
        form = self._form(connection.dialect)
        await form.each(driver_of(connection), [form.arguments(one) for one in parameters])

    def _form(self, dialect: Dialect) -> "_Form":
        form = self._forms.get(dialect.name)
        if form is None:
            form = self._forms[dialect.name] = _FORMS[dialect.name](self._clause.compile(dialect=dialect), dialect)
        return form


class InsertMany:
    """Insert any number of rows; `given` are expressions for columns that the rows do not have.

    With `skip_existing`, rows that collide with existing ones are left out. PostgreSQL gets the rows as one array a
    column, so that any number of them is one prepared statement.
    """

    def __init__(
        self,
        table: sa.Table,
        *,
        given: Mapping[str, sa.ColumnElement[Any]] | None = None,
        skip_existing: bool = False,
        returning: Sequence[sa.ColumnElement[Any]] = (),
    ) -> None:
        self._table = table
        self._given = dict(given or {})
        self._skip_existing = skip_existing
        self._returning = returning
        self._statements: dict[tuple[str, ...], tuple[Statement, Statement]] = {}

    async def rows(self, connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Insert `rows`, all with the same columns; return what `returning` names of those that were inserted."""
        if not rows:
            return []
        columns = tuple(rows[0])
        one, many = self._statements.get(columns) or self._written(columns)
        if connection.dialect.name == "postgresql":
            return await many.rows(connection, **{name: [row[name] for row in rows] for name in columns})
        if not self._returning:
            await one.run_each(connection, rows)
            return []
        return [found for row in rows for found in await one.rows(connection, **row)]

    async def run(self, connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert `rows`."""
        await self.rows(connection, rows)

    def _written(self, columns: tuple[str, ...]) -> tuple[Statement, Statement]:
        """Return the statement for one row and the one for many."""
        kinds = {name: self._table.c[name].type for name in columns}
        named = {name: sa.bindparam(name, type_=kind) for name, kind in kinds.items()}
        lists = [sa.func.unnest(sa.bindparam(name, type_=_List(kind))) for name, kind in kinds.items()]
        source = sa.select(*lists, *self._given.values())
        one = upsert(self._table).values(**named, **self._given)
        many = upsert(self._table).from_select([*columns, *self._given], source, include_defaults=False)
        written = (self._ended(one), self._ended(many))
        self._statements[columns] = written
        return written

    def _ended(self, insert: Any) -> Statement:
        insert = insert.on_conflict_do_nothing() if self._skip_existing else insert
        return Statement(insert.returning(*self._returning) if self._returning else insert)


class any_of(FunctionElement[Any]):  # noqa: N801 - reads as the SQL condition it is
    """`column = ANY (list)`, where the list is the parameter `name`: one statement for lists of any length."""

    type = sa.types.NullType()  # of a Boolean, SQLAlchemy would append "= 1" on SQLite, and no index would serve it
    inherit_cache = True

    def __init__(self, column: sa.ColumnElement[Any], name: str) -> None:
        super().__init__(column, sa.bindparam(name, type_=_List(column.type)))


@compiles(any_of, "sqlite")
def _sqlite_any_of(element: any_of, compiler: SQLCompiler, **kwargs: Any) -> str:
    column, values = (compiler.process(clause, **kwargs) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - made of compiled clauses


@compiles(any_of)
def _any_of(element: any_of, compiler: SQLCompiler, **kwargs: Any) -> str:
    column, values = (compiler.process(clause, **kwargs) for clause in element.clauses)
    return f"{column} = ANY ({values})"


class _List(TypeDecorator[Sequence[Any]]):
    """A list of values of one type: an array of PostgreSQL, a JSON array on SQLite."""

    impl = sa.String
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        # Text without a length: a cast to varchar(n) would cut what is too long, and the column then not refuse it.
        self.item = sa.Text() if isinstance(item, sa.String) else item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        kind = ARRAY(self.item) if dialect.name == "postgresql" else sa.Text()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        convert = _to_sqlite(self.item, dialect)
        return json.dumps([convert(one) for one in value] if convert is not None else list(value))


class _Form(ABC):
    """A statement as one database gets it: its text, and what its parameters and columns are converted with."""

    def __init__(self, compiled: Any, dialect: Dialect) -> None:
        self.text: Final[str] = compiled.string
        order: Sequence[str] = compiled.positiontup or ()
        kinds = _kinds(compiled, order)
        self._parameters = [(name, self._to_driver(kinds[name], dialect)) for name in order]
        self._constants = {
            name: value if convert is None or value is None else convert(value)
            for name, convert in self._parameters
            if not (bind := compiled.binds[name]).required
            for value in [bind.effective_value]
        }
        columns = compiled._result_columns  # noqa: SLF001 - the only place that knows the types of what comes back
        names = tuple(column.keyname for column in columns)
        row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # noqa: PYI024 - names of the statement
        self._row: Callable[[Iterable[Any]], Any] = row._make
        self._from_driver = [
            (place, convert)
            for place, column in enumerate(columns)
            if (convert := self._to_python(column.type, dialect)) is not None
        ]

    def arguments(self, given: Mapping[str, Any]) -> list[Any]:
        """Return the parameters in the statement's order, as the driver takes them. A name that is missing raises."""
        found = []
        constants = self._constants
        for name, convert in self._parameters:
            if name in constants:
                found.append(constants[name])
                continue
            value = given[name]
            found.append(value if convert is None or value is None else convert(value))
        return found

    def named(self, rows: Iterable[Sequence[Any]]) -> list[Any]:
        """Return the driver's rows as named tuples of Python's values."""
        make, converts = self._row, self._from_driver
        if not converts:
            return [make(row) for row in rows]
        found = []
        for row in rows:
            values = list(row)
            for place, convert in converts:
                value = values[place]
                if value is not None:
                    values[place] = convert(value)
            found.append(make(values))
        return found

    @abstractmethod
    async def fetch(self, driver: Any, arguments: Sequence[Any]) -> list[Any]: ...

    @abstractmethod
    async def each(self, driver: Any, arguments: Sequence[Sequence[Any]]) -> None: ...

    @abstractmethod
    def _to_driver(self, kind: TypeEngine[Any], dialect: Dialect) -> Convert | None: ...

    @abstractmethod
    def _to_python(self, kind: TypeEngine[Any], dialect: Dialect) -> Convert | None: ...


def _kinds(compiled: Any, names: Sequence[str]) -> dict[str, TypeEngine[Any]]:
    """Return the type of each parameter. One that stands in several places needs it in one of them."""
    kinds: dict[str, TypeEngine[Any]] = {}
    for bind, name in compiled.bind_names.items():
        if not bind.required or not isinstance(bind.type, sa.types.NullType):
            kinds.setdefault(name, bind.type)
    if untyped := set(names) - set(kinds):
        raise TypeError(f"parameters without a type: {', '.join(sorted(untyped))}")
    return kinds


class _SqliteForm(_Form):
    async def fetch(self, driver: WriterConnection | aiosqlite.Connection, arguments: Sequence[Any]) -> list[Any]:
        try:
            if isinstance(driver, WriterConnection):
                return self.named(driver.fetch(self.text, arguments))
            return self.named(await driver.execute_fetchall(self.text, arguments))
        except sqlite3.Error as error:
            raise told(self.text, error) from error

    async def each(self, driver: WriterConnection, arguments: Sequence[Sequence[Any]]) -> None:
        try:
            driver.each(self.text, arguments)
        except sqlite3.Error as error:
            raise told(self.text, error) from error

    def _to_driver(self, kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
        return _to_sqlite(kind, dialect)

    def _to_python(self, kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
        if isinstance(kind, sa.Uuid):
            return _uuid
        if isinstance(kind, UtcDateTime):
            return _utc_datetime
        return kind.dialect_impl(dialect).result_processor(dialect, None)


class _PostgresqlForm(_Form):
    async def fetch(self, driver: Any, arguments: Sequence[Any]) -> list[Any]:
        try:
            return self.named(await driver.fetch(self.text, *arguments))
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            raise told(self.text, error) from error

    async def each(self, driver: Any, arguments: Sequence[Sequence[Any]]) -> None:
        try:
            await driver.executemany(self.text, arguments)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            raise told(self.text, error) from error

    def _to_driver(self, kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
        if isinstance(kind, _List):
            convert = self._to_driver(kind.item, dialect)
            return None if convert is None else lambda values: [one if one is None else convert(one) for one in values]
        if isinstance(kind, UtcDateTime):
            return _aware
        return None if isinstance(kind, sa.Uuid) else kind.dialect_impl(dialect).bind_processor(dialect)

    def _to_python(self, kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
        # asyncpg gives these as they are, times in UTC.
        known = isinstance(kind, sa.Uuid | UtcDateTime | ExactDecimal)
        return None if known else kind.dialect_impl(dialect).result_processor(dialect, None)


_FORMS: dict[str, type[_Form]] = {"sqlite": _SqliteForm, "postgresql": _PostgresqlForm}


def _to_sqlite(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    if isinstance(kind, sa.Uuid):
        return _hex
    if isinstance(kind, UtcDateTime):
        return _utc_text
    if isinstance(kind, sa.LargeBinary):
        return None
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _hex(value: UUID) -> str:
    return value.hex


def _uuid(text: str) -> UUID:
    """Return `UUID(text)`, without looking whether 32 digits of our own are well formed: a third of the time."""
    found = object.__new__(UUID)
    object.__setattr__(found, "int", int(text, 16))
    object.__setattr__(found, "is_safe", _SAFE)
    return found


_SAFE = UUID(int=0).is_safe


def _utc_text(value: datetime) -> str:
    """Return what `UtcDateTime` stores on SQLite."""
    if value.tzinfo is not UTC:
        value = _aware(value).astimezone(UTC)
    return value.isoformat(" ", "microseconds")[:26]


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a naive datetime cannot be stored: give it a time zone")
    return value


def _utc_datetime(text: str) -> datetime:
    return datetime.fromisoformat(text + "+00:00")
