"""Work that was given up: what a person may try again, or put away."""

from datetime import datetime
from typing import Any, Final, assert_never
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.conversations.models import messages, turns
from app.conversations.reopen import GIVEN_UP, reopen
from app.conversations.turns import State as TurnState
from app.core.db import db_now, one_of
from app.core.errors import NotFound
from app.core.keyset import Cursor, Page, paginate
from app.outbound import service as outbound
from app.outbound.models import outbound_messages
from app.outbound.states import State as OutboundState
from app.system.models import discarded_letters
from app.system.schemas import DeadLetter, LetterKind
from app.whatsapp import ingest
from app.whatsapp.media_store import fetch_again
from app.whatsapp.models import inbound_events, media

__all__ = ["LETTERS", "DeadLetterNotFound", "discard", "find", "retry"]


class DeadLetterNotFound(NotFound):
    code = "dead_letter_not_found"

    def __init__(self) -> None:
        super().__init__("there is no such dead letter: it was tried again or put away meanwhile")


def _letters(
    kind: LetterKind,
    row_id: sa.ColumnElement[UUID],
    *where: sa.ColumnElement[bool],
    reason: sa.ColumnElement[Any],
    at: sa.ColumnElement[Any],
    attempts: sa.ColumnElement[Any],
    conversation_id: sa.ColumnElement[Any] | None = None,
) -> sa.Select[Any]:
    """Select the dead letters of a kind that nobody has put away."""
    d = discarded_letters.c
    nowhere = sa.null() if conversation_id is None else conversation_id
    return sa.select(
        sa.literal(kind, sa.String()).label("kind"),
        row_id.label("id"),
        sa.cast(reason, sa.Text()).label("reason"),
        at.label("at"),
        attempts.label("attempts"),
        sa.cast(nowhere, sa.Uuid()).label("conversation_id"),
    ).where(*where, ~sa.exists().where(d.kind == kind, d.id == row_id))


_e, _t, _o, _m = inbound_events.c, turns.c, outbound_messages.c, media.c

LETTERS: Final[dict[LetterKind, sa.Select[Any]]] = {
    "webhook": _letters(
        "webhook",
        _e.id,
        _e.state == "dead",
        reason=_e.reason,
        at=sa.func.coalesce(_e.done_at, _e.received_at),
        attempts=_e.claims,
    ),
    "turn": _letters(
        "turn",
        _t.id,
        one_of(_t.state, (TurnState.FAILED,)),
        one_of(_t.reason, GIVEN_UP),
        reason=_t.reason,
        at=sa.func.coalesce(_t.ended_at, _t.opened_at),
        attempts=_t.token,
        conversation_id=_t.conversation_id,
    ),
    "outbound": _letters(
        "outbound",
        _o.id,
        one_of(_o.state, (OutboundState.FAILED,)),
        _o.reason.is_distinct_from(outbound.GIVEN_UP),
        reason=_o.reason,
        at=sa.func.coalesce(_o.failed_at, _o.created_at),
        attempts=_o.attempt,
        conversation_id=_o.conversation_id,
    ),
    "media": _letters(
        "media",
        _m.id,
        _m.state == "failed",
        reason=_m.reason,
        at=_m.due_at,
        attempts=_m.claims,
        conversation_id=sa.select(messages.c.conversation_id).where(messages.c.id == _m.message_id).scalar_subquery(),
    ),
}
"""Each kind as a statement with the members of `DeadLetter`."""


async def find(
    connection: AsyncConnection, kind: LetterKind | None, *, limit: int, cursor: Cursor | None
) -> Page[DeadLetter]:
    """Return a page of dead letters, that of the newest work first (ids are in the order in which it came)."""
    chosen = [LETTERS[kind]] if kind is not None else list(LETTERS.values())
    letters = sa.union_all(*chosen).subquery()
    statement = sa.select(letters).order_by(letters.c.id.desc()).limit(limit + 1)
    if cursor is not None:
        statement = statement.where(letters.c.id < cursor.id)
    rows = (await connection.execute(statement)).all()
    return paginate(rows, limit=limit, item=_letter, cursor=lambda row: Cursor(at=row.at, id=row.id))


async def retry(
    connection: AsyncConnection, kind: LetterKind, letter_id: UUID, *, user_id: UUID, now: datetime
) -> None:
    """Let it be tried again, at once.

    Raises `DeadLetterNotFound`, and what the work itself objects to: `TurnNotReopened`, `WindowClosed`, `CannotResend`.
    """
    letter = await _one(connection, kind, letter_id)
    match kind:
        case "webhook":
            await ingest.take_up(connection, letter_id)
        case "turn":
            await reopen(connection, letter.conversation_id, letter_id, now=now)
        case "outbound":
            await outbound.retry(connection, letter_id, user_id=user_id, now=now)
        case "media":
            await fetch_again(connection, letter_id)
        case _:
            assert_never(kind)


async def discard(
    connection: AsyncConnection, kind: LetterKind, letter_id: UUID, *, reason: str, user_id: UUID
) -> None:
    """Put a dead letter away: it stays what it is, and nobody is asked to look at it. Raises `DeadLetterNotFound`."""
    await _one(connection, kind, letter_id)
    await connection.execute(
        discarded_letters.insert().values(
            kind=kind, id=letter_id, reason=reason, discarded_by=user_id, discarded_at=db_now()
        )
    )


async def _one(connection: AsyncConnection, kind: LetterKind, letter_id: UUID) -> Any:
    letters = LETTERS[kind].subquery()
    row = (await connection.execute(sa.select(letters).where(letters.c.id == letter_id))).one_or_none()
    if row is None:
        raise DeadLetterNotFound
    return row


def _letter(row: Any) -> DeadLetter:
    return DeadLetter(**{name: getattr(row, name) for name in DeadLetter.__struct_fields__})
