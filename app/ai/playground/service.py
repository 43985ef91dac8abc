"""Ask models as a customer would, with the real instructions; nothing is sent to anybody."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.ai.chain.order import public_id
from app.ai.chain.service import ModelChain
from app.ai.llm.attempts import Attempt, ChainFailed
from app.ai.llm.chat import ChatRequest
from app.ai.llm.models import model_calls
from app.ai.llm.provider import Route
from app.ai.llm.router import Router
from app.ai.llm.trace import trace_rows
from app.ai.playground.schemas import Instructions, Question, TriedAnswer, TriedAnswers
from app.ai.replies import prompt
from app.ai.replies.metering import count
from app.business import service as business
from app.business.schemas import BusinessProfile
from app.conversations.answering import Said, last_said
from app.conversations.queries import require
from app.core.db import Database
from app.core.errors import InvalidInput
from app.core.ids import new_id
from app.core.metrics import Metrics
from app.whatsapp.markup import to_whatsapp_markup

_SECONDS = 25.0  # what a customer's turn may take
_CHARACTERS_A_TOKEN = 3.5  # in Spanish


class Playground:
    """Puts one question to several routes at once. Its calls cost real money and stand in the trace like all others."""

    def __init__(self, database: Database, chain: ModelChain, router: Router, metrics: Metrics) -> None:
        self._database = database
        self._chain = chain
        self._router = router
        self._metrics = metrics

    async def ask(self, asked: Question) -> TriedAnswers:
        """Return each route's answer.

        Raises:
            InvalidInput: a route is named twice.
            RouteNotFound: there is no such route.
            ConversationNotFound: there is no such conversation.

        """
        if len(set(asked.route_ids)) < len(asked.route_ids):
            raise InvalidInput("a route is named twice", "route_ids")
        routes = [self._chain.route(route_id) for route_id in asked.route_ids]
        async with self._database.read() as connection:
            request = await _request(connection, asked.question, asked.conversation_id)
        tried = await asyncio.gather(*(self._try(route, request) for route in routes))
        await self._trace([attempt for _, attempts in tried for attempt in attempts])
        return TriedAnswers(answers=[answer for answer, _ in tried])

    async def _try(self, route: Route, request: ChatRequest) -> tuple[TriedAnswer, Sequence[Attempt]]:
        try:
            done = await self._router.ask_only(route, request, seconds=_SECONDS)
        except ChainFailed as failure:
            return _told(route, None, failure.attempts), failure.attempts
        return _told(route, to_whatsapp_markup(done.reply.text), done.attempts), done.attempts

    async def _trace(self, attempts: Sequence[Attempt]) -> None:
        count(self._metrics, attempts)
        rows = trace_rows(attempts, turn_id=new_id(), token=0)
        if rows:
            async with self._database.write() as connection:
                await connection.execute(model_calls.insert(), rows)


def preview(profile: BusinessProfile) -> Instructions:
    """Return what models would be told if `profile` were stored."""
    text = prompt.instructions(profile, datetime.now(UTC))
    return Instructions(text=text, estimated_tokens=round(len(text) / _CHARACTERS_A_TOKEN))


async def _request(connection: AsyncConnection, question: str, conversation_id: UUID | None) -> ChatRequest:
    stored = await business.get(connection)
    said: list[Said] = []
    if conversation_id is not None:
        await require(connection, conversation_id)
        said = await last_said(connection, conversation_id)
    now = datetime.now(UTC)
    return prompt.build_of([*said, Said("customer", "text", question, now)], stored, {}, now)


def _told(route: Route, text: str | None, attempts: Sequence[Attempt]) -> TriedAnswer:
    calls = [attempt for attempt in attempts if attempt.outcome != "skipped"]
    last = attempts[-1] if attempts else None
    # An answer of unknown price makes the sum unknown; a failure without usage cost nothing that anybody knows of.
    costs = [call.cost_usd for call in calls if call.outcome == "answered" or call.cost_usd is not None]
    return TriedAnswer(
        route_id=public_id(route),
        provider=route.provider.name,
        model=route.model,
        text=text,
        milliseconds=sum(call.milliseconds for call in calls),
        input_tokens=sum(call.input_tokens for call in calls),
        output_tokens=sum(call.output_tokens for call in calls),
        cost_usd=None if None in costs else sum((cost for cost in costs if cost is not None), Decimal(0)),
        error_kind=None if text is not None or last is None else last.kind or last.skipped,
        error_message="" if text is not None or last is None else last.message,
    )
