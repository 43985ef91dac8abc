import asyncio
import io
import json
import logging
from typing import Annotated, Any
from uuid import UUID

import httpx
import msgspec
import pytest
import structlog
from litestar import Litestar, Request, get, post
from litestar.exceptions import NotAuthorizedException
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from app.core.db import DatabaseUnavailable
from app.core.errors import Conflict, InvalidInput, MostradorError, TooManyRequests
from app.core.log import configure_logging
from app.core.schema import Input
from tests.core.eventually import eventually
from tests.core.http.door import application, knocking, listening


class Fact(Input, frozen=True, kw_only=True):
    text: Annotated[str, msgspec.Meta(min_length=1)]


class Profile(Input, frozen=True, kw_only=True):
    name: str
    age: Annotated[int, msgspec.Meta(ge=0)]
    best: Fact | None = None
    facts: list[Fact] = msgspec.field(default_factory=list)


@post("/profiles")
async def save(data: JSONBody[Profile]) -> str:
    return data.name


@get("/things/{thing_id:uuid}")
async def thing(thing_id: FromPath[UUID], limit: Annotated[int, QueryParameter(ge=1, le=100)] = 20) -> str:
    return f"{thing_id} {limit}"


@get("/names")
async def names(name: FromQuery[str]) -> str:
    return name


def failing_with(error: Exception) -> Litestar:
    @get("/fail")
    async def fail() -> None:
        raise error

    return application([fail])


async def answer_to(error: Exception) -> httpx.Response:
    async with knocking(failing_with(error)) as client:
        return await client.get("/fail")


async def refused(body: bytes) -> httpx.Response:
    async with knocking(application([save])) as client:
        return await client.post("/profiles", content=body, headers={"Content-Type": "application/json"})


def faults(response: httpx.Response) -> dict[str, str]:
    return {fault["field"]: fault["message"] for fault in response.json()["errors"]}


