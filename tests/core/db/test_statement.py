import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from app.ai.llm.models import model_calls
from app.core.db import Database, DatabaseUnavailable, InsertMany, Statement, any_of, db_now, savepoint
from app.core.db.events import events
from app.core.ids import new_id
from tests.builders.rows import build
from tests.databases import PostgresDatabases

AT = datetime(2026, 11, 28, 4, 5, 6, 789, tzinfo=UTC)


@pytest.fixture
async def postgres_database(postgres_template: PostgresDatabases) -> AsyncIterator[Database]:
    with postgres_template.fresh(postgres_template.template("migrated", build)) as url:
        async with Database(url) as database:
            yield database


ADD = InsertMany(events, skip_existing=True, returning=[events.c.name])
ALL = Statement(sa.select(events.c.id, events.c.name, events.c.payload, events.c.due_at).order_by(events.c.name))
NAMED = Statement(sa.select(events.c.id).where(any_of(events.c.name, "names")).order_by(events.c.name))
MOVE = Statement(sa.update(events).where(events.c.id == sa.bindparam("one")).values(due_at=sa.bindparam("at")))


def row(name: str, row_id: UUID | None = None, at: datetime = AT) -> dict[str, object]:
    return {"id": row_id or new_id(), "name": name, "payload": b"\x00\xff", "due_at": at}


async def test_rows_come_back_as_they_went_in(database: Database) -> None:
    given = row("a", at=AT.astimezone(timezone(timedelta(hours=-5))))
    async with database.write() as connection:
        assert [one.name for one in await ADD.rows(connection, [given])] == ["a"]
        (found,) = await ALL.rows(connection)
    assert (found.id, found.name, found.payload, found.due_at) == (given["id"], "a", b"\x00\xff", AT)
    assert found.due_at.tzinfo is UTC
    assert isinstance(found.id, UUID)


async def test_it_speaks_the_same_language_as_sqlalchemy(database: Database) -> None:
    given = row("a")
    async with database.write() as connection:
        await connection.execute(events.insert().values(**row("b")))
        await ADD.run(connection, [given])
        both = (await connection.execute(sa.select(*events.c).order_by(events.c.name))).all()
        assert [tuple(one) for one in await ALL.rows(connection)] == [tuple(one) for one in both]


async def test_amounts_numbers_and_nothing_keep_their_types(database: Database) -> None:
    add = InsertMany(model_calls)
    read = Statement(sa.select(model_calls.c.cost_usd, model_calls.c.position).order_by(model_calls.c.position))
    values = {"turn_id": new_id(), "token": 1, "provider": "p", "model": "m", "outcome": "answered", "milliseconds": 1}
    amounts = [Decimal("0.000000000001"), None]
    async with database.write() as connection:
        rows = [{"id": new_id(), "position": at, "cost_usd": cost, **values} for at, cost in enumerate(amounts)]
        await add.run(connection, rows)
        assert [tuple(one) for one in await read.rows(connection)] == [(amounts[0], 0), (None, 1)]


async def test_rows_that_are_there_already_are_left_out(database: Database) -> None:
    first = row("a")
    async with database.write() as connection:
        await ADD.run(connection, [first])
        added = await ADD.rows(connection, [row("b"), row("c", row_id=first["id"]), row("d")])  # type: ignore[arg-type]
        assert sorted(one.name for one in added) == ["b", "d"]
        assert await ADD.rows(connection, []) == []


async def test_an_expression_is_the_same_for_every_row(database: Database) -> None:
    add = InsertMany(events, given={"due_at": db_now()})
    async with database.write() as connection:
        await add.run(connection, [{name: one[name] for name in ("id", "name", "payload")} for one in map(row, "ab")])
        found = await ALL.rows(connection)
    assert [one.name for one in found] == ["a", "b"]
    assert all(abs(one.due_at - datetime.now(UTC)) < timedelta(minutes=1) for one in found)


@pytest.mark.parametrize("wanted", [[], ["a"], ["b", "a", "nobody"], ["a"] * 300], ids=len)
async def test_a_list_has_any_length(database: Database, wanted: list[str]) -> None:
    rows = [row("a"), row("b"), row("c")]
    ids = {one["name"]: one["id"] for one in rows}
    async with database.write() as connection:
        await ADD.run(connection, rows)
        found = await NAMED.values(connection, names=wanted)
    assert found == [ids[name] for name in sorted({"a", "b"} & set(wanted))]


async def test_it_runs_once_for_each_set_of_parameters(database: Database) -> None:
    rows = [row("a"), row("b")]
    async with database.write() as connection:
        await ADD.run(connection, rows)
        later = [{"one": one["id"], "at": AT + timedelta(days=day)} for day, one in enumerate(rows)]
        await MOVE.run_each(connection, later)
        assert [one.due_at for one in await ALL.rows(connection)] == [AT, AT + timedelta(days=1)]


async def test_it_reads_where_nobody_writes(database: Database) -> None:
    async with database.write() as connection:
        await ADD.run(connection, [row("a")])
    async with database.read() as connection:
        assert [one.name for one in await ALL.rows(connection)] == ["a"]


async def test_a_mistake_is_sqlalchemys_error_and_hides_what_people_wrote(database: Database) -> None:
    add = InsertMany(events)
    first = row("call me at 573001112233")
    async with database.write() as connection:
        await add.run(connection, [first])
        with pytest.raises(sa.exc.IntegrityError) as caught:
            async with savepoint(connection):
                await add.run(connection, [first])
        assert "573001112233" not in str(caught.value).partition("DETAIL")[0]
        assert len(await ALL.rows(connection)) == 1


async def test_what_is_too_long_is_refused_and_not_cut_off(postgres_database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError):
        async with postgres_database.write() as connection:
            await ADD.run(connection, [row("x" * 61)])


async def test_a_naive_time_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="naive"):
        async with database.write() as connection:
            await ADD.run(connection, [row("a", at=datetime(2026, 1, 1))])  # noqa: DTZ001 - what is tested


async def test_a_value_of_another_type_is_the_callers_mistake_and_no_loss_of_the_database(
    postgres_database: Database,
) -> None:
    with pytest.raises(sa.exc.DBAPIError):
        async with postgres_database.write() as connection:
            await ADD.run(connection, [row(7)])  # type: ignore[arg-type]


async def test_a_server_that_ends_meanwhile_is_unavailable_and_its_connection_replaced(
    postgres_database: Database,
) -> None:
    async def lose() -> None:
        async with postgres_database.write() as connection:
            pid = await connection.scalar(sa.text("SELECT pg_backend_pid()"))
            async with postgres_database.write() as other:
                await other.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
            await ALL.rows(connection)

    for _ in range(12):  # more often than there are connections
        with pytest.raises(DatabaseUnavailable):
            await lose()
    async with postgres_database.read() as connection:
        assert await ALL.rows(connection) == []


async def test_a_commit_after_an_error_that_was_swallowed_is_no_success(postgres_database: Database) -> None:
    async def swallow() -> None:
        async with postgres_database.write() as connection:
            with contextlib.suppress(sa.exc.DBAPIError):
                await ADD.run(connection, [row("x" * 61)])

    with pytest.raises(DatabaseUnavailable):
        await swallow()


def test_a_parameter_without_a_type_is_refused() -> None:
    untyped = Statement(sa.select(sa.literal(1, sa.Integer()).label("one")).limit(sa.bindparam("limit")))
    with pytest.raises(TypeError, match="limit"):
        untyped._form(sqlite.dialect())
