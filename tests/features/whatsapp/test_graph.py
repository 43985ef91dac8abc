import base64
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from app.core.http_client import HttpClient
from app.whatsapp.errors import CallRefused, CallUnavailable, MediaUnavailable
from app.whatsapp.graph import GraphClient, PhoneNumber
from tests.features.whatsapp.fake_graph import Answer, FakeGraph, as_json, cut, graph_error

FILE = b"\xff\xd8\xff" + b"picture" * 1000


@pytest.fixture
async def server() -> AsyncIterator[FakeGraph]:
    async with FakeGraph().running() as running:
        yield running


@pytest.fixture
async def graph() -> AsyncIterator[GraphClient]:
    http = HttpClient()
    yield GraphClient(http)
    await http.aclose()


def media(server: FakeGraph, **members: object) -> Answer:
    base = {"url": f"{server.url}/file", "mime_type": "image/jpeg", "file_size": len(FILE), "id": "77"}
    return as_json(base | {"sha256": hashlib.sha256(FILE).hexdigest()} | members)


async def test_an_upload_is_a_form_with_its_length_and_gives_an_id(
    server: FakeGraph, graph: GraphClient, tmp_path: Path
) -> None:
    server.answers = [as_json({"id": "55"})]
    path = tmp_path / "a.jpg"
    path.write_bytes(FILE)

    assert await graph.upload_media(server.channel(), path, "image/jpeg", filename="a.jpg") == "55"

    (request,) = server.requests
    assert request.path == "/v26.0/10654/media"
    assert FILE in request.body
    assert b'name="messaging_product"\r\n\r\nwhatsapp' in request.body
    assert b'filename="a.jpg"\r\nContent-Type: image/jpeg' in request.body


async def test_a_download_carries_the_token_and_checks_the_digest(
    server: FakeGraph, graph: GraphClient, tmp_path: Path
) -> None:
    server.answers = [media(server), Answer(200, FILE)]

    fetched = await graph.download_media(server.channel(), "77", tmp_path / "f", max_bytes=10_000)

    assert (tmp_path / "f").read_bytes() == FILE
    assert (fetched.size_bytes, fetched.mime_type) == (len(FILE), "image/jpeg")
    assert [request.path for request in server.requests] == ["/v26.0/77?phone_number_id=10654", "/file"]
    assert all(request.headers["authorization"] == "Bearer EAAsecret" for request in server.requests)
    assert all("Mostrador/" in request.headers["user-agent"] for request in server.requests)


@pytest.mark.parametrize("status", [404, 410])
async def test_an_expired_address_is_asked_for_once_more(
    server: FakeGraph, graph: GraphClient, tmp_path: Path, status: int
) -> None:
    server.answers = [media(server), Answer(status), media(server), Answer(200, FILE)]

    fetched = await graph.download_media(server.channel(), "77", tmp_path / "f", max_bytes=10_000)

    assert fetched.size_bytes == len(FILE)


@pytest.mark.parametrize(
    ("metadata", "file", "reason", "requests"),
    [
        ({}, Answer(404), "gone", 4),
        ({"file_size": 10_001}, Answer(200, FILE), "too_large", 1),
        ({"file_size": "x"}, Answer(200, b"x" * 10_001), "too_large", 2),
        ({}, Answer(200, FILE[:-1] + b"!"), "corrupt", 2),
        ({"sha256": base64.b64encode(bytes(32)).decode()}, Answer(200, FILE), "corrupt", 2),
        ({"url": 5}, Answer(200, FILE), "unreadable_answer", 1),
        ({"url": "https://evil.example/file"}, Answer(200, FILE), "unreadable_answer", 1),
        ({"url": "http://lookaside.fbsbx.com/file"}, Answer(200, FILE), "unreadable_answer", 1),
        ({"url": "https://evilfbsbx.com/file"}, Answer(200, FILE), "unreadable_answer", 1),
        ({"url": "https://[broken"}, Answer(200, FILE), "unreadable_answer", 1),
    ],
)
async def test_a_file_that_cannot_be_had_leaves_nothing_behind(
    server: FakeGraph,
    graph: GraphClient,
    tmp_path: Path,
    metadata: dict[str, object],
    file: Answer,
    reason: str,
    requests: int,
) -> None:
    server.answers = [media(server, **metadata), file] * 2

    with pytest.raises(MediaUnavailable) as raised:
        await graph.download_media(server.channel(), "77", tmp_path / "f", max_bytes=10_000)

    assert raised.value.reason == reason
    assert not (tmp_path / "f").exists()
    assert len(server.requests) == requests


