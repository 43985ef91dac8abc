from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
import sqlalchemy as sa

from app.ai.llm.models import model_calls
from app.core.db import Database, db_now, db_now_plus, one_of
from app.core.db.events import events
from app.core.ids import new_id
from app.whatsapp.models import inbound_events


async def price(database: Database, amount: Decimal | None) -> Decimal | None:
    row_id = new_id()
    row = {"id": row_id, "turn_id": new_id(), "position": 0, "token": 1, "provider": "p", "model": "m"}
    async with database.write() as connection:
        await connection.execute(
            model_calls.insert().values(**row, outcome="answered", milliseconds=1, cost_usd=amount)
        )
        return await connection.scalar(sa.select(model_calls.c.cost_usd).where(model_calls.c.id == row_id))


@pytest.mark.parametrize(
    "amount", ["0", "0.000000000001", "0.1", "1234567.000001", "99999999999.999999999999", "1E-7", "1E+3"]
)
async def test_an_amount_comes_back_as_it_went_in(database: Database, amount: str) -> None:
    found = await price(database, Decimal(amount))
    assert isinstance(found, Decimal)
    assert found == Decimal(amount)


async def test_an_unknown_amount_stays_unknown(database: Database) -> None:
    assert await price(database, None) is None


async def test_a_time_comes_back_in_utc_whatever_zone_it_was_given_in(database: Database) -> None:
    at = datetime(2026, 3, 29, 3, 30, 0, 123456, tzinfo=timezone(timedelta(hours=-5)))
    async with database.write() as connection:
        await connection.execute(events.insert().values(id=new_id(), name="n", payload=b"", due_at=at))
        found = (await connection.execute(sa.select(events.c.due_at))).scalar_one()
    assert found == at
    assert found.tzinfo is UTC


async def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises((ValueError, sa.exc.StatementError)):
        async with database.write() as connection:
            await connection.execute(
                events.insert().values(id=new_id(), name="n", payload=b"", due_at=datetime(2026, 1, 1))  # noqa: DTZ001 - the mistake
            )


async def test_the_databases_clock_can_be_counted_forward_and_compared(database: Database) -> None:
    async with database.read() as connection:
        now, later, close = (await connection.execute(sa.select(db_now(), db_now_plus(90.5), db_now_plus(0.25)))).one()
    assert timedelta(seconds=90) < later - now < timedelta(seconds=91)
    assert timedelta(seconds=0.2) < close - now < timedelta(seconds=1.2)
    assert abs(datetime.now(UTC) - now) < timedelta(minutes=1)


def test_words_of_a_list_stand_in_the_statement_so_that_a_partial_index_is_found() -> None:
    statement = str(sa.select(inbound_events.c.id).where(one_of(inbound_events.c.state, ("pending", "dead"))))
    assert "IN ('pending', 'dead')" in statement


@pytest.mark.parametrize("word", ["it's", "", "a b", "1"])
def test_what_is_no_plain_word_does_not_get_into_a_statement(word: str) -> None:
    with pytest.raises(ValueError, match="not a plain word"):
        one_of(inbound_events.c.state, [word])
