"""The fake model server as a process of its own, the way benchmarks and journeys use it."""

import asyncio
import sys

import msgspec

from app.ai.llm.chat import ChatRequest, UserMessage
from app.ai.llm.provider import make_route
from app.ai.llm.providers.registry import PROVIDERS
from app.ai.llm.router import Router
from app.ai.llm.state import MemoryState
from app.core.http_client import HttpClient
from tests.fakes.model_clock import FakeClock


async def test_the_fake_answers_echoes_and_plays_faults_as_a_process(client: HttpClient) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.model_server", "--port", "0", "--echo", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        url = (await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip()
        clock = FakeClock()
        routes = [make_route(PROVIDERS[name], "m", base_url=url) for name in ("compatible", "claude")]
        router = Router(routes, client=client, state=MemoryState(clock), clock=clock)
        request = ChatRequest(system="s", messages=(UserMessage.of("hola"),))
        faults = msgspec.json.encode(["server"])
        await client.request("POST", f"{url}/__faults", content=faults, timeout_seconds=5)

        answers = [await router.answer(request, conversation_key=None) for _ in range(2)]
        assert [done.reply.text for done in answers] == ["echo: hola", "echo: hola"]
        assert [done.attempts[-1].provider for done in answers] == ["claude", "compatible"]
        received = await client.request("GET", f"{url}/__received", timeout_seconds=5)
        assert msgspec.json.decode(received.body) == {"count": 3}
    finally:
        process.terminate()
        await process.wait()
