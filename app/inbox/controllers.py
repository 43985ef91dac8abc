"""Conversations over HTTP: the inbox, who holds a conversation, who looks after it, and whether it is open."""

from typing import Annotated, Any, Literal
from uuid import UUID

import structlog
from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter, SkipValidation
from litestar.status_codes import HTTP_200_OK

from app.accounts.queries import may_answer
from app.audit.requests import entry
from app.audit.service import record
from app.conversations import service
from app.conversations.control import give_to
from app.conversations.turns import Control
from app.core.db import Database
from app.core.db.events import EVENTS
from app.core.errors import InvalidInput
from app.core.keyset import Cursor, Page
from app.core.log import current_correlation_id
from app.core.security.actor import Actor
from app.core.security.guards import needs
from app.core.security.tokens import Access
from app.core.wake import Wake
from app.inbox import queries, search
from app.inbox.queries import Wanted
from app.inbox.schemas import Assignment, Closing, ControlChange, Conversation, InboxCounts, MessageHit, Status

log = structlog.get_logger()


SignedInRequest = Request[Actor, Access, Any]
Waking = NamedDependency[SkipValidation[Wake]]

_ASSIGNEE = r"^(?:me|nobody|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})$"


class ConversationsController(Controller):
    path = "/api/conversations"
    tags = ("Conversations",)
    guards = (needs("conversations:read"),)

    @get("/", summary="The inbox")
    async def find(
        self,
        request: SignedInRequest,
        database: NamedDependency[Database],
        status: FromQuery[Status | None] = None,
        assignee: Annotated[str | None, QueryParameter(pattern=_ASSIGNEE)] = None,
        control: FromQuery[Control | None] = None,
        attention: FromQuery[bool | None] = None,
        unread: FromQuery[bool | None] = None,
        channel_id: FromQuery[UUID | None] = None,
        q: Annotated[str | None, QueryParameter(max_length=100)] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        cursor: FromQuery[str | None] = None,
    ) -> Page[Conversation]:
        """List conversations, that with the newest message first.

        `assignee` is `me`, `nobody` or the id of a user. `attention` and `unread` choose those that have (true) or have
        not (false). `q` is part of the contact's name, whatever its case and accents, or digits of the phone number.
        """
        wanted = Wanted(
            status=status,
            assignee=_assignee(assignee, request.user),
            control=control,
            attention=attention,
            unread=unread,
            channel_id=channel_id,
            q=q,
        )
        after = Cursor.decode(cursor) if cursor is not None else None
        async with database.read() as connection:
            return await queries.find(connection, wanted, limit=limit, cursor=after)

    @get("/counts", summary="How many there are")
    async def counts(self, request: SignedInRequest, database: NamedDependency[Database]) -> InboxCounts:
        """Count the open conversations: all, one's own, nobody's, those a person should look at, those not read."""
        async with database.read() as connection:
            return await queries.counts(connection, user_id=request.user.user_id)

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
        request: SignedInRequest,
        database: NamedDependency[Database],
        wake: Waking,
        data: JSONBody[ControlChange | None] = None,
    ) -> Conversation:
        """Hold the conversation yourself. Once this has answered, no answer of the bot starts to leave.

        Answers 409 when `expected_version` is given and is not the version any more.
        """
        return await _give(database, wake, conversation_id, "person", data, request)

    @post(
        "/{conversation_id:uuid}/hand-back",
        status_code=HTTP_200_OK,
        guards=[needs("conversations:answer")],
        summary="Let the bot answer again",
    )
    async def hand_back(
        self,
        conversation_id: FromPath[UUID],
        request: SignedInRequest,
        database: NamedDependency[Database],
        wake: Waking,
        data: JSONBody[ControlChange | None] = None,
    ) -> Conversation:
        """Give the conversation back to the bot, which answers what is written from now on.

        Answers 409 when `expected_version` is given and is not the version any more.
        """
        return await _give(database, wake, conversation_id, "bot", data, request)

    @post(
        "/{conversation_id:uuid}/read",
        status_code=HTTP_200_OK,
        guards=[needs("conversations:answer")],
        summary="Mark it as read",
    )
    async def read(
        self, conversation_id: FromPath[UUID], database: NamedDependency[Database], wake: Waking
    ) -> Conversation:
        """Set the count of unread messages to nothing. The customer is not told."""
        async with database.write() as connection:
            await service.mark_read(connection, conversation_id)
            conversation = await queries.conversation(connection, conversation_id)
        wake.notify(EVENTS)
        return conversation

    @post(
        "/{conversation_id:uuid}/assign",
        status_code=HTTP_200_OK,
        guards=[needs("conversations:answer")],
        summary="Let somebody look after it",
    )
    async def assign(
        self,
        conversation_id: FromPath[UUID],
        data: JSONBody[Assignment],
        request: SignedInRequest,
        database: NamedDependency[Database],
        wake: Waking,
    ) -> Conversation:
        """Assign the conversation to whoever can answer, or to nobody. Who answers stays as it is."""
        async with database.write() as connection:
            if data.user_id is not None and not await may_answer(connection, data.user_id):
                raise InvalidInput("nobody with this id can answer customers", field="user_id")
            before = await service.assign(connection, conversation_id, data.user_id)
            conversation = await queries.conversation(connection, conversation_id)
            if before != data.user_id:
                change = {"before": {"assignee": before}, "after": {"assignee": data.user_id}}
                await record(
                    connection, entry(request, "conversation.assigned", "conversation", conversation_id, **change)
                )
        wake.notify(EVENTS)
        return conversation

    @post(
        "/{conversation_id:uuid}/close",
        status_code=HTTP_200_OK,
        guards=[needs("conversations:answer")],
        summary="Close it",
    )
    async def close(
        self,
        conversation_id: FromPath[UUID],
        request: SignedInRequest,
        database: NamedDependency[Database],
        wake: Waking,
        data: JSONBody[Closing | None] = None,
    ) -> Conversation:
        """Close the conversation: it is done with. What the customer writes next opens it again."""
        async with database.write() as connection:
            was_open = await service.close(connection, conversation_id, data.reason if data is not None else None)
            conversation = await queries.conversation(connection, conversation_id)
            if was_open:
                await record(connection, entry(request, "conversation.closed", "conversation", conversation_id))
        wake.notify(EVENTS)
        return conversation

    @post(
        "/{conversation_id:uuid}/reopen",
        status_code=HTTP_200_OK,
        guards=[needs("conversations:answer")],
        summary="Open it again",
    )
    async def reopen(
        self,
        conversation_id: FromPath[UUID],
        request: SignedInRequest,
        database: NamedDependency[Database],
        wake: Waking,
    ) -> Conversation:
        """Open a closed conversation again."""
        async with database.write() as connection:
            was_closed = await service.reopen(connection, conversation_id)
            conversation = await queries.conversation(connection, conversation_id)
            if was_closed:
                await record(connection, entry(request, "conversation.reopened", "conversation", conversation_id))
        wake.notify(EVENTS)
        return conversation


