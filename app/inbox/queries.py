"""The inbox: reading conversations, newest first, and counting them."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.models import users
from app.accounts.schemas import Colleague
from app.contacts.models import contacts
from app.conversations.errors import ConversationNotFound
from app.conversations.models import conversations, messages
from app.conversations.queries import PREVIEW_CHARACTERS
from app.conversations.turns import Control
from app.core.db import one_of
from app.core.folding import fold
from app.core.keyset import Cursor, Page, beyond, paginate
from app.inbox.schemas import ContactSummary, Conversation, InboxCounts, LastMessage, Status
from app.outbound.models import outbound_messages
from app.outbound.queries import tick_of
from app.outbound.states import State
from app.whatsapp.window import window_closes_at

MOST_COUNTED = 1000
_MANY = 500

_PHONE = re.compile(r"[\d\s+().-]+")
_c, _m, _o = conversations.c, messages.c, outbound_messages.c
_IS_OPEN = _c.closed_at.is_(None)
# Values in the text and not as parameters: only so does a planner know the partial index.
_IS_UNREAD = _c.unread > sa.literal_column("0")
_IS_NOT_THE_BOTS = _c.control != sa.literal_column("'bot'")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which conversations to list; None means all. `assignee` may be a user, or nobody.

    `q` is part of a contact's name, whatever its case and accents, or digits of the phone number.
    """

    status: Status | None = None
    assignee: UUID | Literal["nobody"] | None = None
    control: Control | None = None
    attention: bool | None = None
    unread: bool | None = None
    channel_id: UUID | None = None
    q: str | None = None


async def find(connection: AsyncConnection, wanted: Wanted, *, limit: int, cursor: Cursor | None) -> Page[Conversation]:
    """Return a page of conversations, that with the newest message first."""
    statement = _CONVERSATIONS.where(*_conditions(wanted))
    if wanted.q is not None and (words := wanted.q.strip()):
        statement = statement.where(await _is_of(connection, _is_named(words)))
    if cursor is not None:
        statement = statement.where(beyond(cursor, _c.last_message_at, _c.id))
    newest_first = statement.order_by(_c.last_message_at.desc(), _c.id.desc())
    rows = (await connection.execute(newest_first.limit(limit + 1))).all()
    last = await _last_messages(connection, [row.id for row in rows[:limit]])
    return paginate(
        rows,
        limit=limit,
        item=lambda row: _conversation(row, last.get(row.id)),
        cursor=lambda row: Cursor(at=row.last_message_at, id=row.id),
    )


async def conversation(connection: AsyncConnection, conversation_id: UUID) -> Conversation:
    """Return one conversation. Raises `ConversationNotFound`."""
    row = (await connection.execute(_CONVERSATIONS.where(_c.id == conversation_id))).one_or_none()
    if row is None:
        raise ConversationNotFound
    return _conversation(row, (await _last_messages(connection, [row.id])).get(row.id))


async def conversations_by_id(connection: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, Conversation]:
    """Return those of these conversations that are there."""
    rows = (await connection.execute(_CONVERSATIONS.where(_c.id.in_(list(ids))))).all()
    last = await _last_messages(connection, [row.id for row in rows])
    return {row.id: _conversation(row, last.get(row.id)) for row in rows}


async def counts(connection: AsyncConnection, *, user_id: UUID) -> InboxCounts:
    """Count open conversations as this user sees them, of each kind up to a thousand."""
    kinds = {
        "open": _IS_OPEN,
        "mine": sa.and_(_IS_OPEN, _c.assignee_id == user_id),
        "unassigned": sa.and_(_IS_OPEN, _c.assignee_id.is_(None)),
        "attention": sa.and_(_IS_OPEN, _c.attention.is_not(None)),
        "unread": sa.and_(_IS_OPEN, _IS_UNREAD),
    }
    counted = {
        kind: sa.select(sa.func.count())
        .select_from(sa.select(_c.id).where(condition).limit(MOST_COUNTED).subquery())
        .scalar_subquery()
        .label(kind)
        for kind, condition in kinds.items()
    }
    row = (await connection.execute(sa.select(*counted.values()))).one()
    return InboxCounts(**row._mapping)  # noqa: SLF001 - public despite its name: a row as a mapping


