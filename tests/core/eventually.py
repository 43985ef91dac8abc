"""Waiting for what happens soon, where nothing can be awaited: it fails after ten seconds."""

import asyncio
from collections.abc import Callable


async def eventually(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the state of another task is looked at, it sets no event
            await asyncio.sleep(0.001)
