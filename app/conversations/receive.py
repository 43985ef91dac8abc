"""What arrives becomes messages and turns, a whole batch in one unit of work."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.contacts import service as people
from app.contacts.service import Identity
from app.conversations import turns as words
from app.conversations.events import MessageReceived
from app.conversations.models import conversations, messages, turns
from app.core.db import InsertMany, Statement, any_of, db_now, exclusive, one_of
from app.core.db.events import record
from app.core.ids import ids_at, new_id
from app.whatsapp.inbound import InboundMessage
from app.whatsapp.models import media

_REMEMBERED_THREADS = 20_000
_REMEMBERED_SECONDS = 10.0


class Arrival(msgspec.Struct, frozen=True):
    """One inbound message, the channel it came to, and the webhook that brought it."""

    channel_id: UUID
    event_id: UUID
    message: InboundMessage

    @property
    def identity(self) -> Identity:
        sender = self.message.sender
        return Identity(sender.phone, sender.user_id, sender.parent_user_id)


Thread = tuple[UUID, Identity]


class Threads:
    """Remembers which conversation a person's messages go to, so that only a first message has to look.

    Forgets everything when a unit of work fails, because what it remembered may never have been stored, and every few
    seconds, because another process may have learned that an identifier belongs to somebody else now.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[Thread, UUID] = OrderedDict()
        self._since = clock()

    async def find(self, connection: AsyncConnection, arrivals: Sequence[Arrival]) -> dict[Thread, UUID]:
        """Return the conversation of each arrival's thread, opened where there is none."""
        if self._clock() - self._since > _REMEMBERED_SECONDS:
            self.forget()
        wanted = {(one.channel_id, one.identity): one.message.sender.profile_name for one in arrivals}
        found = {thread: self._known[thread] for thread in wanted if thread in self._known}
        missing = {thread: name for thread, name in wanted.items() if thread not in found}
        if missing:
            await exclusive(connection, "people")
            found |= await open_threads(connection, missing)
            self._known.update(found)
            while len(self._known) > _REMEMBERED_THREADS:
                self._known.popitem(last=False)
        return found

    def forget(self) -> None:
        self._known.clear()
        self._since = self._clock()


async def receive(
    connection: AsyncConnection, arrivals: Sequence[Arrival], *, now: datetime, pace: words.Pace, threads: Threads
) -> int:
    """Store `arrivals` and plan the turns that will answer them; return how many messages were new.

    A message that is there already changes nothing.
    """
    if not arrivals:
        return 0
    thread_of = await threads.find(connection, arrivals)
    placed = [(thread_of[one.channel_id, one.identity], one) for one in arrivals]
    await _lock(connection, {conversation_id for conversation_id, _ in placed})
    new = await _store(connection, placed, now)
    if new:
        await _touch(connection, new, now)
        await plan(connection, [(c, m, one.event_id) for c, m, one in new if one.message.turn], now=now, pace=pace)
        await record(
            connection,
            [
                MessageReceived(
                    correlation_id=one.event_id,
                    conversation_id=conversation_id,
                    message_id=message_id,
                    media=one.message.media is not None,
                )
                for conversation_id, message_id, one in new
            ],
        )
    return len(new)


New = tuple[UUID, UUID, Arrival]


async def open_threads(connection: AsyncConnection, missing: dict[Thread, str | None]) -> dict[Thread, UUID]:
    contact_of = await people.resolve(connection, [(thread[1], name) for thread, name in missing.items()])
    c = conversations.c
    rows = await connection.execute(
        sa.select(c.id, c.channel_id, c.contact_id).where(c.contact_id.in_(set(contact_of.values())))
    )
    known = {(row.channel_id, row.contact_id): row.id for row in rows}
    fresh = []
    for channel_id, identity in missing:
        pair = (channel_id, contact_of[identity])
        if pair not in known:
            known[pair] = new_id()
            fresh.append({"id": known[pair], "channel_id": pair[0], "contact_id": pair[1]})
    if fresh:
        await connection.execute(
            conversations.insert().values(
                id=sa.bindparam("id"),
                channel_id=sa.bindparam("channel_id"),
                contact_id=sa.bindparam("contact_id"),
                last_message_at=db_now(),
            ),
            fresh,
        )
    return {(channel_id, identity): known[channel_id, contact_of[identity]] for channel_id, identity in missing}


_c = conversations.c
_LOCK_CONVERSATIONS = Statement(sa.select(_c.id).where(any_of(_c.id, "ids")).order_by(_c.id).with_for_update())