class SearchController(Controller):
    path = "/api/search"
    tags = ("Conversations",)
    guards = (needs("conversations:read"),)

    @get("/", summary="Search messages")
    async def find(
        self,
        database: NamedDependency[Database],
        q: Annotated[str, QueryParameter(min_length=1, max_length=200)],
        limit: Annotated[int, QueryParameter(ge=1, le=50)] = 20,
        cursor: FromQuery[str | None] = None,
    ) -> Page[MessageHit]:
        """List the messages that hold every word of `q`, the newest first.

        Case and accents do not matter, and the last word may be the beginning of one.
        """
        after = Cursor.decode(cursor) if cursor is not None else None
        async with database.read() as connection:
            return await search.find(connection, q, limit=limit, cursor=after)


def _assignee(text: str | None, actor: Actor) -> UUID | Literal["nobody"] | None:
    if text is None:
        return None
    if text == "nobody":
        return "nobody"
    return actor.user_id if text == "me" else UUID(text)


async def _give(
    database: Database,
    wake: Wake,
    conversation_id: UUID,
    control: Control,
    change: ControlChange | None,
    request: SignedInRequest,
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
    wake.notify(EVENTS)
    log.info(
        "conversation.given",
        conversation_id=str(conversation_id),
        control=control,
        control_version=version,
        user_id=str(actor_id),
    )
    return conversation
