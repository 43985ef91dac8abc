"""The operator's view of the work: what waits, who works, and what was given up."""

from typing import Annotated, Any
from uuid import UUID

import structlog
from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter, SkipValidation
from litestar.status_codes import HTTP_204_NO_CONTENT

from app.ai.replies.service import TURNS
from app.audit.requests import entry
from app.audit.service import record
from app.core.db import Database
from app.core.db.events import EVENTS
from app.core.keyset import Cursor, Page
from app.core.queue.queues import JobQueues
from app.core.security.actor import Actor
from app.core.security.guards import needs
from app.core.security.tokens import Access
from app.core.wake import Wake
from app.outbound.delivery import OUTBOX
from app.system import dead_letters
from app.system.queries import running_processes
from app.system.schemas import DeadLetter, Discard, LetterKind, Process, QueueState
from app.system.waiting import job_queues, stages
from app.whatsapp.intake import INBOX

log = structlog.get_logger()

SignedInRequest = Request[Actor, Access, Any]


class OperationsController(Controller):
    path = "/api/system"
    tags = ("System",)
    guards = (needs("system:read"),)

    @get("/queues", summary="What waits")
    async def queues(self, database: NamedDependency[Database], queues: NamedDependency[JobQueues]) -> list[QueueState]:
        """Return the stages of the message path, in its order, and the queues of jobs."""
        async with database.read() as connection:
            found = await stages(connection)
        return [*found, *await job_queues(queues)]

    @get("/workers", summary="Who works")
    async def workers(self, database: NamedDependency[Database]) -> list[Process]:
        """Return the processes of this installation that were heard of within the last day, newest first."""
        async with database.read() as connection:
            return await running_processes(connection)

    @get("/dead-letters", summary="What was given up")
    async def dead_letters(
        self,
        database: NamedDependency[Database],
        kind: FromQuery[LetterKind | None] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        cursor: FromQuery[str | None] = None,
    ) -> Page[DeadLetter]:
        """List webhooks, turns, messages and files that were given up and that nobody has put away, newest first."""
        after = Cursor.decode(cursor) if cursor is not None else None
        async with database.read() as connection:
            return await dead_letters.find(connection, kind, limit=limit, cursor=after)

    @post(
        "/dead-letters/{kind:str}/{letter_id:uuid}/retry",
        status_code=HTTP_204_NO_CONTENT,
        guards=[needs("system:manage")],
        summary="Try it again",
    )
    async def retry(
        self,
        kind: FromPath[LetterKind],
        letter_id: FromPath[UUID],
        request: SignedInRequest,
        database: NamedDependency[Database],
        wake: NamedDependency[SkipValidation[Wake]],
    ) -> None:
        """Take up what was given up once more, at once; nothing that was done before is done again.

        Answers 409 when it would come to nothing: a person holds the conversation, a newer turn is open, the 24-hour
        window is closed.
        """
        async with database.write() as connection:
            now = await database.now(connection)
            await dead_letters.retry(connection, kind, letter_id, user_id=request.user.user_id, now=now)
            await record(connection, entry(request, "dead_letter.retried", kind, letter_id))
        for topic in (INBOX, TURNS, OUTBOX, EVENTS):
            wake.notify(topic)
        log.info("dead_letter.retried", kind=kind, letter_id=str(letter_id))

    @post(
        "/dead-letters/{kind:str}/{letter_id:uuid}/discard",
        status_code=HTTP_204_NO_CONTENT,
        guards=[needs("system:manage")],
        summary="Put it away",
    )
    async def discard(
        self,
        kind: FromPath[LetterKind],
        letter_id: FromPath[UUID],
        data: JSONBody[Discard],
        request: SignedInRequest,
        database: NamedDependency[Database],
    ) -> None:
        """Put away what was given up, for a reason that the audit trail keeps. It is not counted any more."""
        user_id = request.user.user_id
        async with database.write() as connection:
            await dead_letters.discard(connection, kind, letter_id, reason=data.reason, user_id=user_id)
            after = {"reason": data.reason}
            await record(connection, entry(request, "dead_letter.discarded", kind, letter_id, after=after))
