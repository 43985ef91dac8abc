"""What every transport promises (`app/whatsapp/transport.py`), tried over HTTP with the other side failing.

The one that works through the database and a browser is tried in `test_web_transport.py`.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.core.http_client import HttpClient
from app.whatsapp.content import Buttons, Content, Text
from app.whatsapp.error_codes import ErrorAction
from app.whatsapp.errors import CallRefused, CallUnavailable, SendNotAttempted, SendRejected, SendUnknown
from app.whatsapp.graph import GraphClient
from app.whatsapp.transport import Accepted, Recipient, Transport
from app.whatsapp.transports import TRANSPORTS
from app.whatsapp.transports.cloud import CloudTransport
from tests.features.whatsapp.contents import EXAMPLES
from tests.features.whatsapp.fake_graph import (
    Answer,
    FakeGraph,
    Fault,
    accepted,
    cut,
    graph_error,
    half_an_answer,
    no_http,
    reset,
    silence,
)
from tests.referees import meta_referee
from tests.servers import free_port

ANA = Recipient("34600111222")


@pytest.fixture
async def graph() -> AsyncIterator[FakeGraph]:
    async with FakeGraph().running() as server:
        yield server


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    http = HttpClient()
    yield CloudTransport(GraphClient(http))
    await http.aclose()


async def send(
    transport: Transport, graph: FakeGraph, content: Content | None = None, timeout_seconds: float = 10
) -> Accepted:
    return await transport.send(
        graph.channel(), ANA, content or Text("Hola"), tracker="ob1:x:1", timeout_seconds=timeout_seconds
    )


async def test_it_serves_the_kind_it_is_registered_for(transport: Transport) -> None:
    assert TRANSPORTS.keys() >= {transport.kind}
    assert "text" in transport.capabilities.content_kinds


async def test_an_accepted_message_has_the_id_it_was_given(transport: Transport, graph: FakeGraph) -> None:
    assert await send(transport, graph) == Accepted("wamid.NEW", wa_id="34600111222")


@pytest.mark.parametrize("name", EXAMPLES)
async def test_every_kind_of_content_leaves_as_meta_wants_it(transport: Transport, graph: FakeGraph, name: str) -> None:
    await send(transport, graph, EXAMPLES[name])

    (request,) = graph.requests
    assert (request.method, request.path) == ("POST", "/v26.0/10654/messages")
    assert request.headers["authorization"] == "Bearer EAAsecret"
    assert request.json["biz_opaque_callback_data"] == "ob1:x:1"
    assert meta_referee().check_send(request.json) == []


async def test_a_quoted_message_is_named(transport: Transport, graph: FakeGraph) -> None:
    await transport.send(graph.channel(), ANA, Text("a"), tracker="t", reply_to="wamid.Q", timeout_seconds=10)

    assert graph.requests[0].json["context"] == {"message_id": "wamid.Q"}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (cut, "reset"),
        (reset, "reset"),
        (half_an_answer, "truncated"),
        (no_http, "not_http"),
        (Answer(500, b""), "http_500"),
        (Answer(502, b"<html>Bad gateway</html>"), "http_502"),
        (graph_error(131000, 500), "http_500"),
        (graph_error(190, 503), "http_503"),
        (graph_error(130429, 503), "http_503"),
        (Answer(200, b"<html>"), "not_json"),
        (Answer(200, b'{"messages":[]}'), "no_message_id"),
        (Answer(200, b'{"messages":' + b" " * 2_000_000), "too_large"),
        (Answer(400, b"<html>"), "http_400"),
        (Answer(302, b"", {"location": "http://192.0.2.1/"}), "http_302"),
    ],
)
async def test_a_send_that_may_have_worked_is_unknown_and_is_not_repeated(
    transport: Transport, graph: FakeGraph, fault: Answer | Fault, reason: str
) -> None:
    graph.answers = [fault, accepted()]

    with pytest.raises(SendUnknown) as raised:
        await send(transport, graph)

    assert raised.value.reason == reason
    assert len(graph.requests) == 1


async def test_no_answer_in_time_is_unknown(transport: Transport, graph: FakeGraph) -> None:
    graph.answers = [silence]

    with pytest.raises(SendUnknown, match="timeout"):
        await send(transport, graph, timeout_seconds=0.2)

    assert len(graph.requests) == 1


async def test_a_connection_that_went_stale_between_two_sends_is_unknown(
    transport: Transport, graph: FakeGraph
) -> None:
    graph.answers = [accepted(), cut]
    await send(transport, graph)

    with pytest.raises(SendUnknown):
        await send(transport, graph)


async def test_a_refused_connection_means_that_nothing_left(transport: Transport, graph: FakeGraph) -> None:
    channel = graph.channel(graph_url=f"http://127.0.0.1:{free_port()}")

    with pytest.raises(SendNotAttempted, match="refused"):
        await transport.send(channel, ANA, Text("Hola"), tracker="t", timeout_seconds=10)


async def test_a_name_that_does_not_resolve_means_that_nothing_left(transport: Transport, graph: FakeGraph) -> None:
    channel = graph.channel(graph_url="https://graph.invalid")

    with pytest.raises(SendNotAttempted, match="dns"):
        await transport.send(channel, ANA, Text("Hola"), tracker="t", timeout_seconds=10)


@pytest.mark.parametrize(
    ("answer", "action", "seconds"),
    [
        (graph_error(190, 401), ErrorAction.STOP_CHANNEL, None),
        (graph_error(131047), ErrorAction.CLOSE_WINDOW, None),
        (graph_error(131026), ErrorAction.FAIL, None),
        (graph_error(130429), ErrorAction.RETRY, 1),
        (graph_error(131056), ErrorAction.RETRY, 1),
        (graph_error(80007, 400), ErrorAction.RETRY, 60),
        (graph_error(4, 403), ErrorAction.RETRY, 60),
        (Answer(429, b"busy", {"retry-after": "7"}), ErrorAction.RETRY, 7),
        (graph_error(987654321), ErrorAction.FAIL, None),
    ],
)
async def test_a_definite_refusal_says_what_to_do(
    transport: Transport, graph: FakeGraph, answer: Answer, action: ErrorAction, seconds: float | None
) -> None:
    graph.answers = [answer]

    with pytest.raises(SendRejected) as raised:
        await send(transport, graph)

    assert (raised.value.action, raised.value.retry_after_seconds) == (action, seconds)
    assert len(graph.requests) == 1


async def test_content_that_whatsapp_would_refuse_does_not_leave(transport: Transport, graph: FakeGraph) -> None:
    with pytest.raises(SendRejected) as raised:
        await send(transport, graph, Buttons("Sure?", ()))

    assert raised.value.details.startswith("buttons: ")
    assert graph.requests == []


async def test_a_message_to_nobody_does_not_leave(transport: Transport, graph: FakeGraph) -> None:
    with pytest.raises(SendRejected):
        await transport.send(graph.channel(), Recipient(), Text("Hola"), tracker="t", timeout_seconds=10)

    assert graph.requests == []


async def test_many_sends_at_once_get_each_its_own_answer(transport: Transport, graph: FakeGraph) -> None:
    graph.answers = [accepted(f"wamid.{number}") for number in range(50)]

    ids = await asyncio.gather(*(send(transport, graph) for _ in range(50)))

    assert {one.message_id for one in ids} == {f"wamid.{number}" for number in range(50)}


async def test_a_read_receipt_may_show_that_we_are_writing(transport: Transport, graph: FakeGraph) -> None:
    graph.answers = [Answer(200, b'{"success":true}')]

    await transport.mark_read(graph.channel(), "wamid.IN", typing=True)

    body = graph.requests[0].json
    assert (body["message_id"], body["typing_indicator"]) == ("wamid.IN", {"type": "text"})
    assert meta_referee().check_send(body) == []


@pytest.mark.parametrize("fault", [cut, Answer(500, b""), Answer(200, b"<html>"), graph_error(4)])
async def test_a_read_receipt_that_fails_now_may_succeed_later(
    transport: Transport, graph: FakeGraph, fault: Answer | Fault
) -> None:
    graph.answers = [fault]

    with pytest.raises(CallUnavailable):
        await transport.mark_read(graph.channel(), "wamid.IN", typing=False)


async def test_a_read_receipt_that_is_refused_says_why(transport: Transport, graph: FakeGraph) -> None:
    graph.answers = [graph_error(190, 401)]

    with pytest.raises(CallRefused) as raised:
        await transport.mark_read(graph.channel(), "wamid.IN", typing=False)

    assert raised.value.graph_code == 190


async def test_no_error_and_no_representation_shows_the_token(transport: Transport, graph: FakeGraph) -> None:
    graph.answers = [graph_error(190, 401)]

    with pytest.raises(SendRejected) as raised:
        await send(transport, graph)

    assert "EAAsecret" not in f"{raised.value!r} {raised.value} {vars(raised.value)} {graph.channel()!r}"
