"""From the page into the pipeline: what it tells is a hint, what its chats hold is the truth."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from app.core.db import Database
from app.whatsapp.intake import Intake, RawEvent
from app.whatsapp.web import chats, ledger
from app.whatsapp.web.chats import KnownChat
from app.whatsapp.web.governor import WebPolicy
from app.whatsapp.web.wire import WebAck, WebMessage, ack_body, message_body
from workers.whatsapp_web.page import ChatHead, WebPage

__all__ = ["Reader"]

log = structlog.get_logger()

_FIRST_LOOK: Final = 30
_FURTHEST_LOOK: Final = 1000
_OLD_SECONDS: Final = 60  # WhatsApp's clock and ours differ


class Reader:
    """Takes in what happens in the chats of one phone. Taking the same in again changes nothing."""

    def __init__(self, database: Database, intake: Intake, channel_id: UUID, number: str) -> None:
        self._database = database
        self._intake = intake
        self._channel_id = channel_id
        self._number = number

    async def take(self, messages: Sequence[WebMessage], policy: WebPolicy) -> None:
        """Take in messages that the page told of, in their order.

        Ours are known by their ids; any other from our side was typed on the phone, and that is a takeover.
        """
        messages = [one for one in messages if policy.groups == "read" or not one.group]
        mine = {one.id for one in messages if one.from_me}
        async with self._database.read() as connection:
            ours = await ledger.trackers(connection, self._channel_id, mine)
        fresh = [one for one in messages if one.id not in ours and not await self._is_ours(one)]
        if not fresh:
            return
        # First: whoever answers within the same instant is asked whether the person wrote first.
        async with self._database.write() as connection:
            now = await self._database.now(connection)
            await chats.note(connection, self._channel_id, fresh, now=now)
        for one in fresh:
            await self._intake.save(RawEvent(message_body(one, self._number), self._channel_id))

    async def _is_ours(self, message: WebMessage) -> bool:
        """Tell whether a message was begun by us before it had an id: its page or browser died in between."""
        if not message.from_me or message.kind != "chat":
            return False
        async with self._database.write() as connection:
            return await ledger.recognise(
                connection,
                self._channel_id,
                phone=message.phone,
                text=message.text,
                message_id=message.id,
            )

    async def acknowledge(self, ack: WebAck) -> None:
        """Take in what became of messages of ours."""
        async with self._database.read() as connection:
            ours = await ledger.trackers(connection, self._channel_id, ack.ids)
        for message_id, tracker in ours.items():
            body = ack_body(ack, message_id, tracker, self._number)
            if body is not None:
                await self._intake.save(RawEvent(body, self._channel_id))

    async def reconcile(self, page: WebPage, policy: WebPolicy, linked_at: datetime) -> int:
        """Read on in every chat where something was said since it was last read; return how many messages that were.

        What was said before the phone was linked is not ours to answer.
        """
        started = time.monotonic()
        async with self._database.read() as connection:
            known = await chats.known_chats(connection, self._channel_id)
        read = 0
        for head in await page.chats():
            if head.group and policy.groups == "ignore":
                continue
            before = known.get(head.chat)
            if _is_read(head, before, linked_at):
                continue
            read += await self._read_on(page, head, before, policy, linked_at)
        if read:
            seconds = round(time.monotonic() - started, 3)
            log.info("whatsapp_web.caught_up", channel_id=str(self._channel_id), messages=read, seconds=seconds)
        return read

    async def _read_on(
        self, page: WebPage, head: ChatHead, before: KnownChat | None, policy: WebPolicy, linked_at: datetime
    ) -> int:
        """Read a chat back to the last message that was read in order, or to when the phone was linked."""
        last_id = before.last_message_id if before is not None else None
        since = int(linked_at.timestamp()) - _OLD_SECONDS
        count = max(_FIRST_LOOK, head.unread)
        while True:
            messages = list(await page.history(head.chat, count))
            ids = [one.id for one in messages]
            reaches_back = last_id in ids or len(messages) < count or messages[0].at < since
            if reaches_back or count >= _FURTHEST_LOOK:
                break
            count = min(count * 4, _FURTHEST_LOOK)
        new = messages[ids.index(last_id) + 1 :] if last_id in ids else messages
        new = [one for one in new if one.at >= since]
        await self.take(new, policy)
        if messages:
            async with self._database.write() as connection:
                now = await self._database.now(connection)
                await chats.reached(connection, self._channel_id, messages[-1], now=now)
        return len(new)


def _is_read(head: ChatHead, before: KnownChat | None, linked_at: datetime) -> bool:
    if before is not None and before.last_message_id is not None and head.last_id is not None:
        return before.last_message_id == head.last_id
    if before is None and head.last_id is not None:
        return head.at < int(linked_at.timestamp()) - _OLD_SECONDS
    return head.unread == 0 and head.last_id is None and head.at == 0
