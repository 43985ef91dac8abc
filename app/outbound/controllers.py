"""Messages over HTTP: the thread, writing into it, and the queue of what leaves."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody, QueryParameter, SkipValidation
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from app.audit.requests import entry
from app.audit.service import record
from app.core.db import Database
from app.core.db.events import EVENTS
from app.core.keyset import Cursor, Page
from app.core.security.actor import Actor
from app.core.security.guards import needs
from app.core.security.tokens import Access
from app.core.wake import Wake
from app.outbound import queries, service
from app.outbound.delivery import OUTBOX
from app.outbound.errors import OneAtATime
from app.outbound.queries import Wanted
from app.outbound.schemas import Message, NewMessage, OutboundDetails, OutboundMessage, Resolution
from app.outbound.states import State

_IDEMPOTENCY_KEY = r"^[\x21-\x7e]{1,128}$"
_WRITTEN_BEFORE = ResponseSpec(Message, description="This key has written the message before.", generate_examples=False)


class MessagesController(Controller):
    path = "/api/conversations/{conversation_id:uuid}/messages"
    tags = ("Conversations",)
    guards = (needs("conversations:read"),)

    @get("/", summary="A conversation's messages")
    async def find(
        self,
        conversation_id: FromPath[UUID],
        database: NamedDependency[Database],
        raw: FromQuery[bool] = False,
        around: FromQuery[UUID | None] = None,
        after: FromQuery[UUID | None] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        cursor: FromQuery[str | None] = None,
    ) -> Page[Message]:
        """List the messages of a conversation, the one stored last first; with `raw` also as they came or leave.

        With `around` the page has this message in its middle, and is continued to older ones by `cursor` as any other.
        With `after` it has those stored next after this message: ask again with the first of them until none comes.
        """
        if sum(one is not None for one in (cursor, around, after)) > 1:
            raise OneAtATime("around" if around is not None else "after")
        place = Cursor.decode(cursor) if cursor is not None else None
        async with database.read() as connection:
            if around is not None:
                return await queries.around(connection, conversation_id, around, limit=limit, raw=raw)
            if after is not None:
                return await queries.after(connection, conversation_id, after, limit=limit, raw=raw)
            return await queries.thread(connection, conversation_id, limit=limit, cursor=place, raw=raw)

    @post(
        "/",
        guards=[needs("conversations:answer")],
        responses={HTTP_200_OK: _WRITTEN_BEFORE},
        summary="Write a message",
    )
    async def write(
        self,
        conversation_id: FromPath[UUID],
        data: JSONBody[NewMessage],
        request: Request[Actor, Access, Any],
        database: NamedDependency[Database],
        wake: NamedDependency[SkipValidation[Wake]],
        idempotency_key: Annotated[
            str | None,
            HeaderParameter(
                name="Idempotency-Key",
                pattern=_IDEMPOTENCY_KEY,
                description="Sent again with the same key, the same request writes nothing new and answers 200.",
            ),
        ] = None,
    ) -> Response[Message]:
        """Queue a message and take the conversation over.

        Answers 200 with the message as it is now when this key has written it before, and 409 when the key has written
        another one, or when the 24-hour window is closed and the content is not a template.
        """
        async with database.write() as connection:
            written = await service.write(
                connection,
                conversation_id,
                data,
                user_id=request.user.user_id,
                idempotency_key=idempotency_key,
                now=await database.now(connection),
            )
            message = await queries.written_message(connection, written.id)
            if written.took_over:
                after = {"by": "message", "outbound_id": str(written.id)}
                taken = entry(request, "conversation.taken_over", "conversation", conversation_id, after=after)
                await record(connection, taken)
        wake.notify(OUTBOX)
        wake.notify(EVENTS)
        return Response(message, status_code=HTTP_201_CREATED if written.is_new else HTTP_200_OK)


class OutboundController(Controller):
    path = "/api/outbound"
    tags = ("Outbound",)
    guards = (needs("outbound:read"),)

    @get("/", summary="What leaves")
    async def find(
        self,
        database: NamedDependency[Database],
        in_state: Annotated[State | None, QueryParameter(name="state")] = None,
        channel_id: FromQuery[UUID | None] = None,
        conversation_id: FromQuery[UUID | None] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        cursor: FromQuery[str | None] = None,
    ) -> Page[OutboundMessage]:
        """List what waits to leave, is leaving or has left, the newest first."""
        wanted = Wanted(state=in_state, channel_id=channel_id, conversation_id=conversation_id)
        after = Cursor.decode(cursor) if cursor is not None else None
        async with database.read() as connection:
            return await queries.queue(connection, wanted, limit=limit, cursor=after)

    @get("/{outbound_id:uuid}", summary="A message that leaves")
    async def show(self, outbound_id: FromPath[UUID], database: NamedDependency[Database]) -> OutboundDetails:
        """Return one message that leaves, with its content."""
        async with database.read() as connection:
            return await queries.outbound(connection, outbound_id)

    @post(
        "/{outbound_id:uuid}/cancel",
        status_code=HTTP_200_OK,
        guards=[needs("outbound:decide")],
        summary="Withdraw a message",
    )
    async def cancel(
        self,
        outbound_id: FromPath[UUID],
        request: Request[Actor, Access, Any],
        database: NamedDependency[Database],
        wake: NamedDependency[SkipValidation[Wake]],
    ) -> OutboundDetails:
        """Withdraw a message that still waits. Answers 409 once it is being sent, or has ended."""
        async with database.write() as connection:
            now = await database.now(connection)
            await service.cancel(connection, outbound_id, user_id=request.user.user_id, now=now)
            message = await queries.outbound(connection, outbound_id)
            await record(connection, entry(request, "outbound.cancelled", "outbound", outbound_id))
        wake.notify(OUTBOX)  # what waited behind it may leave now
        wake.notify(EVENTS)
        return message

    @post(
        "/{outbound_id:uuid}/resolve",
        status_code=HTTP_200_OK,
        guards=[needs("outbound:decide")],
        summary="Decide about a message that is not confirmed",
    )
    async def resolve(
        self,
        outbound_id: FromPath[UUID],
        data: JSONBody[Resolution],
        request: Request[Actor, Access, Any],
        database: NamedDependency[Database],
        wake: NamedDependency[SkipValidation[Wake]],
    ) -> OutboundDetails:
        """Say what became, or shall become, of an `unknown` message.

        Sent again, it waits as `retry`; a status that comes before it leaves still settles it. Answers 409 when
        WhatsApp or somebody else has settled it meanwhile, and when it would not leave any more.
        """
        async with database.write() as connection:
            now = await database.now(connection)
            await service.resolve(connection, outbound_id, data.decision, user_id=request.user.user_id, now=now)
            message = await queries.outbound(connection, outbound_id)
            after = {"decision": data.decision}
            await record(connection, entry(request, "outbound.resolved", "outbound", outbound_id, after=after))
        wake.notify(OUTBOX)
        wake.notify(EVENTS)
        return message
