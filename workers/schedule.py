"""The scheduler process: starts what is due. Several may run; each occurrence is started once."""

import asyncio

from app.core.parts import running
from workers.lifecycle import Parts

__all__ = ["run"]


async def run(parts: Parts, stop: asyncio.Event) -> None:
    """Run until `stop` is set."""
    async with running([parts.scheduler]):
        await stop.wait()