@pytest.fixture
def logged() -> Any:
    stream = io.StringIO()
    before = logging.getLogger().handlers[:]
    configure_logging(log_format="json", stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = before


async def test_an_error_of_ours_becomes_a_problem_with_its_stable_code() -> None:
    response = await answer_to(Conflict("somebody was faster"))
    assert response.status_code == 409
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem.pop("correlation_id") == response.headers["x-request-id"]
    assert problem == {
        "type": "urn:mostrador:problem:conflict",
        "title": "Conflict",
        "status": 409,
        "code": "conflict",
        "detail": "somebody was faster",
    }


async def test_invalid_input_names_the_field() -> None:
    response = await answer_to(InvalidInput("that is no cursor", field="cursor"))
    assert response.status_code == 422
    assert response.json()["errors"] == [{"field": "cursor", "message": "that is no cursor"}]


async def test_too_many_requests_says_when_to_come_back() -> None:
    response = await answer_to(TooManyRequests("slow down", retry_after_seconds=12.1))
    assert response.status_code == 429
    assert response.headers["retry-after"] == "13"
    assert response.json()["try_again"] is True


async def test_a_lost_database_is_a_503_that_may_be_tried_again() -> None:
    response = await answer_to(DatabaseUnavailable("the database does not answer"))
    assert response.status_code == 503
    assert response.json()["code"] == "database_unavailable"
    assert "retry-after" in response.headers


async def test_an_unexpected_error_tells_the_client_nothing_and_the_log_everything(logged: Any) -> None:
    response = await answer_to(ValueError("the secret ingredient"))
    assert response.status_code == 500
    assert response.json()["code"] == "internal_error"
    assert "secret ingredient" not in response.text
    [line] = [line for line in logged() if line["event"] == "http.unhandled_error"]
    assert "the secret ingredient" in line["exception"]
    assert line["correlation_id"] == response.json()["correlation_id"]


async def test_an_error_of_ours_that_means_500_keeps_its_message_to_itself() -> None:
    class Broken(MostradorError):
        pass

    response = await answer_to(Broken("internal details"))
    assert response.status_code == 500
    assert "internal details" not in response.text


async def test_a_refused_caller_is_told_which_scheme_to_use() -> None:
    response = await answer_to(NotAuthorizedException("no"))
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")


async def test_an_unknown_address_is_a_problem_too() -> None:
    async with knocking(application([])) as client:
        response = await client.get("/nowhere")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_wrong_method_says_which_are_right() -> None:
    async with knocking(application([save])) as client:
        response = await client.get("/profiles")
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert "POST" in response.headers["allow"]


async def test_every_member_at_fault_is_named_at_once() -> None:
    response = await refused(b'{"age": -1, "best": {"txt": "x"}, "facts": [{"text": "a"}, {"text": ""}], "extra": 1}')
    assert response.status_code == 422
    assert faults(response) == {
        "name": "is required",
        "age": "Expected `int` >= 0",
        "best.text": "is required",
        "best.txt": "is not known here",
        "facts[1].text": "Expected `str` of length >= 1",
        "extra": "is not known here",
    }


@pytest.mark.parametrize("body", [b"[]", b"null", b"3", b'"text"', b""])
async def test_a_body_of_another_shape_is_invalid_input(body: bytes) -> None:
    response = await refused(body)
    assert response.status_code == 422


@pytest.mark.parametrize(
    "body",
    [b"{", b'{"name": "\xff", "age": 1}', b'{"name": "\\ud800", "age": 1}', b'{"name": NaN}', b"\x00"],
    ids=["truncated", "not utf-8", "lone surrogate", "not a number", "nul"],
)
async def test_a_body_that_is_not_json_is_a_bad_request(body: bytes) -> None:
    response = await refused(body)
    assert (response.status_code, response.json()["code"]) == (400, "malformed_json")


async def test_a_loop_of_our_own_is_not_blamed_on_the_client() -> None:
    def for_ever() -> None:
        for_ever()

    @get("/loop")
    async def loop() -> None:
        for_ever()

    async with knocking(application([loop])) as client:
        assert (await client.get("/loop")).status_code == 500


async def test_json_nested_too_deep_is_a_bad_request() -> None:
    response = await refused(b'{"facts": ' + b"[" * 5000 + b"]" * 5000 + b"}")
    assert (response.status_code, response.json()["code"]) == (400, "malformed_json")


@pytest.mark.parametrize("text", ["\\u0000", "a\\\\\\u0000b"])
async def test_a_nul_character_in_text_is_refused(text: str) -> None:
    response = await refused(b'{"name": "%s", "age": 1}' % text.encode())
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


async def test_text_that_only_speaks_of_nul_is_taken() -> None:
    response = await refused(b'{"name": "write \\\\u0000 like this", "age": 1}')
    assert response.status_code == 201


@pytest.mark.parametrize("address", ["/names?name=%00", "/things/%00"])
async def test_a_nul_character_in_an_address_is_never_a_server_error(address: str) -> None:
    async with knocking(application([names, thing])) as client:
        response = await client.get(address)
    assert response.status_code in {400, 404}


async def test_a_parameter_at_fault_is_named() -> None:
    async with knocking(application([thing])) as client:
        response = await client.get("/things/0192d5f0-0000-7000-8000-000000000000?limit=1000")
    assert response.status_code == 422
    assert faults(response) == {"limit": "Expected `int` <= 100"}


async def test_a_missing_parameter_is_named() -> None:
    async with knocking(application([names])) as client:
        response = await client.get("/names")
    assert response.status_code == 422
    assert faults(response) == {"name": "is required"}


async def test_a_body_over_the_limit_is_refused() -> None:
    response = await refused(b'{"name": "%s", "age": 1}' % (b"x" * 1024 * 1024))
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


async def test_an_answer_that_cannot_be_written_is_our_fault() -> None:
    @get("/unwritable")
    async def unwritable() -> Any:
        return {"x": object()}

    async with knocking(application([unwritable])) as client:
        response = await client.get("/unwritable")
    assert response.status_code == 500


async def test_a_handler_that_reads_broken_json_itself_answers_400() -> None:
    @post("/own")
    async def own(request: Request[Any, Any, Any]) -> None:
        await request.json()

    async with knocking(application([own])) as client:
        response = await client.post("/own", content=b"{")
    assert (response.status_code, response.json()["code"]) == (400, "malformed_json")


async def test_a_client_that_leaves_in_the_middle_of_its_body_is_not_our_error(logged: Any) -> None:
    async with listening(application([save])) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /profiles HTTP/1.1\r\nHost: desk.example\r\nContent-Length: 100\r\n\r\n{")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        await eventually(logged)
    assert [line["event"] for line in logged()] == ["http.client_left"]
