"""The simulator inside a Litestar application, behind a prefix and guards."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from app.core.http_client import HttpClient, HttpError
from app.simulator.config import DEFAULT_NUMBER, SimulatorConfig
from app.simulator.controllers import control_from_here_only, mount_simulator
from app.simulator.service import Simulator
from tests.fakes.receiver import Graph, Receiver, running_server
from tests.features.simulator.conftest import ANA, SECRET, TOKEN


def web_process(webhook_url: str, *guards: Guard) -> Litestar:
    simulator = Simulator(SimulatorConfig(webhook_url=webhook_url, app_secret=SECRET, access_token=TOKEN))
    return Litestar([mount_simulator(simulator, guards=guards)], lifespan=[lambda _: simulator.running()])


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient()
    yield client
    await client.aclose()


async def test_both_doors_work_under_the_prefix(http: HttpClient) -> None:
    receiver = Receiver(SECRET)
    async with (
        running_server(lambda _: receiver) as receiver_url,
        running_server(lambda _: web_process(f"{receiver_url}/hook")) as url,
    ):
        graph = Graph(http, f"{url}/simulator/graph", TOKEN, DEFAULT_NUMBER.phone_number_id)
        body = {"customer": ANA, "message": {"type": "image"}}
        written = await http.request(
            "POST",
            f"{url}/simulator/control/messages",
            headers={"content-type": "application/json"},
            content=msgspec.json.encode(body),
            timeout_seconds=5,
        )
        assert written.status == 201
        await receiver.wait_until(lambda r: r.messages)
        assert (await graph.say(ANA, "hola")).status == 200
        about = msgspec.json.decode((await graph.call("GET", receiver.messages[0]["image"]["id"])).body)
        assert about["url"].startswith(f"{url}/simulator/graph/files/")
        file = await http.request("GET", about["url"], headers={"authorization": f"Bearer {TOKEN}"}, timeout_seconds=5)
        assert file.body.startswith(b"\x89PNG")


async def test_a_dropped_connection_is_one_here_too(http: HttpClient) -> None:
    async with running_server(lambda url: web_process(f"{url}/none")) as url:
        graph = Graph(http, f"{url}/simulator/graph", TOKEN, DEFAULT_NUMBER.phone_number_id)
        for path, body in (
            ("customers", {"phone": ANA}),
            ("faults", {"faults": [{"kind": "drop_before_accept"}]}),
            ("messages", {"customer": ANA, "message": {"type": "text", "body": "hola"}}),
        ):
            await http.request(
                "POST",
                f"{url}/simulator/control/{path}",
                headers={"content-type": "application/json"},
                content=msgspec.json.encode(body),
                timeout_seconds=5,
            )
        with pytest.raises(HttpError) as failure:
            await graph.say(ANA, "hola")
        assert failure.value.reason in {"truncated", "reset"}


async def test_guards_stand_before_everything(http: HttpClient) -> None:
    def nobody(_connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        raise NotAuthorizedException

    async with running_server(lambda url: web_process(f"{url}/none", nobody)) as url:
        for path in ("control/customers", "graph/v26.0/1/messages"):
            response = await http.request("GET", f"{url}/simulator/{path}", timeout_seconds=5)
            assert response.status == 401


@pytest.mark.parametrize(
    ("client", "headers", "expected"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("203.0.113.7", {}, 403),
        ("127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, 403),
        ("127.0.0.1", {"forwarded": "for=127.0.0.1"}, 403),
    ],
)
async def test_the_control_api_is_for_programs_on_this_machine(
    client: str, headers: dict[str, str], expected: int
) -> None:
    app = web_process("http://127.0.0.1:9/none", control_from_here_only)
    transport = httpx.ASGITransport(app, client=(client, 4711))  # type: ignore[arg-type]  # Litestar types its scopes more narrowly
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8003") as caller:
        for path in ("control/customers", "%63ontrol/customers", "/control/customers"):
            answer = await caller.get(f"/simulator/{path}", headers=headers)
            assert (answer.status_code == 200) is (expected == 200), f"{path}: {answer.status_code}"
        graph = await caller.get("/simulator/graph/v26.0/1", headers=headers)
        assert graph.status_code == 401, "Graph asks for its token, wherever the call is from"
