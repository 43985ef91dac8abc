"""Searching messages by their words, the newest first, on either database."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlalchemy.ext.asyncio import AsyncConnection

from app.conversations.models import messages
from app.core.db import one_of
from app.core.keyset import Cursor, Page, paginate
from app.inbox import queries
from app.inbox.schemas import HitMessage, MessageHit, SnippetPart
from app.inbox.words import Query, query_of, snippet
from app.outbound.models import outbound_messages
from app.outbound.states import State

_NEWEST = 5_000  # messages: looking through them costs some milliseconds

_m, _o = messages.c, outbound_messages.c
_SHOWN = (_m.id, _m.conversation_id, _m.author, _m.kind, _m.text, _m.sent_at)


async def find(connection: AsyncConnection, text: str, *, limit: int, cursor: Cursor | None) -> Page[MessageHit]:
    """Return a page of the messages that hold every word of `text`, the one stored last first.

    Case and accents do not matter, and the last word may be the beginning of one. What was overtaken or withdrawn
    before it left is not found.
    """
    query = query_of(text)
    if query is None:
        return Page(items=[])
    search = _on_sqlite if connection.dialect.name == "sqlite" else _on_postgresql
    rows = await search(connection, query, cursor, limit + 1)
    shown = await queries.conversations_by_id(connection, {row.conversation_id for row in rows[:limit]})
    return paginate(
        rows,
        limit=limit,
        item=lambda row: MessageHit(
            conversation=shown[row.conversation_id],
            message=HitMessage(id=row.id, author=row.author, kind=row.kind, sent_at=row.sent_at),
            snippet=[SnippetPart(text=part.text, marked=part.marked) for part in snippet(row.text, query)],
        ),
        cursor=lambda row: Cursor(at=row.sent_at, id=row.id),
    )


_words = sa.table("message_words", sa.column("rowid", sa.Integer()))
_positions = sa.table("message_positions", sa.column("position", sa.Integer()), sa.column("message_id", sa.Uuid()))


async def _on_sqlite(connection: AsyncConnection, query: Query, cursor: Cursor | None, limit: int) -> Sequence[Any]:
    """Let FTS5 walk its rows from the last one backwards, until there are enough."""
    asked = " AND ".join(f'"{word}"' for word in query.words) + ("*" if query.open_end else "")
    matched = sa.text("message_words MATCH :asked").bindparams(asked=asked)
    statement = (
        sa.select(*_SHOWN)
        .select_from(_words)
        .join(_positions, _positions.c.position == _words.c.rowid)
        .join(messages, _m.id == _positions.c.message_id)
        .where(matched, _has_left(_m.id))
        .order_by(_words.c.rowid.desc())
        .limit(limit)
    )
    if cursor is not None:
        place = sa.select(_positions.c.position).where(_positions.c.message_id == cursor.id).scalar_subquery()
        statement = statement.where(_words.c.rowid < place)
    return (await connection.execute(statement)).all()


async def _on_postgresql(connection: AsyncConnection, query: Query, cursor: Cursor | None, limit: int) -> Sequence[Any]:
    """Look through the newest messages first, and ask the index of words where they do not hold enough.

    A word that is not found often among them is in few messages altogether, which can be sorted. Asked in one
    statement, the planner would have to guess how often a word comes, and be wrong about every word that it does not
    know: it would walk through all messages for one that nobody ever wrote.
    """
    asked = " & ".join(f"'{word}'" for word in query.words) + (":*" if query.open_end else "")
    matched = sa.literal_column("words", TSVECTOR()).bool_op("@@")(sa.cast(asked, TSQUERY()))
    before = sa.true() if cursor is None else _m.id < cursor.id
    all_of = sa.select(*_SHOWN, sa.literal_column("words")).where(before)
    newest = all_of.order_by(_m.id.desc()).limit(_NEWEST).subquery("newest")
    rows = await _first(connection, newest, limit, matched)
    if len(rows) < limit:
        rows = await _first(connection, all_of.where(matched).cte("found").prefix_with("MATERIALIZED"), limit)
    return rows


async def _first(
    connection: AsyncConnection, messages_of: Any, limit: int, *conditions: sa.ColumnElement[bool]
) -> Sequence[Any]:
    columns = [messages_of.c[column.name] for column in _SHOWN]
    statement = sa.select(*columns).where(*conditions, _has_left(messages_of.c.id))
    return (await connection.execute(statement.order_by(messages_of.c.id.desc()).limit(limit))).all()


def _has_left(message_id: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Leave out what never left and never will; asked for each message, so that no more are looked at than shown."""
    state = sa.select(_o.state).where(_o.id == message_id).scalar_subquery()
    return ~one_of(sa.func.coalesce(state, ""), (State.SUPERSEDED, State.CANCELLED))
