"""The worker: looks which phones shall run, and runs each in a task of its own."""

import asyncio
import contextlib
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog
from playwright.async_api import Page, Playwright, async_playwright

from app.core.db import DatabaseUnavailable
from app.core.ids import new_id
from app.plugins import Parts
from app.whatsapp.channels import ChannelNotFound
from app.whatsapp.web.ledger import COMMANDS
from app.whatsapp.web.sessions import WebSession
from workers.whatsapp_web.files import Files
from workers.whatsapp_web.profile import Profile
from workers.whatsapp_web.session import LinkedPhone, Surroundings

__all__ = ["WhatsAppWeb"]

log = structlog.get_logger()

_LOOK_SECONDS: Final = 1.0
_STOP_SECONDS: Final = 21.0


class WhatsAppWeb:
    """A part: between `start` and `stop` it runs a browser for every session that people want and nobody else has.

    Playwright is started with the first session, so that whoever links no phone pays nothing for it.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._owner = new_id()
        self._running: dict[UUID, tuple[LinkedPhone, asyncio.Task[None]]] = {}
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._work(), name="whatsapp-web")

    async def stop(self) -> None:
        """Let every phone finish what it is sending, close the browsers, give the leases back."""
        self._stopping.set()
        if self._task is not None:
            await self._task

    def page_of(self, channel_id: UUID) -> Page | None:
        """Return the page that a session has open here, for those who look at it from outside."""
        phone, _ = self._running.get(channel_id, (None, None))
        return phone.page if phone is not None else None

    async def _work(self) -> None:
        wake = self._parts.wake.subscribe(COMMANDS)
        async with contextlib.AsyncExitStack() as stack:
            driver: Playwright | None = None
            while not self._stopping.is_set():
                wake.clear()
                for session in await self._wanted():
                    if driver is None:
                        driver = await stack.enter_async_context(async_playwright())
                    await self._run(session, driver)
                await self._rest(wake)
            await self._stop_all()

    async def _wanted(self) -> list[WebSession]:
        """Return the sessions that shall run and do not run here."""
        for channel_id in [one for one, (_, task) in self._running.items() if task.done()]:
            _, task = self._running.pop(channel_id)
            if (error := task.exception()) is not None:
                log.error("whatsapp_web.session_failed", channel_id=str(channel_id), exc_info=error)
        try:
            sessions = await self._parts.web_sessions.all()
        except DatabaseUnavailable:
            return []
        return [one for one in sessions if one.wanted == "running" and one.channel_id not in self._running]

    async def _run(self, session: WebSession, playwright: Playwright) -> None:
        """Run a session, unless another process has its lease."""
        parts = self._parts
        channel_id = session.channel_id
        with contextlib.suppress(DatabaseUnavailable, ChannelNotFound):
            channel = await parts.channels.get(channel_id)
            token = await parts.web_sessions.take(channel_id, self._owner)
            if token is None:
                return
            around = Surroundings(
                database=parts.database,
                wake=parts.wake,
                cipher=parts.cipher,
                intake=parts.intake,
                sessions=parts.web_sessions,
                files=Files(parts.database, parts.outside_http, parts.media_dir),
                settings=parts.settings.whatsapp_web,
                playwright=playwright,
            )
            profile = Profile(Path(parts.settings.storage.data_dir), channel_id)
            phone = LinkedPhone(around, channel_id, channel.phone_number_id, token, profile)
            task = asyncio.create_task(phone.run(), name=f"whatsapp-web.{channel_id}")
            self._running[channel_id] = (phone, task)

    async def _rest(self, wake: asyncio.Event) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                waits = [asyncio.create_task(one.wait()) for one in (wake, self._stopping)]
                try:
                    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for one in waits:
                        one.cancel()
                    await asyncio.gather(*waits, return_exceptions=True)

    async def _stop_all(self) -> None:
        for phone, _ in self._running.values():
            phone.stop()
        tasks = [task for _, task in self._running.values()]
        if not tasks:
            return
        _, overdue = await asyncio.wait(tasks, timeout=_STOP_SECONDS)
        for task in overdue:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
