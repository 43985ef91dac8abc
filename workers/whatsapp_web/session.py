"""One linked phone: its browser is opened, watched, and opened again, until somebody wants it otherwise."""

import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec
import structlog
from playwright.async_api import Page, Playwright

from app.core.db import Database, DatabaseUnavailable
from app.core.security.cipher import Cipher
from app.core.wake import Wake
from app.whatsapp.intake import Intake
from app.whatsapp.web import ledger
from app.whatsapp.web.sessions import Report, WebSession, WebSessions
from app.whatsapp.web.states import ENDED, State
from settings import WhatsAppWebSettings
from workers.whatsapp_web.browser import Browser, open_browser
from workers.whatsapp_web.files import Files
from workers.whatsapp_web.live import LivePage, Recycle
from workers.whatsapp_web.page import PageError
from workers.whatsapp_web.profile import Profile
from workers.whatsapp_web.reading import Reader
from workers.whatsapp_web.sending import Sender

__all__ = ["LinkedPhone", "Surroundings"]

log = structlog.get_logger()

_BACK_OFF_SECONDS: Final = (1.0, 2.0, 5.0, 15.0, 60.0)
_HEALTHY_SECONDS: Final = 600.0
_MOST_RESTARTS: Final = 5
_RESTARTS_WITHIN_SECONDS: Final = 1800.0
_BEAT_SECONDS: Final = 8.0
_STOP_SECONDS: Final = 15.0


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What every session of a worker process works with."""

    database: Database
    wake: Wake
    cipher: Cipher
    intake: Intake
    sessions: WebSessions
    files: Files
    settings: WhatsAppWebSettings
    playwright: Playwright


class LinkedPhone:
    """Keeps one phone's browser running under the session's lease. One frozen page never stops another's."""

    def __init__(self, around: Surroundings, channel_id: UUID, number: str, token: int, profile: Profile) -> None:
        self._around = around
        self._sessions = around.sessions
        self._channel_id = channel_id
        self._number = number
        self._token = token
        self._profile = profile
        self._stopping = asyncio.Event()
        self._lost = asyncio.Event()
        self._browser: Browser | None = None
        self._restarts: deque[float] = deque(maxlen=_MOST_RESTARTS)
        self._log = log.bind(channel_id=str(channel_id))

    @property
    def page(self) -> Page | None:
        """The page that is open."""
        return self._browser.page if self._browser is not None else None

    def stop(self) -> None:
        """Finish what is being sent, close the browser, give the lease back."""
        self._stopping.set()

    async def run(self) -> None:
        """Run until stopped, or until the session has ended: logged out, banned, stopped, or crashed too often."""
        beat = asyncio.create_task(self._beat(), name="whatsapp-web.beat")
        try:
            while not self._is_over() and (session := await self._sessions.get(self._channel_id)).wanted == "running":
                await self._once(session)
        except DatabaseUnavailable:
            self._log.warning("whatsapp_web.database_away")
        finally:
            beat.cancel()
            await asyncio.gather(beat, return_exceptions=True)
            with contextlib.suppress(DatabaseUnavailable):
                await self._closed()

    def _is_over(self) -> bool:
        return self._stopping.is_set() or self._lost.is_set()

    async def _once(self, session: WebSession) -> None:
        """Open the browser and stay with it until it has to be opened again, or not at all."""
        started = time.monotonic()
        try:
            ended = await self._live(session)
        except Recycle as reason:
            self._log.info("whatsapp_web.recycled", reason=str(reason))
        except PageError as error:
            await self._crashed(error, lived_seconds=time.monotonic() - started)
        else:
            if ended is not None:
                await self._end(ended)

    async def _live(self, session: WebSession) -> State | None:
        around = self._around
        await self._report(Report(state=State.STARTING, reason=None, code=None, pairing_code=None, engine=None))
        if not self._profile.is_there and await asyncio.to_thread(self._profile.restore, around.cipher):
            self._log.info("whatsapp_web.profile_restored")
        async with open_browser(around.playwright, around.settings, self._profile.directory) as browser:
            try:
                async with self._living(browser, session) as live:
                    ended = await live.run(self._stopping, self._lost)
            except PageError:
                await self._keep_screenshot(browser)
                raise
            if ended in ENDED and ended is not State.STOPPED:
                await self._keep_screenshot(browser)
        if ended is State.LOGGED_OUT and live.was_unlinked:
            await asyncio.to_thread(self._profile.forget)
        elif ended is not State.LOGGED_OUT and (session.account is not None or live.is_linked):
            await self._back_up()
        return ended

    @asynccontextmanager
    async def _living(self, browser: Browser, session: WebSession) -> AsyncIterator[LivePage]:
        around = self._around
        self._browser = browser
        page = await browser.open(around.settings.url)
        yield LivePage(
            browser=browser,
            page=page,
            session=session,
            sessions=self._sessions,
            report=self._report,
            reader=Reader(around.database, around.intake, self._channel_id, self._number),
            sender=Sender(around.database, around.wake, around.files, self._channel_id, self._token),
            files=around.files,
            most_memory_bytes=around.settings.memory_bytes,
            probe_seconds=around.settings.probe_seconds,
            token=self._token,
        )

    async def _crashed(self, error: PageError, *, lived_seconds: float) -> None:
        """Wait a while, longer each time; after too many crashes a person must look."""
        now = time.monotonic()
        if lived_seconds > _HEALTHY_SECONDS:
            self._restarts.clear()
        self._restarts.append(now)
        self._log.warning("whatsapp_web.crashed", reason=error.reason, restarts=len(self._restarts))
        too_often = len(self._restarts) == _MOST_RESTARTS and now - self._restarts[0] < _RESTARTS_WITHIN_SECONDS
        session = await self._sessions.get(self._channel_id)
        crashed = Report(reason=error.reason, restarts=session.restarts + 1, code=None, pairing_code=None)
        if too_often:
            await self._report(msgspec.structs.replace(crashed, state=State.FAILED, wanted="stopped"))
            return
        await self._report(msgspec.structs.replace(crashed, state=State.CRASHED))
        pause = _BACK_OFF_SECONDS[min(len(self._restarts), len(_BACK_OFF_SECONDS)) - 1]
        await self._pause(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spreads load only

    async def _end(self, ended: State) -> None:
        """Write down an end that no new start may follow by itself."""
        unlinked = ended is State.LOGGED_OUT
        report = Report(state=ended, wanted="stopped", code=None, pairing_code=None, engine=None)
        if unlinked:
            report = msgspec.structs.replace(report, account=None, linked_at=None)
        await self._report(report)

    async def _closed(self) -> None:
        session = await self._sessions.get(self._channel_id)
        if session.state not in ENDED:
            reason = None if session.wanted == "stopped" else "its worker process stops"
            await self._report(Report(state=State.STOPPED, reason=reason, code=None, pairing_code=None, engine=None))
        async with self._around.database.write() as connection:
            await ledger.give_back(connection, self._channel_id, now=await self._around.database.now(connection))
        self._around.wake.notify(ledger.RESULTS)
        await self._sessions.release(self._channel_id, self._token)

    async def _back_up(self) -> None:
        try:
            size_bytes = await asyncio.to_thread(self._profile.back_up, self._around.cipher)
        except OSError as error:
            self._log.warning("whatsapp_web.not_backed_up", error=type(error).__name__)
            return
        self._log.info("whatsapp_web.backed_up", size_bytes=size_bytes)
        await self._report(Report(backup_at=datetime.now(UTC)))

    async def _keep_screenshot(self, browser: Browser) -> None:
        png = await browser.screenshot()
        if png is not None:
            await self._sessions.keep_screenshot(self._channel_id, self._token, png)

    async def _report(self, report: Report) -> None:
        if not await self._sessions.report(self._channel_id, self._token, report):
            self._lost.set()

    async def _beat(self) -> None:
        """Keep the lease. Without it another process may open the profile: the browser must close at once."""
        confirmed_at = time.monotonic()
        while not self._lost.is_set():
            await asyncio.sleep(_BEAT_SECONDS)
            try:
                if not await self._sessions.renew(self._channel_id, self._token):
                    self._lost.set()
                confirmed_at = time.monotonic()
            except DatabaseUnavailable:
                if time.monotonic() - confirmed_at > 2 * _BEAT_SECONDS:
                    self._lost.set()

    async def _pause(self, seconds: float) -> None:
        waits = [asyncio.create_task(one.wait()) for one in (self._stopping, self._lost)]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for one in waits:
            one.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
