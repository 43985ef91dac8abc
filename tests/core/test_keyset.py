import re
from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from app.core.db import Database, UtcDateTime
from app.core.errors import InvalidInput
from app.core.ids import new_id
from app.core.keyset import Cursor, Page, beyond, paginate

TABLE = sa.Table(
    "keyset_rows", sa.MetaData(), sa.Column("id", sa.Uuid(), primary_key=True), sa.Column("at", UtcDateTime())
)


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_cursor_survives_its_journey(at: datetime, row_id: UUID) -> None:
    text = Cursor(at=at, id=row_id).encode()
    assert Cursor.decode(text) == Cursor(at=at, id=row_id)
    assert len(text) == 32
    assert text.replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=64).filter(lambda text: not re.fullmatch(r"[A-Za-z0-9_-]{32}", text)))
def test_any_other_text_is_invalid_input(text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Cursor.decode(text)
    assert refusal.value.field == "cursor"


@pytest.mark.parametrize("text", ["", "A" * 31, "A" * 33, "/" * 32, "A" * 31 + "\n", "f_______" + "A" * 24, "ñ" * 32])
def test_a_cursor_out_of_range_is_invalid_input(text: str) -> None:
    with pytest.raises(InvalidInput):
        Cursor.decode(text)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{request.getfixturevalue('tmp_path')}/test.db"


@pytest.mark.parametrize("newest_first", [True, False])
async def test_pages_show_every_row_once_even_those_of_the_same_moment(url: str, newest_first: bool) -> None:
    moments = [datetime(2026, 1, 1, 12, 0, second, 123456, tzinfo=UTC) for second in (0, 1, 1, 1, 2, 2, 3)]
    rows = [{"id": new_id(), "at": at} for at in moments]
    async with Database(url) as database:
        async with database.write() as connection:
            await connection.run_sync(TABLE.create)
            await connection.execute(sa.insert(TABLE), rows)
        seen: list[UUID] = []
        page = await fetch(database, None, newest_first=newest_first)
        while page.next_cursor:
            seen += page.items
            page = await fetch(database, Cursor.decode(page.next_cursor), newest_first=newest_first)
        seen += page.items
    expected = [row["id"] for row in sorted(rows, key=lambda row: (row["at"], row["id"]), reverse=newest_first)]
    assert seen == expected


async def fetch(database: Database, after: Cursor | None, *, newest_first: bool) -> Page[UUID]:
    order = (TABLE.c.at.desc(), TABLE.c.id.desc()) if newest_first else (TABLE.c.at, TABLE.c.id)
    query = sa.select(TABLE).order_by(*order).limit(2 + 1)
    if after:
        query = query.where(beyond(after, TABLE.c.at, TABLE.c.id, newest_first=newest_first))
    async with database.read() as connection:
        rows = (await connection.execute(query)).all()
    return paginate(rows, limit=2, item=lambda row: row.id, cursor=lambda row: Cursor(at=row.at, id=row.id))
