"""Calls into a page that end: with an answer, or with an error that says what kind of trouble it is."""

import asyncio
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import structlog
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from workers.whatsapp_web.page import Changed, NotSendable, PageFrozen, PageGone, PageRefused, Told

__all__ = ["Bridge"]

log = structlog.get_logger()

T = TypeVar("T")

_MOST_TOLD: Final = 2000
_GONE: Final = (
    "Target crashed",
    "Target page, context or browser has been closed",
    "Connection closed",
    "Target closed",
)
_NOT_SENDABLE: Final = frozenset({"wrong_chat", "no_such_person", "unverified", "unsupported", "file_unavailable"})
_TELL: Final = "mostradorTell"


class _Answer(msgspec.Struct, frozen=True):
    """What the scripts in the page return: a value, or a short code of what went wrong."""

    value: msgspec.Raw = msgspec.Raw(b"null")
    error: str | None = None


class Bridge:
    """Runs the functions of one script in a page, by name. Scripts stand beside this file and return plain JSON.

    What the page tells is put into `told`; when that is full, `lost` is set, and reconciliation finds the rest.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self.told: asyncio.Queue[Told] = asyncio.Queue(_MOST_TOLD)
        self.lost = False
        self._decoder: msgspec.json.Decoder[Told] = msgspec.json.Decoder(Told)

    @property
    def page(self) -> Page:
        return self._page

    async def listen(self) -> None:
        """Let the page tell things. Survives reloads of the page."""
        await self._page.expose_binding(_TELL, lambda _source, text: self._hear(text))

    async def install(self, script: str, given: object = None) -> None:
        """Run a script beside this file in the page; `given` is its argument."""
        source = await asyncio.to_thread((Path(__file__).parent / script).read_text, "utf-8")
        await self.evaluate(source, given, seconds=15)

    async def run(self, name: str, *given: object, seconds: float = 10) -> None:
        """Call the page's function `name`. Raises what `ask` raises."""
        await self.ask(name, *given, seconds=seconds, shape=msgspec.Raw)

    async def ask(self, name: str, *given: object, shape: type[T], seconds: float = 10) -> T:
        """Return what the page's function `name` answers, as `shape`.

        Raises `PageGone`, `PageFrozen`, `PageRefused`, `NotSendable`.
        """
        text = await self.evaluate(
            "([name, given]) => window.mostradorPage(name, given)", [name, given], seconds=seconds
        )
        try:
            answer = msgspec.json.decode(text, type=_Answer)
            if answer.error is not None:
                raise NotSendable(answer.error) if answer.error in _NOT_SENDABLE else PageRefused(answer.error)
            return msgspec.json.decode(answer.value, type=shape)
        except msgspec.DecodeError as error:
            raise PageRefused(f"{name} answered in another shape: {error}") from error

    async def evaluate(self, expression: str, given: object = None, *, seconds: float) -> Any:
        """Evaluate in the page. Raises `PageGone`, `PageFrozen`, `PageRefused`."""
        try:
            async with asyncio.timeout(seconds):
                return await self._page.evaluate(expression, given)
        except TimeoutError:
            raise PageFrozen(f"the page did not answer within {seconds:g} s") from None
        except PlaywrightError as error:
            raise _sorted(error) from error

    def _hear(self, text: str) -> None:
        """Take one piece of news. Called by Playwright in the event loop: it must be quick."""
        try:
            news = self._decoder.decode(text)
        except msgspec.DecodeError as error:
            log.warning("whatsapp_web.unreadable", error=str(error))
            self.lost = True
            return
        try:
            self.told.put_nowait(news)
        except asyncio.QueueFull:
            self.lost = True

    def wake(self) -> None:
        """Make whoever listens look again."""
        if not self.told.full():
            self.told.put_nowait(Changed())


def _sorted(error: PlaywrightError) -> PageGone | PageRefused:
    words = str(error)
    if any(gone in words for gone in _GONE):
        return PageGone(words.splitlines()[0])
    return PageRefused(words.splitlines()[0][:300])
