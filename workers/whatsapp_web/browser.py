"""The browser of one linked phone: Debian's Chromium over a profile of its own, and nothing left of it at the end."""

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import structlog
from playwright.async_api import BrowserContext, Page, Playwright, Route
from playwright.async_api import Error as PlaywrightError

from settings import WhatsAppWebSettings
from workers.whatsapp_web.page import PageError, PageGone

__all__ = ["Browser", "NoBrowser", "memory_bytes", "open_browser", "processes_of"]

log = structlog.get_logger()

_ARGUMENTS: Final = (
    "--disable-dev-shm-usage",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
    "--disable-features=Translate,MediaRouter,OptimizationHints",
    "--no-first-run",
    "--no-default-browser-check",
    "--noerrdialogs",
)
# Nobody but WhatsApp has any business with the page: wa-js knows these, and its settings switch them off as well.
_STRANGERS: Final = re.compile(r"^https?://([^/]*\.)?(google-analytics|googletagmanager|wppconnect|wppc-linkpreview)\.")
_MARKER: Final = "#pane-side, canvas"
_LAUNCH_SECONDS: Final = 60.0
_OPEN_SECONDS: Final = 60.0
_CLOSE_SECONDS: Final = 10.0


class NoBrowser(PageError):
    """There is no browser to open, or it does not start."""


class Browser:
    """An open browser with one page. `gone` is set as soon as the page or the browser has died."""

    def __init__(self, context: BrowserContext, profile: Path) -> None:
        self._context = context
        self._profile = profile
        self.gone = asyncio.Event()
        self.why_gone = "the browser closed"
        self.page: Page | None = None
        context.on("close", lambda _: self._lost("the browser closed"))

    async def open(self, url: str) -> Page:
        """Open `url` in a fresh page, close every other one, and wait until it shows chats or a code.

        Raises `PageGone` where the browser died, `PageError` where the page shows neither.
        """
        try:
            page = await self._context.new_page()
            for other in self._context.pages:
                if other is not page:
                    await other.close()
            self.page = page
            page.on("crash", lambda _: self._lost("the page crashed"))
            page.on("close", lambda _: self._lost("the page closed"))
            await page.goto(url, wait_until="domcontentloaded", timeout=_OPEN_SECONDS * 1000)
            await page.wait_for_selector(_MARKER, state="attached", timeout=_OPEN_SECONDS * 1000)
        except PlaywrightError as error:
            raise self._not_opened(error) from error
        return page

    async def reload(self) -> None:
        """Load the page anew, without what was brought into it. Raises what `open` raises."""
        if self.page is None:
            raise PageGone(self.why_gone)
        try:
            await self.page.reload(wait_until="domcontentloaded", timeout=_OPEN_SECONDS * 1000)
            await self.page.wait_for_selector(_MARKER, state="attached", timeout=_OPEN_SECONDS * 1000)
        except PlaywrightError as error:
            raise self._not_opened(error) from error

    async def screenshot(self) -> bytes | None:
        """Return what the page shows, if it still can."""
        if self.page is None or self.gone.is_set():
            return None
        with contextlib.suppress(PlaywrightError, TimeoutError):
            async with asyncio.timeout(5):
                return await self.page.screenshot(type="png", timeout=4000)
        return None

    async def memory_bytes(self) -> int | None:
        """Return what the browser and its processes take; None where that cannot be told."""
        return await asyncio.to_thread(memory_bytes, self._profile)

    def _not_opened(self, error: PlaywrightError) -> PageError:
        if self.gone.is_set():
            return PageGone(self.why_gone)
        return PageError(f"the page did not open: {str(error).splitlines()[0]}")

    def _lost(self, why: str) -> None:
        if not self.gone.is_set():
            self.why_gone = why
            self.gone.set()


@asynccontextmanager
async def open_browser(playwright: Playwright, settings: WhatsAppWebSettings, profile: Path) -> AsyncIterator[Browser]:
    """Open a browser over `profile`, which must be ours alone (the session's lease). Raises `NoBrowser`."""
    if settings.browser is None:
        raise NoBrowser("there is no Chromium: install it, or set WHATSAPP_WEB_BROWSER")
    await asyncio.to_thread(_make_ready, profile)
    try:
        async with asyncio.timeout(_LAUNCH_SECONDS):
            context = await playwright.chromium.launch_persistent_context(
                profile,
                executable_path=settings.browser,
                headless=settings.headless,
                chromium_sandbox=settings.sandbox,
                args=[*_ARGUMENTS, f"--user-agent={await _user_agent(settings.browser)}"],
                locale="en-US",
                viewport={"width": 1280, "height": 900},
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
                service_workers="block",
            )
    except (PlaywrightError, TimeoutError, OSError) as error:
        await asyncio.to_thread(_end, profile)
        raise NoBrowser(
            f"Chromium does not start: {str(error).splitlines()[0] if str(error) else 'time-out'}"
        ) from error
    try:
        await context.route(_STRANGERS, _refuse)
        yield Browser(context, profile)
    finally:
        with contextlib.suppress(PlaywrightError, TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await context.close()
        await asyncio.to_thread(_end, profile)


async def _refuse(route: Route) -> None:
    await route.abort()


def _make_ready(profile: Path) -> None:
    """Make the profile ours. Its locks name a process of an earlier start, perhaps in another container."""
    profile.mkdir(mode=0o700, parents=True, exist_ok=True)
    _end(profile)
    for lock in profile.glob("Singleton*"):
        lock.unlink(missing_ok=True)


async def _user_agent(browser: Path) -> str:
    """Return what this Chromium says of itself when a person uses it, without the word headless."""
    process = await asyncio.create_subprocess_exec(
        browser, "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    output, _ = await process.communicate()
    found = re.search(rb"(\d+)\.\d+\.\d+", output)
    major = found[1].decode() if found else "120"
    return f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{major}.0.0.0 Safari/537.36"


def processes_of(profile: Path) -> list[int]:
    """Return the ids of all processes of the browser over `profile`, as far as /proc tells."""
    mark = f"--user-data-dir={profile}".encode()
    parents: dict[int, int] = {}
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0")
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        if mark in command:
            found.append(int(entry.name))
    for pid in found:  # grows while it is walked: children of children too
        found.extend(child for child, parent in parents.items() if parent == pid and child not in found)
    return found


def memory_bytes(profile: Path) -> int | None:
    """Return the proportional share of memory that the browser over `profile` takes. Blocks."""
    total = 0
    for pid in processes_of(profile):
        with contextlib.suppress(OSError, ValueError, StopIteration):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += int(next(line for line in lines if line.startswith("Pss:")).split()[1]) * 1024
    return total or None


def _end(profile: Path) -> None:
    """End what is left of a browser over `profile`."""
    for pid in processes_of(profile):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
