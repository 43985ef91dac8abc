"""The ledger outlives its simulator, and a simulator that starts again goes on where it was."""

import asyncio
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.core.http_client import HttpClient, HttpError
from app.simulator.config import DEFAULT_NUMBER
from app.simulator.ledger import Acknowledged, Ledger, Received, Reset, Wrote, read_ledger
from tests.fakes.receiver import Graph, Receiver, running_server
from tests.features.simulator.conftest import ANA, SECRET, TOKEN, MakeWorld

PROGRAM = """
import sys
from pathlib import Path
from app.simulator.config import SimulatorConfig
from app.simulator.server import serve
config = SimulatorConfig(
    webhook_url=sys.argv[1], app_secret=sys.argv[2], access_token=sys.argv[3], ledger_path=Path(sys.argv[4])
)
serve(config, port=int(sys.argv[5]))
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def start(*arguments: object) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, *map(str, arguments))


async def post_when_up(http: HttpClient, url: str, body: object) -> Any:
    """Post as soon as the new process listens."""
    async with asyncio.timeout(20):
        while True:
            try:
                response = await http.request(
                    "POST",
                    url,
                    headers={"content-type": "application/json"},
                    content=msgspec.json.encode(body),
                    timeout_seconds=5,
                )
            except HttpError:
                # Nothing tells when another process begins to listen but asking it.
                await asyncio.sleep(0.02)
            else:
                return msgspec.json.decode(response.body)


@pytest.mark.kill
async def test_everything_answered_before_kill_9_is_in_the_file_and_comes_back(tmp_path: Path) -> None:
    receiver = Receiver(SECRET)
    ledger, port = tmp_path / "ledger.jsonl", free_port()
    http = HttpClient()
    url = f"http://127.0.0.1:{port}"
    graph = Graph(http, url, TOKEN, DEFAULT_NUMBER.phone_number_id)
    hola = {"customer": ANA, "message": {"type": "text", "body": "hola"}}
    async with running_server(lambda _: receiver) as receiver_url:
        process = await start(f"{receiver_url}/hook", SECRET, TOKEN, ledger, port)
        await post_when_up(http, f"{url}/control/messages", hola)
        await receiver.wait_until(lambda r: r.messages)
        answers = [await graph.say(ANA, str(number), tracker=f"t{number}") for number in range(20)]
        process.send_signal(signal.SIGKILL)
        await process.wait()
        assert [answer.status for answer in answers] == [200] * 20
        kept = [record for record in read_ledger(ledger) if isinstance(record, Received)]
        assert [(entry.seq, entry.body, entry.tracker) for entry in kept] == [
            (number + 1, str(number), f"t{number}") for number in range(20)
        ]

        again = await start(f"{receiver_url}/hook", SECRET, TOKEN, ledger, port)
        faults = await post_when_up(http, f"{url}/control/faults", {"faults": []})
        assert faults == {"faults": []}
        assert (await graph.say(ANA, "the window is still open")).status == 200
        # What the first life could not report any more, the second one does.
        await receiver.wait_until(lambda r: len({(s["id"], s["status"]) for s in r.statuses}) == 63)
        again.terminate()
        await again.wait()
        await http.aclose()
    assert len([record for record in read_ledger(ledger) if isinstance(record, Received)]) == 21


async def test_a_message_that_was_never_acknowledged_is_delivered_by_the_next_life(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    path = tmp_path / "ledger.jsonl"
    first = await make_world(ledger_path=path)
    await first.faults({"kind": "hold_webhooks"})
    written = await first.json("POST", "messages", {"customer": ANA, "message": {"type": "text", "body": "hola"}})
    second = await make_world(ledger_path=path)
    await second.receiver.wait_until(lambda r: r.messages)
    assert second.receiver.messages[0]["id"] == written["message_id"]
    assert first.receiver.bodies == []


async def test_acknowledged_messages_are_not_delivered_again(make_world: MakeWorld, tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    first = await make_world(ledger_path=path)
    await first.writes("uno")
    await first.graph.say(ANA, "dos")
    await first.simulator.idle()
    second = await make_world(ledger_path=path)
    await second.simulator.idle()
    assert second.receiver.bodies == []
    phone = await second.json("GET", f"phone?customer={ANA}")
    assert [(message["text"], message["mine"]) for message in phone["messages"]] == [("uno", True), ("dos", False)]
    assert phone["messages"][0]["tick"] == "delivered"


async def test_lost_statuses_stay_lost_after_a_restart(make_world: MakeWorld, tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    first = await make_world(ledger_path=path)
    await first.writes("uno")
    await first.faults({"kind": "lost_statuses"})
    await first.graph.say(ANA, "dos")
    second = await make_world(ledger_path=path)
    await second.simulator.idle()
    assert second.receiver.statuses == []


async def test_the_file_tells_messages_acknowledgements_and_resets_apart(make_world: MakeWorld, tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    world = await make_world(ledger_path=path)
    await world.writes("uno")
    await world.graph.say(ANA, "dos")
    await world.simulator.idle()
    await world.json("POST", "reset")
    assert [type(record) for record in read_ledger(path)] == [Wrote, Acknowledged, Received, Acknowledged, Reset]
    assert (await world.json("GET", "ledger"))["entries"] == []
    assert Ledger(path).received == []


async def test_bodies_can_be_left_out_of_the_acknowledgements(make_world: MakeWorld) -> None:
    world = await make_world(keep_bodies=False)
    message_id = await world.writes()
    [webhook] = (await world.json("GET", "acknowledged"))["webhooks"]
    assert "body" not in webhook
    assert webhook["messages"] == [message_id]


def test_a_line_that_a_killed_process_left_half_written_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    whole = b'{"record":"reset","at":"2026-11-23T10:00:00Z"}\n'
    path.write_bytes(whole + b'{"record":"rec')
    assert len(list(read_ledger(path))) == 1
    Ledger(path).close()
    assert path.read_bytes() == whole