_holder, _assignee = users.alias("holder"), users.alias("assignee")
_CONVERSATIONS = (
    sa.select(
        _c.id,
        _c.channel_id,
        _c.closed_at,
        _c.close_reason,
        _c.assignee_id,
        _assignee.c.username.label("assignee_name"),
        _c.control,
        _c.control_version,
        _c.held_by,
        _holder.c.username.label("held_by_name"),
        _c.attention,
        _c.unread,
        _c.last_message_at,
        _c.last_inbound_at,
        contacts.c.id.label("contact_id"),
        contacts.c.name,
        contacts.c.phone,
        contacts.c.user_id,
        contacts.c.approved,
    )
    .join(contacts, contacts.c.id == _c.contact_id)
    .outerjoin(_holder, _holder.c.id == _c.held_by)
    .outerjoin(_assignee, _assignee.c.id == _c.assignee_id)
)


def _conditions(wanted: Wanted) -> Iterable[sa.ColumnElement[bool]]:
    if wanted.status is not None:
        yield _IS_OPEN if wanted.status == "open" else ~_IS_OPEN
    if wanted.assignee is not None:
        yield _c.assignee_id.is_(None) if wanted.assignee == "nobody" else _c.assignee_id == wanted.assignee
    if wanted.control is not None:
        if wanted.control != "bot":
            yield _IS_NOT_THE_BOTS
        yield _c.control == wanted.control
    if wanted.attention is not None:
        yield _c.attention.is_not(None) if wanted.attention else _c.attention.is_(None)
    if wanted.unread is not None:
        yield _IS_UNREAD if wanted.unread else ~_IS_UNREAD
    if wanted.channel_id is not None:
        yield _c.channel_id == wanted.channel_id


async def _is_of(connection: AsyncConnection, named: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Return the condition for conversations with people who are `named` so.

    A rare name is looked for among the people first, so that not every conversation has to be looked at; one that many
    have turns up soon among the newest conversations.
    """
    found = await connection.scalars(sa.select(contacts.c.id).where(named).limit(_MANY + 1))
    ids = list(found)
    return _c.contact_id.in_(ids) if len(ids) <= _MANY else named


def _is_named(words: str) -> sa.ColumnElement[bool]:
    by_name = contacts.c.folded_name.contains(fold(words), autoescape=True)
    digits = re.sub(r"\D", "", words)
    if not digits or not _PHONE.fullmatch(words):
        return by_name
    return sa.or_(by_name, contacts.c.phone.contains(digits))


_newest = (
    sa.select(_m.id)
    .outerjoin(outbound_messages, _o.id == _m.id)
    .where(
        _m.conversation_id == _c.id,
        sa.or_(_o.state.is_(None), ~one_of(_o.state, (State.SUPERSEDED, State.CANCELLED))),
    )
    .order_by(_m.id.desc())
    .limit(1)
    .correlate(conversations)
    .scalar_subquery()
)
_LAST_MESSAGES = (
    sa.select(
        _m.id,
        _m.conversation_id,
        _m.author,
        _m.kind,
        sa.func.substr(_m.text, 1, PREVIEW_CHARACTERS).label("text"),
        _m.sent_at,
        _o.state,
        _o.delivered_at,
        _o.read_at,
    )
    .outerjoin(outbound_messages, _o.id == _m.id)
    .where(_m.id.in_(sa.select(_newest).where(_c.id.in_(sa.bindparam("ids", expanding=True)))))
)


async def _last_messages(connection: AsyncConnection, conversation_ids: Sequence[UUID]) -> dict[UUID, LastMessage]:
    """Return the newest message of each that is worth showing: one look into the thread's index for every one."""
    if not conversation_ids:
        return {}
    rows = await connection.execute(_LAST_MESSAGES, {"ids": conversation_ids})
    return {
        row.conversation_id: LastMessage(
            id=row.id,
            author=row.author,
            kind=row.kind,
            text=row.text,
            sent_at=row.sent_at,
            delivery=None if row.state is None else tick_of(row),
        )
        for row in rows
    }


def _conversation(row: Any, last_message: LastMessage | None) -> Conversation:
    return Conversation(
        id=row.id,
        channel_id=row.channel_id,
        contact=ContactSummary(
            id=row.contact_id, name=row.name, phone=row.phone, user_id=row.user_id, approved=bool(row.approved)
        ),
        status="open" if row.closed_at is None else "closed",
        closed_at=row.closed_at,
        close_reason=row.close_reason,
        assignee=None if row.assignee_id is None else Colleague(id=row.assignee_id, name=row.assignee_name),
        control=row.control,
        control_version=row.control_version,
        held_by=row.held_by,
        held_by_name=row.held_by_name,
        attention=row.attention,
        unread=row.unread,
        last_message_at=row.last_message_at,
        last_message=last_message,
        window_closes_at=window_closes_at(row.last_inbound_at),
    )
