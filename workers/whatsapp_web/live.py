"""An open page, from its code to its last message: watched, read, written to, and asked what people want of it."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from playwright.async_api import Page

from app.whatsapp.web.sessions import Report, WebSession, WebSessions
from app.whatsapp.web.states import ENDED, State
from app.whatsapp.web.wire import WebAck, WebMessage
from workers.whatsapp_web.browser import Browser
from workers.whatsapp_web.engines.bridge import Bridge
from workers.whatsapp_web.engines.dom import DomPage
from workers.whatsapp_web.engines.wpp import WppPage
from workers.whatsapp_web.files import Files
from workers.whatsapp_web.looking import state_of
from workers.whatsapp_web.page import Changed, LoggedOut, PageError, PageFrozen, PageGone, PageRefused, Told, WebPage
from workers.whatsapp_web.reading import Reader
from workers.whatsapp_web.sending import Sender

__all__ = ["LivePage", "Recycle", "drained"]

log = structlog.get_logger()

_LOOK_SECONDS: Final = 1.0
_SEEN_EVERY_SECONDS: Final = 15.0
_RECONCILE_SECONDS: Final = 20.0
_FETCH_SECONDS: Final = 2.0
_CODE_SECONDS: Final = 20.0
_PAIRING_SECONDS: Final = 195.0
_MOST_REFRESHES: Final = 5
_RECYCLE_SECONDS: Final = 24 * 3600.0
_IDLE_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 15.0
_STUCK_SECONDS: Final = 90.0


class Recycle(Exception):
    """The browser shall be opened anew: its time or memory is over, or somebody asked for it. Nothing is wrong."""


class LivePage:
    """One opened page of one session. `run` lasts until it must be closed, and says which state the session ends in."""

    def __init__(
        self,
        *,
        browser: Browser,
        page: Page,
        session: WebSession,
        sessions: WebSessions,
        report: Callable[[Report], Awaitable[None]],
        reader: Reader,
        sender: Sender,
        files: Files,
        most_memory_bytes: int,
        probe_seconds: int,
        token: int,
    ) -> None:
        self._browser = browser
        self._bridge = Bridge(page)
        self._session = session
        self._sessions = sessions
        self._report = report
        self._reader = reader
        self._sender = sender
        self._files = files
        self._most_memory_bytes = most_memory_bytes
        self._probe_seconds = probe_seconds
        self._token = token
        self._opened_at = time.monotonic()
        self._shown: Report | None = None
        self._state: State | None = None
        self._code: str | None = None
        self._pairing_code: str | None = None
        self._pairing_ends_at = 0.0
        self._refreshes = 0
        self._took_over = False
        self._trouble: str | None = None
        self._degraded: str | None = None
        self._unlinked = False
        self._reconcile_now = asyncio.Event()
        self._online = asyncio.Event()
        self._log = log.bind(channel_id=str(session.channel_id))

    @property
    def was_unlinked(self) -> bool:
        """Whether WhatsApp has said so. That a code is shown may also mean that the profile was lost."""
        news = drained(self._bridge.told)
        self._unlinked = self._unlinked or any(isinstance(one, LoggedOut) for one in news)
        return self._unlinked

    @property
    def is_linked(self) -> bool:
        return self._session.linked_at is not None

    async def run(self, stopping: asyncio.Event, lost: asyncio.Event) -> State | None:
        """Return the state in which the session ends; None if it is to be closed. Raises `PageError`, `Recycle`."""
        await self._bridge.listen()
        page = await self._choose()
        await self._report(Report(engine=page.engine))
        work: dict[str, Coroutine[Any, Any, State | None]] = {
            "watch": self._watch(page),
            "listen": self._listen(page),
            "read": self._read(page),
            "send": self._send(page),
            "fetch": self._fetch(page),
            "gone": self._gone(),
            "stopping": _until(stopping),
            "lost": _until(lost),
        }
        tasks = [asyncio.create_task(one, name=f"whatsapp-web.{name}") for name, one in work.items()]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if not lost.is_set() and not any(task.exception() for task in done):
                await self._finish_sending(tasks)
            return next((ended for task in done if (ended := task.result()) is not None), None)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _choose(self) -> WebPage:
        """Drive the page through its modules; only where they cannot be found, by what it shows, until tried again."""
        wpp = WppPage(self._bridge)
        try:
            await wpp.start()
        except PageRefused as error:
            self._log.warning("whatsapp_web.degraded", reason=error.reason)
            self._degraded = f"degraded, read by what the page shows: {error.reason}"
        else:
            return wpp
        await self._browser.reload()
        dom = DomPage(self._bridge)
        await dom.start()
        return dom

    async def _finish_sending(self, tasks: list["asyncio.Task[State | None]"]) -> None:
        self._sender.stop()
        sending = next(task for task in tasks if task.get_name() == "whatsapp-web.send")
        await asyncio.wait([sending], timeout=_STOP_SECONDS)

    async def _gone(self) -> None:
        await self._browser.gone.wait()
        raise PageGone(self._browser.why_gone)

    # Watching

    async def _watch(self, page: WebPage) -> State | None:
        """Look at the page again and again, show what it shows, and meet what people ask."""
        seen_at = 0.0
        silent_since = time.monotonic()
        while True:
            self._session = await self._sessions.get(self._session.channel_id)
            if self._session.wanted != "running":
                self._sender.stop()
                await self._until_sent()
                return State.STOPPED
            await self._meet_request(page)
            ended = await self._look(page)
            if ended is not None:
                return ended
            if self._state is not State.STARTING:
                silent_since = time.monotonic()
            elif time.monotonic() - silent_since > _STUCK_SECONDS:
                raise PageRefused("the page shows neither chats nor a code")
            if time.monotonic() - seen_at > _SEEN_EVERY_SECONDS:
                seen_at = time.monotonic()
                await self._note_health()
            if self._is_time_to_probe():
                raise Recycle("wpp is tried again")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _look(self, page: WebPage) -> State | None:
        look = await page.look()
        seen = state_of(look, was_linked=self.is_linked)
        if self._pairing_code is not None and time.monotonic() > self._pairing_ends_at:
            self._pairing_code = None
        state = seen.state
        if state is State.NEEDS_QR and self._pairing_code is not None:
            state = State.NEEDS_CODE
        if look.authenticated:
            await self._linked(look.account)
        if state is State.NEEDS_QR and look.idle and self._refreshes < _MOST_REFRESHES:
            self._refreshes += 1
            with contextlib.suppress(PageRefused):
                await page.refresh_code()
        if state is State.CONFLICT:
            await self._conflict()
        await self._show(state, seen.reason or self._trouble or self._degraded, None if look.idle else look.code)
        return state if state in ENDED else None

    async def _linked(self, account: str | None) -> None:
        """Bind the session to its phone, once. Another phone in its place is not ours to write with.

        An engine that cannot tell which phone it is leaves that to the next one.
        """
        known = self._session.account
        if self._session.linked_at is None or (known is None and account is not None):
            self._log.info("whatsapp_web.linked")
            linked_at = self._session.linked_at or datetime.now(UTC)
            await self._report(Report(account=account, linked_at=linked_at))
            self._session = await self._sessions.get(self._session.channel_id)
        elif account is not None and account != known:
            raise PageRefused("the page belongs to another phone than the one that was linked")

    async def _conflict(self) -> None:
        """Take the page back once, if people want that; never fight over it."""
        if not self._session.policy.take_over_on_conflict or self._took_over:
            return
        self._took_over = True
        self._log.info("whatsapp_web.taken_over")
        raise Recycle("taken back from where it was opened")

    async def _show(self, state: State, reason: str | None, code: str | None) -> None:
        """Write down what is new. A code that is not shown any more is forgotten at once."""
        pairing_code = self._pairing_code if state is State.NEEDS_CODE else None
        code = code if state in (State.NEEDS_QR, State.NEEDS_CODE) else None
        is_new = (state, code, pairing_code) != (self._state, self._code, self._shown and self._shown.pairing_code)
        if not is_new and self._shown is not None and self._shown.reason == reason:
            return
        lasts_seconds = _PAIRING_SECONDS if pairing_code else _CODE_SECONDS
        expires_at = datetime.now(UTC) + timedelta(seconds=lasts_seconds) if code or pairing_code else None
        self._shown = Report(
            state=state, reason=reason, code=code, pairing_code=pairing_code, code_expires_at=expires_at
        )
        if state is not self._state:
            self._log.info("whatsapp_web.state", state=state, reason=reason)
        self._state, self._code = state, code
        await self._report(self._shown)
        if state is State.ONLINE:
            self._online.set()
            self._reconcile_now.set()
        else:
            self._online.clear()

    async def _note_health(self) -> None:
        memory = await self._browser.memory_bytes()
        await self._report(Report(last_seen_at=datetime.now(UTC), memory_bytes=memory))
        if not self._is_idle():
            return
        age = time.monotonic() - self._opened_at
        if memory is not None and memory > self._most_memory_bytes:
            raise Recycle("its browser takes too much memory")
        if age > _RECYCLE_SECONDS:
            raise Recycle("its browser is a day old")

    def _is_time_to_probe(self) -> bool:
        is_due = time.monotonic() - self._opened_at > self._probe_seconds
        return is_due and self._degraded is not None and self._sender.idle.is_set()

    def _is_idle(self) -> bool:
        since = asyncio.get_running_loop().time() - self._sender.last_sent_at
        return self._sender.idle.is_set() and since > _IDLE_SECONDS

    async def _until_sent(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await self._sender.idle.wait()

    async def _meet_request(self, page: WebPage) -> None:
        request, phone = self._session.request, self._session.pairing_phone
        if request is None:
            return
        await self._sessions.answered(self._session.channel_id, self._token)
        match request:
            case "restart":
                await self._until_sent()
                raise Recycle("somebody asked for it")
            case "logout":
                await self._until_sent()
                await self._log_out(page)
            case "refresh_code":
                self._pairing_code = None
                self._refreshes = 0
                with contextlib.suppress(PageRefused):
                    await page.refresh_code()
            case "pair" if phone is not None:
                await self._pair(page, phone)
            case _:
                return

    async def _log_out(self, page: WebPage) -> None:
        """Unlink the phone. What the page says afterwards ends the session."""
        try:
            await page.log_out()
        except PageRefused as error:
            if page.engine == "wpp":
                raise
            self._trouble = error.reason
        except PageError as error:
            self._log.warning("whatsapp_web.not_logged_out", reason=error.reason)
            raise

    async def _pair(self, page: WebPage, phone: str) -> None:
        try:
            self._pairing_code = await page.pairing_code(phone)
            self._pairing_ends_at = time.monotonic() + _PAIRING_SECONDS
            self._trouble = None
        except PageRefused as error:
            self._log.warning("whatsapp_web.no_pairing_code", reason=error.reason)
            self._trouble = f"WhatsApp gave no pairing code: {error.reason}"

    # Reading, writing, fetching

    async def _listen(self, page: WebPage) -> State | None:
        """Take in what the page tells, in the order in which it tells it."""
        while True:
            news = [await page.told.get(), *drained(page.told)]
            if self._bridge.lost:
                self._bridge.lost = False
                self._reconcile_now.set()
            if any(isinstance(one, LoggedOut) for one in news):
                self._unlinked = True
                reason = next(one.reason for one in news if isinstance(one, LoggedOut))
                self._log.info("whatsapp_web.logged_out", reason=reason)
                if self.is_linked:
                    await self._report(Report(reason=f"the phone was unlinked: {reason or 'no reason given'}"))
                    return State.LOGGED_OUT
            messages = [one for one in news if isinstance(one, WebMessage)]
            if messages:
                await self._reader.take(messages, self._session.policy)
            for one in news:
                if isinstance(one, WebAck):
                    await self._reader.acknowledge(one)
                elif isinstance(one, Changed):
                    await asyncio.sleep(0)

    async def _read(self, page: WebPage) -> State | None:
        """Reconcile: when the phone comes online, when news were lost, and every now and then."""
        while True:
            await self._online.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RECONCILE_SECONDS):
                    await self._reconcile_now.wait()
            self._reconcile_now.clear()
            if self._online.is_set() and self._session.linked_at is not None:
                try:
                    await self._reader.reconcile(page, self._session.policy, self._session.linked_at)
                except PageRefused as error:
                    self._log.warning("whatsapp_web.not_reconciled", reason=error.reason)

    async def _send(self, page: WebPage) -> State | None:
        await self._sender.run(page, self._online)
        return None

    async def _fetch(self, page: WebPage) -> State | None:
        """Fetch the files of messages, one after the other, never in the way of what is sent."""
        while True:
            await self._online.wait()
            try:
                looked_at = await self._files.fetch(page, self._session.channel_id)
            except PageFrozen as error:
                self._log.warning("whatsapp_web.file_not_fetched", reason=error.reason)
                looked_at = 0
            if not looked_at:
                await asyncio.sleep(_FETCH_SECONDS)


async def _until(event: asyncio.Event) -> State | None:
    await event.wait()
    return None


def drained(told: "asyncio.Queue[Told]") -> list[Told]:
    """Take everything that waits in a queue, in its order."""
    return [told.get_nowait() for _ in range(told.qsize())]