async def test_a_file_without_a_usable_digest_is_taken(server: FakeGraph, graph: GraphClient, tmp_path: Path) -> None:
    server.answers = [media(server, sha256="4654+8g="), Answer(200, FILE)]

    assert (await graph.download_media(server.channel(), "77", tmp_path / "f", max_bytes=10_000)).size_bytes


async def test_a_hostile_media_id_stays_inside_its_path(server: FakeGraph, graph: GraphClient) -> None:
    server.answers = [media(server)]

    await graph.media_info(server.channel(), "../me?x=1#")

    assert server.requests[0].path.startswith("/v26.0/..%2Fme%3Fx")
    assert server.requests[0].path.endswith("1%23?phone_number_id=10654")


async def test_files_can_be_deleted(server: FakeGraph, graph: GraphClient) -> None:
    server.answers = [as_json({"success": True})]

    await graph.delete_media(server.channel(), "77")

    assert server.requests[0].method == "DELETE"


async def test_templates_come_page_by_page_without_the_broken_ones(server: FakeGraph, graph: GraphClient) -> None:
    def template(name: str) -> dict[str, object]:
        parts = [{"type": "BODY", "text": "Hi {{1}}"}]
        return {
            "id": name,
            "name": name,
            "language": "es",
            "status": "APPROVED",
            "category": "UTILITY",
            "components": parts,
        }

    page = {"data": [template("a"), 5, {"name": "x"}], "paging": {"cursors": {"after": "C1"}, "next": "https://x"}}
    server.answers = [as_json(page), as_json({"data": [template("b")], "paging": {"cursors": {"after": "C2"}}})]

    found = [one async for one in graph.templates(server.channel())]

    assert [(one.name, one.parameter_format) for one in found] == [("a", "POSITIONAL"), ("b", "POSITIONAL")]
    assert json.loads(found[0].components)[0]["type"] == "BODY"
    assert "after=C1" in server.requests[1].path


async def test_a_list_of_templates_that_runs_in_a_circle_ends(server: FakeGraph, graph: GraphClient) -> None:
    server.answers = [as_json({"data": [], "paging": {"cursors": {"after": "C1"}, "next": "https://x"}})]

    assert [one async for one in graph.templates(server.channel())] == []
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("members", "messages_a_second", "coexistence"),
    [
        ({}, 80, False),
        ({"throughput": {"level": "HIGH"}}, 1000, False),
        ({"is_on_biz_app": True, "platform_type": "CLOUD_API"}, 20, True),
    ],
)
async def test_a_number_says_how_fast_it_may_send(
    server: FakeGraph, graph: GraphClient, members: dict[str, object], messages_a_second: int, *, coexistence: bool
) -> None:
    server.answers = [as_json({"display_phone_number": "+1 555", "verified_name": "Bar", **members})]

    number = await graph.phone_number(server.channel())

    assert number == PhoneNumber("+1 555", "Bar", None, None, coexistence, messages_a_second)


@pytest.mark.parametrize("answer", [cut, Answer(200, b"[]"), Answer(500, b""), Answer(200, b" " * 2_000_000)])
async def test_no_usable_answer_may_be_better_later(server: FakeGraph, graph: GraphClient, answer: Answer) -> None:
    server.answers = [answer]

    with pytest.raises(CallUnavailable):
        await graph.phone_number(server.channel())


async def test_a_refused_token_is_told_apart(server: FakeGraph, graph: GraphClient) -> None:
    server.answers = [graph_error(190, 401)]

    with pytest.raises(CallRefused) as raised:
        await graph.phone_number(server.channel())

    assert raised.value.graph_code == 190


async def test_an_upload_without_an_id_may_be_tried_again(server: FakeGraph, graph: GraphClient) -> None:
    server.answers = [as_json({"id": ""})]

    with pytest.raises(CallUnavailable, match="no_media_id"):
        await graph.upload_media(server.channel(), FILE, "image/jpeg")


@pytest.mark.parametrize(
    ("file", "error"),
    [(cut, CallUnavailable), (graph_error(4, 403), CallUnavailable), (graph_error(190, 401), CallRefused)],
)
async def test_a_file_that_cannot_be_had_this_time_says_so(
    server: FakeGraph, graph: GraphClient, tmp_path: Path, file: Answer, error: type[Exception]
) -> None:
    server.answers = [media(server), file]

    with pytest.raises(error):
        await graph.download_media(server.channel(), "77", tmp_path / "f", max_bytes=10_000)

    assert not (tmp_path / "f").exists()


async def test_without_a_business_account_there_are_no_templates(server: FakeGraph, graph: GraphClient) -> None:
    channel = msgspec.structs.replace(server.channel(), business_account_id=None)

    with pytest.raises(ValueError, match="business account"):
        await anext(graph.templates(channel))