async def _lock(connection: AsyncConnection, conversation_ids: Iterable[UUID]) -> None:
    """Take the conversations' row locks in one order, so that two processes never wait for each other."""
    await _LOCK_CONVERSATIONS.run(connection, ids=list(conversation_ids))


_STORE = InsertMany(
    messages,
    skip_existing=True,
    returning=[messages.c.id],
)


async def _store(connection: AsyncConnection, placed: Sequence[tuple[UUID, Arrival]], now: datetime) -> list[New]:
    rows: dict[tuple[UUID, str], tuple[dict[str, Any], UUID, Arrival]] = {}
    for (conversation_id, one), message_id in zip(placed, ids_at(now, len(placed)), strict=True):
        message = one.message
        rows.setdefault(
            (one.channel_id, message.message_id),
            (
                {
                    "id": message_id,
                    "conversation_id": conversation_id,
                    "channel_id": one.channel_id,
                    "author": "customer",
                    "kind": message.kind,
                    "text": message.text,
                    "payload": bytes(message.payload).decode("utf-8", "replace"),
                    "wamid": message.message_id,
                    "reply_to": message.reply_to,
                    "sent_at": message.sent_at,
                    "awaits_turn": int(message.turn),
                    "event_id": one.event_id,
                },
                conversation_id,
                one,
            ),
        )
    stored = {inserted.id for inserted in await _STORE.rows(connection, [row for row, _, _ in rows.values()])}
    new = [(conversation_id, row["id"], one) for row, conversation_id, one in rows.values() if row["id"] in stored]
    files = [_media_row(message_id, one) for _, message_id, one in new if one.message.media is not None]
    if files:
        await connection.execute(media.insert(), files)
    return new


def _media_row(message_id: UUID, one: Arrival) -> dict[str, object]:
    file = one.message.media
    assert file is not None  # noqa: S101 - chosen by the caller
    return {
        "id": new_id(),
        "message_id": message_id,
        "channel_id": one.channel_id,
        "provider_id": file.media_id[:200],
        "kind": one.message.kind,
        "mime_type": file.mime_type and file.mime_type[:100],
        "sha256": file.sha256 and file.sha256[:64],
        "filename": file.filename,
        "state": "pending",
    }


_newer = sa.or_(_c.last_inbound_at.is_(None), _c.last_inbound_at < sa.bindparam("sent_at"))
_TOUCH = Statement(
    sa.update(conversations)
    .where(_c.id == sa.bindparam("conversation_id"))
    .values(
        unread=_c.unread + sa.bindparam("count"),
        last_message_at=sa.bindparam("now"),
        last_inbound_at=sa.case((_newer, sa.bindparam("sent_at")), else_=_c.last_inbound_at),
        closed_at=None,
        close_reason=None,
    )
)


async def _touch(connection: AsyncConnection, new: Sequence[New], now: datetime) -> None:
    """Count the new messages as unread and move the conversations, open again, to the top of the inbox."""
    count: dict[UUID, int] = {}
    latest: dict[UUID, datetime] = {}
    for conversation_id, _, one in new:
        count[conversation_id] = count.get(conversation_id, 0) + 1
        sent_at = one.message.sent_at
        latest[conversation_id] = max(sent_at, latest.get(conversation_id, sent_at))
    await _TOUCH.run_each(
        connection,
        [
            {"conversation_id": key, "count": number, "now": now, "sent_at": latest[key]}
            for key, number in sorted(count.items())
        ],
    )


async def plan(
    connection: AsyncConnection,
    arrived: Sequence[tuple[UUID, UUID, UUID | None]],
    *,
    now: datetime,
    pace: words.Pace,
) -> None:
    """Give each (conversation, message, event) a place in a turn, as `words.place` decides, set by set.

    The caller holds the conversations' locks.
    """
    by_conversation: dict[UUID, list[tuple[UUID, UUID | None]]] = {}
    for conversation_id, message_id, event_id in arrived:
        by_conversation.setdefault(conversation_id, []).append((message_id, event_id))
    if not by_conversation:
        return
    open_turns = await _open_turns(connection, list(by_conversation))
    steps = _Steps()
    for conversation_id, mine in by_conversation.items():
        place = words.place(open_turns.get(conversation_id), now, pace)
        steps.take(place, conversation_id, mine, now)
    await steps.apply(connection, now)


