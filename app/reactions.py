"""The map of the house: who takes what arrives, and which event wakes whom, starts which job, reaches which browser."""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.business.events import BusinessProfileChanged
from app.contacts import service as contacts
from app.contacts.service import Identity
from app.conversations.events import (
    ControlChanged,
    ConversationChanged,
    MessageReceived,
    NoteAdded,
    NoteDeleted,
    TurnEnded,
)
from app.conversations.phone import receive_echo
from app.conversations.receive import Arrival, Threads, receive
from app.conversations.turns import Pace
from app.core.db import exclusive
from app.core.errors import Unavailable
from app.core.events import Event
from app.core.jobs import JobStarter
from app.live.bus import LiveBus
from app.live.schemas import LiveEvent, conversation_topic
from app.outbound.events import ChannelStopped, DeliveryChanged, MessageQueued
from app.outbound.settle import settle_turns
from app.outbound.statuses import Told, keep_statuses
from app.security.events import SecurityAlertOpened
from app.whatsapp.inbound import (
    AccountNotice,
    DeliveryStatus,
    IdentityChange,
    InboundMessage,
    PhoneEcho,
    PreferenceChange,
    Sender,
    Unreadable,
)
from app.whatsapp.ingest import Fact
from app.whatsapp.web.events import WebSessionChanged

log = structlog.get_logger()

EVENTS: dict[str, type[Event]] = {
    kind.name: kind
    for kind in (
        MessageReceived,
        TurnEnded,
        ControlChanged,
        ConversationChanged,
        NoteAdded,
        NoteDeleted,
        MessageQueued,
        DeliveryChanged,
        ChannelStopped,
        BusinessProfileChanged,
        SecurityAlertOpened,
        WebSessionChanged,
    )
}


class Arrivals:
    """Gives what webhooks tell to those it concerns, in the unit of work of the ingest.

    Statuses come first and the turns they end last: everybody locks outbound messages, conversations, turns.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._threads = Threads()

    def forget(self) -> None:
        """Forget what was remembered of a unit of work that failed."""
        self._threads.forget()

    async def take(self, connection: AsyncConnection, facts: Sequence[Fact], *, now: datetime) -> None:
        told: list[Told] = []
        arrivals: list[Arrival] = []
        others: list[Fact] = []
        for fact in facts:
            match fact.item:
                case DeliveryStatus() as status if fact.channel_id is not None:
                    told.append(Told(fact.channel_id, fact.event_id, status))
                case InboundMessage() as message if fact.channel_id is not None:
                    arrivals.append(Arrival(fact.channel_id, fact.event_id, message))
                case _:
                    others.append(fact)
        recorded = await keep_statuses(connection, told)
        for fact in others:
            await self._take_other(connection, fact)
        await receive(connection, arrivals, now=now, pace=self._pace, threads=self._threads)
        await settle_turns(connection, recorded.turn_ids, now=now)

    async def _take_other(self, connection: AsyncConnection, fact: Fact) -> None:
        match fact.item:
            case PhoneEcho() as echo:
                if fact.channel_id is not None:
                    await receive_echo(connection, fact.channel_id, echo, event_id=fact.event_id)
            case IdentityChange() as change:
                await exclusive(connection, "people")
                await contacts.move(connection, _identity(change.before), _identity(change.after))
                self._threads.forget()
            case PreferenceChange() as change:
                identity = Identity(phone=change.phone, user_id=change.user_id)
                stopped_at = change.at if change.value == "stop" else None
                await contacts.stop_marketing(connection, identity, stopped_at=stopped_at)
            case AccountNotice() as notice:
                log.warning("whatsapp.account_notice", field=notice.field, notice=notice.event)
            case DeliveryStatus() | InboundMessage() | Unreadable():
                log.warning("whatsapp.unroutable", event_id=str(fact.event_id))
            case _:
                assert_never(fact.item)


def _identity(sender: Sender) -> Identity:
    return Identity(sender.phone, sender.user_id, sender.parent_user_id)


class Reactions:
    """What follows from recorded events. Told at least once, so everything here may be told again."""

    def __init__(self, live: LiveBus, jobs: JobStarter) -> None:
        self._live = live
        self._jobs = jobs

    async def react(self, events: Sequence[Event]) -> None:
        if any(isinstance(event, MessageReceived) and event.media for event in events):
            await self._start("fetch_media")
        for event in events:
            topics, told = _live(event)
            for topic in topics:
                self._live.publish(topic, told)

    async def _start(self, job: str) -> None:
        """Start a job that asks the database what is due; its schedule finds what a lost start would have found."""
        try:
            await self._jobs.enqueue(job)
        except Unavailable as error:
            log.warning("reactions.job_not_started", job=job, code=error.code)


def _live(event: Event) -> tuple[tuple[str, ...], LiveEvent]:
    """Give the live topics that an event reaches, and what browsers are told: what to fetch again, no content."""
    match event:
        case MessageReceived(conversation_id=conversation_id, message_id=message_id):
            told = LiveEvent(type=event.name, conversation_id=conversation_id, message_id=message_id)
            return ("conversations", conversation_topic(conversation_id)), told
        case TurnEnded(conversation_id=conversation_id, turn_id=turn_id):
            told = LiveEvent(type=event.name, conversation_id=conversation_id, turn_id=turn_id)
            return ("conversations", conversation_topic(conversation_id)), told
        case ControlChanged(conversation_id=conversation_id) | ConversationChanged(conversation_id=conversation_id):
            told = LiveEvent(type=event.name, conversation_id=conversation_id)
            return ("conversations", conversation_topic(conversation_id)), told
        case (
            NoteAdded(conversation_id=conversation_id, note_id=note_id)
            | NoteDeleted(conversation_id=conversation_id, note_id=note_id)
        ):
            told = LiveEvent(type=event.name, conversation_id=conversation_id, note_id=note_id)
            return (conversation_topic(conversation_id),), told
        case MessageQueued(conversation_id=conversation_id, outbound_id=outbound_id):
            told = LiveEvent(type=event.name, conversation_id=conversation_id, outbound_id=outbound_id)
            return ("conversations", "outbound", conversation_topic(conversation_id)), told
        case DeliveryChanged(conversation_id=conversation_id, outbound_id=outbound_id):
            told = LiveEvent(type=event.name, conversation_id=conversation_id, outbound_id=outbound_id)
            return ("conversations", "outbound", conversation_topic(conversation_id)), told
        case ChannelStopped(channel_id=channel_id) | WebSessionChanged(channel_id=channel_id):
            return ("system",), LiveEvent(type=event.name, channel_id=channel_id)
        case _:
            return ("system",), LiveEvent(type=event.name)
