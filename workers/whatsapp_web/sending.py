"""From the ledger to the page: one message at a time, its id stored before it is used."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from app.core.db import Database
from app.core.wake import Wake
from app.whatsapp.content import Audio, Content, Document, Image, Video, decode_content
from app.whatsapp.web import ledger
from app.whatsapp.web.ledger import COMMANDS, RESULTS, Command, CommandState
from workers.whatsapp_web.files import Files
from workers.whatsapp_web.page import Draft, FileToSend, NotSendable, PageRefused, WebPage

__all__ = ["Sender"]

log = structlog.get_logger()

_KEEP: Final = timedelta(days=30)
_LOOK_SECONDS: Final = 1.0
_ACK_LOOKS: Final = 40
_ACK_LOOK_SECONDS: Final = 0.2
_UNSETTLED_LOOK_SECONDS: Final = 5.0


class Sender:
    """Carries out the commands of one phone while its page is online. `token` is that of the session's lease."""

    def __init__(self, database: Database, wake: Wake, files: Files, channel_id: UUID, token: int) -> None:
        self._database = database
        self._wake = wake
        self._files = files
        self._channel_id = channel_id
        self._token = token
        self._stopping = asyncio.Event()
        self.idle = asyncio.Event()
        self.idle.set()
        self.last_sent_at = 0.0

    def stop(self) -> None:
        """Begin nothing new; `run` returns once what is being sent has been."""
        self._stopping.set()

    async def run(self, page: WebPage, online: asyncio.Event) -> None:
        """Send what is due while `online` is set, until stopped.

        Raises `PageGone` and `PageFrozen`: what was begun is found out later.
        """
        commands = self._wake.subscribe(COMMANDS)
        settled_at = 0.0
        clock = asyncio.get_running_loop().time
        while not self._stopping.is_set():
            commands.clear()
            if not online.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await online.wait()
                continue
            if clock() - settled_at > _UNSETTLED_LOOK_SECONDS:
                settled_at = clock()
                await self._settle_what_was_begun(page)
            command = await self._claim()
            if command is None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await commands.wait()
                continue
            self.idle.clear()
            try:
                await self._carry_out(page, command)
            finally:
                self.idle.set()
                self.last_sent_at = clock()

    async def _claim(self) -> Command | None:
        async with self._database.write() as connection:
            now = await self._database.now(connection)
            await ledger.expire(connection, self._channel_id, now=now, keep=_KEEP)
            return await ledger.claim(connection, self._channel_id, self._token, now=now)

    async def _carry_out(self, page: WebPage, command: Command) -> None:
        if command.kind == "read":
            with contextlib.suppress(PageRefused, NotSendable):  # a courtesy
                await page.mark_read(command.message_id or "", typing=command.typing_seconds > 0)
            await self._settle(command.id, CommandState.SENT)
            return
        try:
            await self._send(page, command)
        except NotSendable as error:
            await self._settle(command.id, CommandState.NOT_SENT, error.reason)
        except PageRefused as error:
            log.warning("whatsapp_web.refused", channel_id=str(self._channel_id), reason=error.reason)
            await self._find_out(page, await self._drafted(command), refused=error.reason)

    async def _send(self, page: WebPage, command: Command) -> None:
        content = decode_content(command.content)
        file = await self._file(content)
        draft = await self._draft(page, command)
        if command.message_key is not None and await self._has_it(page, command, draft):
            return
        await self._type(page, draft, command.typing_seconds)
        async with self._database.write() as connection:
            begun = await ledger.begin(
                connection, command.id, chat=draft.chat, message_key=draft.key, message_id=draft.id
            )
        if not begun:
            return
        sent = await page.send(draft, command.recipient, content, file=file, quoted=command.reply_to)
        if sent != draft:
            async with self._database.write() as connection:
                await ledger.name(connection, command.id, message_id=sent.id)
        await self._acknowledged(page, command.id, sent)

    async def _draft(self, page: WebPage, command: Command) -> Draft:
        """Find the person's chat; where the message has an id from an earlier attempt, it stays that one."""
        draft = await page.prepare(command.recipient, cold=command.cold)
        if command.message_key is None or command.message_key.startswith(ledger.UNNAMED):
            return draft
        if draft.chat != command.chat:
            raise NotSendable("wrong_chat")
        return Draft(chat=draft.chat, key=command.message_key, id=command.message_id or draft.id)

    async def _has_it(self, page: WebPage, command: Command, draft: Draft) -> bool:
        """Tell whether an earlier attempt did send it after all, and settle it if so."""
        ack = await page.lookup(draft)
        if ack is None or ack < 0:
            return False
        async with self._database.write() as connection:
            await ledger.begin(connection, command.id, chat=draft.chat, message_key=draft.key, message_id=draft.id)
        await self._acknowledged(page, command.id, draft)
        return True

    async def _type(self, page: WebPage, draft: Draft, seconds: float) -> None:
        if seconds <= 0:
            return
        with contextlib.suppress(PageRefused):  # a courtesy
            await page.typing(draft.chat, on=True)
            await asyncio.sleep(seconds)
            await page.typing(draft.chat, on=False)

    async def _acknowledged(self, page: WebPage, command_id: UUID, draft: Draft) -> None:
        """Wait until WhatsApp has the message; one that it does not confirm stays begun, and is asked about again."""
        for _ in range(_ACK_LOOKS):
            ack = await page.lookup(draft)
            if ack != 0:
                break
            await asyncio.sleep(_ACK_LOOK_SECONDS)
        await self._conclude(command_id, ack)

    async def _settle_what_was_begun(self, page: WebPage) -> None:
        """Ask the page about everything that was begun and whose end nobody knows. Only for a page that is online."""
        async with self._database.read() as connection:
            begun = await ledger.unsettled(connection, self._channel_id)
        for command in begun:
            if command.message_key is None or command.chat is None:
                await self._settle(command.id, CommandState.NOT_SENT, "not_begun")
            else:
                await self._find_out(page, command)

    async def _find_out(self, page: WebPage, command: Command, *, refused: str = "absent") -> None:
        if command.message_key is None or command.chat is None:
            await self._settle(command.id, CommandState.NOT_SENT, refused)
            return
        draft = Draft(chat=command.chat, key=command.message_key, id=command.message_id or "")
        ack = await page.lookup(draft)
        if ack is None:
            await self._settle(command.id, CommandState.NOT_SENT, refused)
        else:
            await self._conclude(command.id, ack)

    async def _drafted(self, command: Command) -> Command:
        async with self._database.read() as connection:
            begun = await ledger.unsettled(connection, self._channel_id)
        return next((one for one in begun if one.id == command.id), command)

    async def _conclude(self, command_id: UUID, ack: int | None) -> None:
        if ack is not None and ack > 0:
            await self._settle(command_id, CommandState.SENT)
        elif ack is not None and ack < 0:
            await self._settle(command_id, CommandState.NOT_SENT, "failed_on_the_page")

    async def _settle(self, command_id: UUID, state: CommandState, reason: str | None = None) -> None:
        async with self._database.write() as connection:
            now = await self._database.now(connection)
            await ledger.settle(connection, command_id, state, now=now, reason=reason)
        log.info(
            "whatsapp_web.settled", channel_id=str(self._channel_id), id=str(command_id), state=state, reason=reason
        )
        self._wake.notify(RESULTS)

    async def _file(self, content: Content) -> FileToSend | None:
        if not isinstance(content, Image | Video | Audio | Document):
            return None
        return await self._files.read(content)
