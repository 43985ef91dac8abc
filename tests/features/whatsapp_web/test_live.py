"""What the page told is taken out whole, whatever was known before: a loop that asked for more once stood still."""

import asyncio

import pytest

pytest.importorskip("playwright", reason="make whatsapp-web brings it")

from workers.whatsapp_web.live import drained
from workers.whatsapp_web.page import Changed, LoggedOut, Told


async def test_everything_that_waits_is_taken_in_its_order_and_nothing_is_waited_for() -> None:
    told: asyncio.Queue[Told] = asyncio.Queue()
    news: list[Told] = [LoggedOut(reason="user"), Changed(), Changed()]
    for one in news:
        told.put_nowait(one)

    assert drained(told) == news
    assert told.empty()
    assert drained(told) == []
