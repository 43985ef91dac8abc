"""The whatsapp-web process, and the same inside the web process where that does everything itself."""

import asyncio
from collections.abc import Sequence
from importlib.util import find_spec

from app.core.parts import Part, running
from app.plugins import Parts

__all__ = ["beside", "run"]


async def run(parts: Parts, stop: asyncio.Event) -> None:
    """Run until `stop` is set, and then until every phone has finished what it was sending."""
    from workers.whatsapp_web.worker import WhatsAppWeb

    async with running([WhatsAppWeb(parts)]):
        await stop.wait()


def beside(parts: Parts) -> Sequence[Part]:
    """Return what runs inside the web process: browsers, unless other processes have them or they are not installed."""
    if not parts.embedded or find_spec("playwright") is None:
        return ()
    from workers.whatsapp_web.worker import WhatsAppWeb

    return (WhatsAppWeb(parts),)
