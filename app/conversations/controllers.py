"""Private notes and canned replies over HTTP."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter, SkipValidation

from app.audit.requests import entry
from app.audit.service import record
from app.conversations import canned_replies, notes
from app.conversations.schemas import CannedReply, CannedReplyDraft, NewNote, Note
from app.core.db import Database
from app.core.db.events import EVENTS
from app.core.keyset import Cursor, Page
from app.core.security.actor import Actor
from app.core.security.guards import needs
from app.core.security.tokens import Access
from app.core.wake import Wake

SignedInRequest = Request[Actor, Access, Any]


class NotesController(Controller):
    path = "/api/conversations/{conversation_id:uuid}/notes"
    tags = ("Conversations",)
    guards = (needs("conversations:read"),)

    @get("/", summary="A conversation's private notes")
    async def find(
        self,
        conversation_id: FromPath[UUID],
        database: NamedDependency[Database],
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        cursor: FromQuery[str | None] = None,
    ) -> Page[Note]:
        """List what colleagues noted, the newest first. The customer never sees it."""
        after = Cursor.decode(cursor) if cursor is not None else None
        async with database.read() as connection:
            return await notes.find(connection, conversation_id, limit=limit, cursor=after)

    @post("/", guards=[needs("conversations:answer")], summary="Note something")
    async def add(
        self,
        conversation_id: FromPath[UUID],
        data: JSONBody[NewNote],
        request: SignedInRequest,
        database: NamedDependency[Database],
        wake: NamedDependency[SkipValidation[Wake]],
    ) -> Note:
        """Leave a note for colleagues. It takes nothing over and never leaves to the customer."""
        async with database.write() as connection:
            now = await database.now(connection)
            note = await notes.add(connection, conversation_id, data.text, author_id=request.user.user_id, now=now)
        wake.notify(EVENTS)
        return note

    @delete("/{note_id:uuid}", guards=[needs("conversations:answer")], summary="Delete a note")
    async def delete(
        self,
        conversation_id: FromPath[UUID],
        note_id: FromPath[UUID],
        request: SignedInRequest,
        database: NamedDependency[Database],
        wake: NamedDependency[SkipValidation[Wake]],
    ) -> None:
        """Delete a note of one's own; supervisors delete anybody's."""
        author = None if request.user.may("conversations:supervise") else request.user.user_id
        async with database.write() as connection:
            await notes.delete(connection, conversation_id, note_id, of=author)
            await record(connection, entry(request, "note.deleted", "note", note_id))
        wake.notify(EVENTS)


class CannedRepliesController(Controller):
    path = "/api/canned-replies"
    tags = ("Conversations",)
    guards = (needs("conversations:answer"),)

    @get("/", summary="Canned replies")
    async def find(
        self,
        database: NamedDependency[Database],
        limit: Annotated[int, QueryParameter(ge=1, le=500)] = 500,
        cursor: FromQuery[str | None] = None,
    ) -> Page[CannedReply]:
        """List the texts that are written often, the one made last first."""
        after = Cursor.decode(cursor) if cursor is not None else None
        async with database.read() as connection:
            return await canned_replies.find(connection, limit=limit, cursor=after)

    @post("/", guards=[needs("conversations:supervise")], summary="Add a canned reply")
    async def add(
        self, data: JSONBody[CannedReplyDraft], request: SignedInRequest, database: NamedDependency[Database]
    ) -> CannedReply:
        """Keep a text under a shortcut. Answers 409 when another has the shortcut."""
        async with database.write() as connection:
            reply = await canned_replies.add(connection, data, now=await database.now(connection))
            await record(connection, entry(request, "canned_reply.added", "canned_reply", reply.id, after=data))
        return reply

    @put("/{reply_id:uuid}", guards=[needs("conversations:supervise")], summary="Change a canned reply")
    async def change(
        self,
        reply_id: FromPath[UUID],
        data: JSONBody[CannedReplyDraft],
        request: SignedInRequest,
        database: NamedDependency[Database],
    ) -> CannedReply:
        """Replace its shortcut, title and text; its uses stay. Answers 409 when another has the shortcut."""
        async with database.write() as connection:
            reply = await canned_replies.change(connection, reply_id, data)
            await record(connection, entry(request, "canned_reply.changed", "canned_reply", reply_id, after=data))
        return reply

    @delete("/{reply_id:uuid}", guards=[needs("conversations:supervise")], summary="Remove a canned reply")
    async def remove(
        self, reply_id: FromPath[UUID], request: SignedInRequest, database: NamedDependency[Database]
    ) -> None:
        """Remove a canned reply. Messages that were written with it stay as they are."""
        async with database.write() as connection:
            reply = await canned_replies.remove(connection, reply_id)
            before = {"shortcut": reply.shortcut, "title": reply.title}
            await record(connection, entry(request, "canned_reply.removed", "canned_reply", reply_id, before=before))
