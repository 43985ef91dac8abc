"""The jobs process: dispatchers carry messages, the worker runs SAQ jobs. Any number of these processes may run."""

import asyncio

from app.core.parts import running
from workers.lifecycle import Parts

__all__ = ["run"]


async def run(parts: Parts, stop: asyncio.Event) -> None:
    """Run until `stop` is set, and then until what runs has ended."""
    async with running([parts.worker, *parts.dispatchers]):
        await stop.wait()
