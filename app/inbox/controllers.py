"""Conversations over HTTP: the inbox, and who holds a conversation."""

from typing import Annotated, Any
from uuid import UUID

import structlog
from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from app.audit.requests import entry
from app.audit.service import record
from app.conversations import queries
from app.conversations.control import give_to
from app.conversations.queries import Wanted
from app.conversations.schemas import ControlChange, Conversation
from app.conversations.turns import Control
from app.core.db import Database
from app.core.keyset import Cursor, Page
from app.core.log import current_correlation_id
from app.core.security.actor import Actor
from app.core.security.guards import needs
from app.core.security.tokens import Access

log = structlog.get_logger()


class ConversationsController(Controller):
    path = "/api/conversations"
    tags = ("Conversations",)
    guards = (needs("conversations:read"),)

    @get("/", summary="The inbox")
    async def find(
        self,
        database: NamedDependency[Database],
        control: FromQuery[Control | None] = None,
        attention: FromQuery[bool | None] = None,
        unread: FromQuery[bool | None] = None,
        channel_id: FromQuery[UUID | None] = None,
        q: Annotated[str | None, QueryParameter(max_length=100)] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        cursor: FromQuery[str | None] = None,
    ) -> Page[Conversation]:
        """List conversations, that with the newest message first.

        `attention` and `unread` choose those that have (true) or have not (false). `q` is part of the contact's name,
        or digits of the phone number.
        """
        wanted = Wanted(control=control, attention=attention, unread=unread, channel_id=channel_id, q=q)
        after = Cursor.decode(cursor) if cursor is not None else None
        async with database.read() as connection:
            return await queries.find(connection, wanted, limit=limit, cursor=after)

    @get("/{conversation_id:uuid}", summary="A conversation")
    async def show(self, conversation_id: FromPath[UUID], database: NamedDependency[Database]) -> Conversation:
        """Return one conversation as the inbox shows it."""
        async with database.read() as connection:
            return await queries.conversation(connection, conversation_id)

    @post(
        "/{conversation_id:uuid}/take-over",
        status_code=HTTP_200_OK,
        guards=[needs("conversations:answer")],
        summary="Answer it yourself",
    )
    async def take_over(
        self,
        conversation_id: FromPath[UUID],
        request: Request[Actor, Access, Any],
        database: NamedDependency[Database],
        data: JSONBody[ControlChange | None] = None,
    ) -> Conversation:
        """Hold the conversation yourself. Once this has answered, no answer of the bot starts to leave.

        Answers 409 when `expected_version` is given and is not the version any more.
        """
        return await _give(database, conversation_id, "person", data, request)

    @post(
        "/{conversation_id:uuid}/hand-back",
        status_code=HTTP_200_OK,
        guards=[needs("conversations:answer")],
        summary="Let the bot answer again",
    )
    async def hand_back(
        self,
        conversation_id: FromPath[UUID],
        request: Request[Actor, Access, Any],
        database: NamedDependency[Database],
        data: JSONBody[ControlChange | None] = None,
    ) -> Conversation:
        """Give the conversation back to the bot, which answers what is written from now on.

        Answers 409 when `expected_version` is given and is not the version any more.
        """
        return await _give(database, conversation_id, "bot", data, request)

    @post(
        "/{conversation_id:uuid}/read",
        status_code=HTTP_200_OK,
        guards=[needs("conversations:answer")],
        summary="Mark it as read",
    )
    async def read(self, conversation_id: FromPath[UUID], database: NamedDependency[Database]) -> Conversation:
        """Set the count of unread messages to nothing. The customer is not told."""
        async with database.write() as connection:
            await queries.mark_read(connection, conversation_id)
            return await queries.conversation(connection, conversation_id)


async def _give(
    database: Database,
    conversation_id: UUID,
    control: Control,
    change: ControlChange | None,
    request: Request[Actor, Access, Any],
) -> Conversation:
    actor_id = request.user.user_id
    async with database.write() as connection:
        version = await give_to(
            connection,
            conversation_id,
            control,
            user_id=actor_id if control == "person" else None,
            expected_version=change.expected_version if change is not None else None,
            correlation_id=current_correlation_id(),
        )
        conversation = await queries.conversation(connection, conversation_id)
        action = "conversation.taken_over" if control == "person" else "conversation.handed_back"
        await record(connection, entry(request, action, "conversation", conversation_id))
    log.info(
        "conversation.given",
        conversation_id=str(conversation_id),
        control=control,
        control_version=version,
        user_id=str(actor_id),
    )
    return conversation
