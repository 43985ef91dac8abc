"""Reading and writing the operator's order, and what the trace of calls says of each route."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert as upsert  # SQLite understands the same ON CONFLICT DO NOTHING
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ai.chain.models import CHAT, model_chains
from app.ai.chain.schemas import CallsOfRoute, LastHour, RouteChoice, StoredOrder
from app.ai.llm.models import model_calls
from app.core.db import db_now
from app.core.ids import new_id

log = structlog.get_logger()

_c = model_chains.c
_MOST_MEASURED = 20_000
_COST_UNIT = 10**12  # costs have 12 decimals: whole numbers of them add up exactly on SQLite too, which has no decimals


async def stored_order(connection: AsyncConnection) -> StoredOrder:
    row = (await connection.execute(sa.select(*_c).where(_c.role == CHAT))).one_or_none()
    if row is None:
        return StoredOrder()
    return StoredOrder(
        choices=_choices(row.order), version=row.version, updated_at=row.updated_at, updated_by=row.updated_by
    )


async def replace_order(
    connection: AsyncConnection, choices: list[RouteChoice], *, expected_version: int, updated_by: UUID
) -> StoredOrder | None:
    """Store an order in place of version `expected_version`; None when another version is stored by now."""
    values = {
        "order": msgspec.json.encode(choices).decode(),
        "version": expected_version + 1,
        "updated_at": db_now(),
        "updated_by": updated_by,
    }
    if expected_version == 0:
        insert = upsert(model_chains).values(id=new_id(), role=CHAT, **values)
        written = await connection.execute(insert.on_conflict_do_nothing().returning(_c.version))
    else:
        mine = (_c.role == CHAT) & (_c.version == expected_version)
        written = await connection.execute(sa.update(model_chains).where(mine).values(**values).returning(_c.version))
    return None if written.one_or_none() is None else await stored_order(connection)


async def calls_since(connection: AsyncConnection, since: datetime) -> dict[tuple[str, str], CallsOfRoute]:
    """Return the calls of each (provider, model) since a moment; routes that were passed over made none."""
    c = model_calls.c
    recent = (c.at >= since) & (c.outcome != "skipped")
    totals = (
        sa.select(
            c.provider,
            c.model,
            sa.func.count().label("calls"),
            sa.func.count(sa.case((_is_failure(), 1))).label("failed"),
            _cost().label("cost"),
            sa.func.count(sa.case(((c.outcome == "answered") & c.cost_usd.is_(None), 1))).label("unpriced"),
            sa.func.max(sa.case((c.outcome == "answered", c.at))).label("last_answer_at"),
        )
        .where(recent)
        .group_by(c.provider, c.model)
    )
    found = {
        (row.provider, row.model): CallsOfRoute(
            calls=row.calls,
            failed=row.failed,
            cost_usd=Decimal(int(row.cost or 0)) / _COST_UNIT,
            unpriced=row.unpriced,
            last_answer_at=row.last_answer_at,
        )
        for row in await connection.execute(totals)
    }
    for row in await connection.execute(_last_failures(since)):
        found[row.provider, row.model] = msgspec.structs.replace(
            found[row.provider, row.model],
            last_error_kind=row.kind,
            last_error_message=row.detail or "",
            last_error_at=row.at,
        )
    return found


async def costs_since(connection: AsyncConnection, since: datetime) -> dict[tuple[str, str], Decimal]:
    """Return what each (provider, model) has cost since a moment, as far as prices are known."""
    c = model_calls.c
    rows = await connection.execute(
        sa.select(c.provider, c.model, _cost().label("cost"))
        .where(c.at >= since, c.cost_usd.is_not(None))
        .group_by(c.provider, c.model)
    )
    return {(row.provider, row.model): Decimal(int(row.cost or 0)) / _COST_UNIT for row in rows}


async def speed_since(connection: AsyncConnection, since: datetime) -> dict[tuple[str, str], LastHour]:
    """Return how each (provider, model) did since a moment, by its newest calls: at most 20,000 altogether."""
    c = model_calls.c
    newest = (
        sa.select(c.provider, c.model, c.outcome, c.milliseconds)
        .where(c.at >= since, (c.outcome == "answered") | _is_failure())
        .order_by(c.at.desc())
        .limit(_MOST_MEASURED)
        .subquery()
    )
    n = newest.c
    one_route = (n.provider, n.model, n.outcome)
    place = sa.func.row_number().over(partition_by=one_route, order_by=n.milliseconds)
    number = sa.func.count().over(partition_by=one_route)
    ranked = sa.select(
        n.provider, n.model, n.outcome, n.milliseconds, place.label("place"), number.label("n")
    ).subquery()
    r = ranked.c
    is_answer = r.outcome == "answered"

    def slowest_of(percent: int) -> sa.ColumnElement[int | None]:
        return sa.func.min(sa.case((is_answer & (r.place * 100 >= r.n * percent), r.milliseconds)))

    rows = await connection.execute(
        sa.select(
            r.provider,
            r.model,
            sa.func.count().label("calls"),
            sa.func.count(sa.case((~is_answer, 1))).label("failed"),
            slowest_of(50).label("p50"),
            slowest_of(95).label("p95"),
        ).group_by(r.provider, r.model)
    )
    return {
        (row.provider, row.model): LastHour(
            calls=row.calls, failed=row.failed, p50_milliseconds=row.p50, p95_milliseconds=row.p95
        )
        for row in rows
    }


def _is_failure() -> sa.ColumnElement[bool]:
    """Choose calls that the provider failed; one that was cancelled says nothing about the provider."""
    c = model_calls.c
    return (c.outcome == "failed") & c.kind.is_distinct_from("cancelled")


def _cost() -> sa.ColumnElement[int]:
    """Sum up costs as whole numbers of their last decimal."""
    units = sa.func.round(sa.type_coerce(model_calls.c.cost_usd, sa.Numeric()) * sa.literal_column(str(_COST_UNIT)))
    return sa.func.sum(sa.cast(units, sa.BigInteger()))


def _last_failures(since: datetime) -> sa.Select[tuple[str, str, str | None, str | None, datetime]]:
    c = model_calls.c
    age = sa.func.row_number().over(partition_by=(c.provider, c.model), order_by=(c.at.desc(), c.id.desc()))
    failures = (
        sa.select(c.provider, c.model, c.kind, c.detail, c.at, age.label("age"))
        .where(c.at >= since, _is_failure())
        .subquery()
    )
    f = failures.c
    return sa.select(f.provider, f.model, f.kind, f.detail, f.at).where(f.age == 1)


def _choices(stored: str) -> tuple[RouteChoice, ...]:
    try:
        return msgspec.json.decode(stored, type=tuple[RouteChoice, ...])
    except msgspec.DecodeError:
        log.exception("chain.order_unreadable")
        return ()
