"""A simulator behind real HTTP, and a receiver that judges what it posts."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
import pytest

from app.core.http_client import HttpClient, HttpResponse
from app.simulator.config import DEFAULT_NUMBER, Retries, SimulatorConfig
from app.simulator.door import SimulatorApp
from app.simulator.server import create_simulator_app, server_config
from app.simulator.service import Simulator
from tests.fakes.receiver import Graph, Receiver, running_server

SECRET = "the app secret"
TOKEN = "the access token"
ANA = "34600111222"


@dataclass
class World:
    """One simulator, the product at the other end, and clients for both doors."""

    simulator: Simulator
    receiver: Receiver
    url: str
    http: HttpClient
    graph: Graph

    async def control(self, method: str, path: str, body: object = None, **headers: str) -> HttpResponse:
        return await self.http.request(
            method,
            f"{self.url}/control/{path}",
            headers={"content-type": "application/json", **headers},
            content=None if body is None else msgspec.json.encode(body),
            timeout_seconds=10,
        )

    async def json(self, method: str, path: str, body: object = None) -> Any:
        response = await self.control(method, path, body)
        assert response.status < 300, response.body
        return msgspec.json.decode(response.body)

    async def writes(self, text: str = "hola", customer: str = ANA) -> str:
        """Let a customer write, wait until the product has it, and return the message id."""
        written = await self.json("POST", "messages", {"customer": customer, "message": {"type": "text", "body": text}})
        await self.receiver.wait_until(lambda r: any(m["id"] == written["message_id"] for m in r.messages))
        return str(written["message_id"])

    async def faults(self, *faults: dict[str, Any], seed: int = 1) -> None:
        await self.json("POST", "faults", {"faults": list(faults), "seed": seed})


class MakeWorld(Protocol):
    async def __call__(self, **config: Any) -> World: ...


@pytest.fixture
async def make_world() -> AsyncIterator[MakeWorld]:
    """Build worlds with the given `SimulatorConfig` members."""
    async with AsyncExitStack() as stack:

        async def make(**config: Any) -> World:
            receiver = Receiver(SECRET)
            receiver_url = await stack.enter_async_context(running_server(lambda _: receiver))
            http = HttpClient(user_agent="Tests/1.0.0")
            settings: dict[str, Any] = {
                "webhook_url": f"{receiver_url}/webhooks/whatsapp",
                "app_secret": SECRET,
                "access_token": TOKEN,
                "retries": Retries(first_delay_seconds=0.01, factor=1.5),
                **config,
            }
            app: SimulatorApp = create_simulator_app(SimulatorConfig(**settings))
            url = await stack.enter_async_context(running_server(lambda _: app, server_config))
            # Closed first, so that the servers do not wait for its connections.
            stack.push_async_callback(http.aclose)
            graph = Graph(http, url, TOKEN, DEFAULT_NUMBER.phone_number_id)
            return World(app.simulator, receiver, url, http, graph)

        yield make


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await make_world()


@pytest.fixture
def error_of() -> Callable[[HttpResponse], dict[str, Any]]:
    """Return the Graph error of an answer."""

    def error(response: HttpResponse) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.json.decode(response.body)["error"]
        return found

    return error
