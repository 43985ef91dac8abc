"""The live channel and real sessions: whoever may not come in any more is shown out."""

import asyncio

from websockets.asyncio.client import connect

from app.accounts.sessions import SESSIONS
from app.accounts.trail import NOBODY
from app.live.bus import InProcessBus
from app.live.controllers import live
from app.live.door import LiveDoor
from tests.core.http.door import application, listening
from tests.features.accounts.conftest import Desk


async def test_the_live_connection_closes_within_a_second_of_its_sessions_end(desk: Desk) -> None:
    ana = await desk.add("ana")
    issued = await desk.sign_in()
    actor = (await desk.authentication.authenticate(issued.access.token)).actor
    door = LiveDoor(
        InProcessBus(),
        desk.authentication,
        desk.metrics,
        origins=frozenset(),
        cookies=desk.cookies,
        changes=lambda: desk.wake.subscribe(SESSIONS),
    )
    app = application([live], dependencies={"live_door": door})
    bearer = {"Authorization": f"Bearer {issued.access.token}"}
    async with (
        listening(app) as port,
        connect(f"ws://127.0.0.1:{port}/api/live", additional_headers=bearer, proxy=None) as connection,
    ):
        async with asyncio.timeout(10):
            await connection.recv()
        await desk.sessions.end(ana.id, issued.session_id, "revoked", actor=actor, caller=NOBODY)
        async with asyncio.timeout(1):
            await connection.wait_closed()
        assert connection.close_code == 4401
