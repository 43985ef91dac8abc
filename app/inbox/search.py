"""Searching messages by their words, the newest first, on either database."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.conversations.models import messages
from app.core.db import one_of
from app.core.keyset import Cursor, Page, paginate
from app.inbox import queries
from app.inbox.schemas import HitMessage, MessageHit, SnippetPart
from app.inbox.words import Query, query_of, snippet
from app.outbound.models import outbound_messages
from app.outbound.states import State

_m, _o = messages.c, outbound_messages.c
_words = sa.table("message_words", sa.column("rowid", sa.Integer()))
_positions = sa.table("message_positions", sa.column("position", sa.Integer()), sa.column("message_id", sa.Uuid()))
_LEFT = sa.or_(_o.state.is_(None), ~one_of(_o.state, (State.SUPERSEDED, State.CANCELLED)))
_HITS = sa.select(_m.id, _m.conversation_id, _m.author, _m.kind, _m.text, _m.sent_at)


async def find(connection: AsyncConnection, text: str, *, limit: int, cursor: Cursor | None) -> Page[MessageHit]:
    """Return a page of the messages that hold every word of `text`, the one stored last first.

    Case and accents do not matter, and the last word may be the beginning of one. What was overtaken or withdrawn
    before it left is not found.
    """
    query = query_of(text)
    if query is None:
        return Page(items=[])
    if connection.dialect.name == "sqlite":
        statement = _on_sqlite(query, cursor)
    else:
        # A word may be in one message or in every third one: the plan has to be made for it.
        await connection.execute(sa.text("SET LOCAL plan_cache_mode = force_custom_plan"))
        statement = _on_postgresql(query, cursor)
    rows = (await connection.execute(statement.limit(limit + 1))).all()
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


def _on_sqlite(query: Query, cursor: Cursor | None) -> sa.Select[Any]:
    """FTS5 walks its rows from the last one backwards and stops when there are enough."""
    asked = " AND ".join(f'"{word}"' for word in query.words) + ("*" if query.open_end else "")
    matched = sa.text("message_words MATCH :asked").bindparams(asked=asked)
    statement = (
        _HITS.select_from(_words)
        .join(_positions, _positions.c.position == _words.c.rowid)
        .join(messages, _m.id == _positions.c.message_id)
        .outerjoin(outbound_messages, _o.id == _m.id)
        .where(matched, _LEFT)
        .order_by(_words.c.rowid.desc())
    )
    if cursor is None:
        return statement
    place = sa.select(_positions.c.position).where(_positions.c.message_id == cursor.id).scalar_subquery()
    return statement.where(_words.c.rowid < place)


def _on_postgresql(query: Query, cursor: Cursor | None) -> sa.Select[Any]:
    asked = " & ".join(f"'{word}'" for word in query.words) + (":*" if query.open_end else "")
    matched = sa.text("messages.words @@ CAST(:asked AS tsquery)").bindparams(asked=asked)
    statement = _HITS.outerjoin(outbound_messages, _o.id == _m.id).where(matched, _LEFT).order_by(_m.id.desc())
    return statement if cursor is None else statement.where(_m.id < cursor.id)
