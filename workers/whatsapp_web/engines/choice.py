"""Which engine reads a page: the modules if wa-js finds them, what a person sees if it does not."""

from workers.whatsapp_web.engines.bridge import Bridge
from workers.whatsapp_web.engines.wpp import WppPage
from workers.whatsapp_web.page import WebPage

__all__ = ["choose"]


async def choose(bridge: Bridge) -> tuple[WebPage, str | None]:
    """Return the page's engine, and why it is not the better one (None if it is). Raises `PageError`."""
    page = WppPage(bridge)
    await page.start()
    return page, None