_OPEN_TURNS = Statement(
    sa.select(turns.c.conversation_id, turns.c.id, turns.c.state, turns.c.latest_at, turns.c.restarts)
    .where(
        any_of(turns.c.conversation_id, "conversation_ids"),
        one_of(turns.c.state, (words.State.COLLECTING, words.State.THINKING, words.State.READY)),
    )
    .order_by(turns.c.id)
    .with_for_update()
)


async def _open_turns(connection: AsyncConnection, conversation_ids: Sequence[UUID]) -> dict[UUID, words.OpenTurn]:
    found: dict[UUID, words.OpenTurn] = {}
    for row in await _OPEN_TURNS.rows(connection, conversation_ids=conversation_ids):
        state = words.State(row.state)
        known = found.get(row.conversation_id)
        if known is not None and known.state is not words.State.READY and state is words.State.READY:
            continue  # an answered turn that waits to be sent stands aside for the one that is open
        found[row.conversation_id] = words.OpenTurn(row.id, state, row.latest_at, row.restarts)
    return found


_BEGIN = InsertMany(turns)
_JOIN = Statement(sa.update(turns).where(turns.c.id == sa.bindparam("turn")).values(due_at=sa.bindparam("due")))
_PLACE = Statement(
    sa.update(messages)
    .where(messages.c.id == sa.bindparam("message"))
    .values(turn_id=sa.bindparam("turn"), awaits_turn=0)
)


class _Steps:
    """The writes of one plan, gathered so that each kind is one statement."""

    def __init__(self) -> None:
        self.begun: list[dict[str, object]] = []
        self.joined: list[dict[str, object]] = []
        self.replaced: list[dict[str, object]] = []
        self.messages: list[dict[str, object]] = []

    def take(
        self,
        place: words.Join | words.Replace | words.Begin | words.Wait,
        conversation_id: UUID,
        mine: Sequence[tuple[UUID, UUID | None]],
        now: datetime,
    ) -> None:
        if isinstance(place, words.Wait):
            return
        if isinstance(place, words.Join):
            turn_id = place.turn_id
            self.joined.append({"turn": turn_id, "due": place.due_at})
        else:
            (turn_id,) = ids_at(now, 1)
            restarts = 0
            if isinstance(place, words.Replace):
                restarts = place.restarts
                self.replaced.append({"old": place.turn_id, "new": turn_id})
            self.begun.append(
                {
                    "id": turn_id,
                    "conversation_id": conversation_id,
                    "state": words.State.COLLECTING,
                    "opened_at": now,
                    "due_at": place.due_at,
                    "latest_at": place.latest_at,
                    "restarts": restarts,
                    "event_id": mine[0][1],
                }
            )
        self.messages += [{"message": message_id, "turn": turn_id} for message_id, _ in mine]

    async def apply(self, connection: AsyncConnection, now: datetime) -> None:
        if self.replaced:
            await _supersede(connection, self.replaced, now)
        if self.begun:
            await _BEGIN.run(connection, self.begun)
        if self.joined:
            await _JOIN.run_each(connection, self.joined)
        if self.messages:
            await _PLACE.run_each(connection, self.messages)


async def _supersede(connection: AsyncConnection, replaced: list[dict[str, object]], now: datetime) -> None:
    """End the old turns and hand their messages on. Their unsent answers see it when they are about to leave."""
    await connection.execute(
        sa.update(turns)
        .where(turns.c.id == sa.bindparam("old"))
        .values(
            state=words.State.SUPERSEDED,
            reason=words.Reason.NEWER_MESSAGE,
            superseded_by=sa.bindparam("new"),
            ended_at=now,
        ),
        replaced,
    )
    await connection.execute(
        sa.update(messages)
        .where(messages.c.turn_id == sa.bindparam("old"), messages.c.author == "customer")
        .values(turn_id=sa.bindparam("new")),
        replaced,
    )


_WAITING = Statement(
    sa.select(messages.c.conversation_id, messages.c.id, messages.c.event_id)
    .where(messages.c.awaits_turn == sa.literal_column("1"), any_of(messages.c.conversation_id, "ids"))  # as the index
    .order_by(messages.c.id)
)


async def plan_waiting(
    connection: AsyncConnection, conversation_ids: Sequence[UUID], *, now: datetime, pace: words.Pace
) -> None:
    """Open the next turn for messages that came while a turn could not be disturbed any more."""
    if not conversation_ids:
        return
    rows = await _WAITING.rows(connection, ids=conversation_ids)
    waiting = [(row.conversation_id, row.id, row.event_id) for row in rows]
    if waiting:
        await plan(connection, waiting, now=now, pace=pace)
