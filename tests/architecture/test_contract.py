"""What the OpenAPI document says is what the application does, for strangers and for every role.

Schemathesis makes requests out of the document, right ones and wrong ones, always the same; the application answers
them in this process. No answer may be a server error, have a status that its operation does not list, or a body that
does not fit.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import hypothesis
import jsonschema
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis.strategies import SearchStrategy
from requests import Request as PlainRequest
from schemathesis.generation import GenerationMode

from app.core.security.permissions import ROLES, Role
from tests.core.http.whole import HOST, Whole, whole_app

EXAMPLES = 3  # right ones, and as many wrong ones, of each operation: together about half a minute
STRANGER = "stranger"
PEOPLE = [STRANGER, *ROLES]

# These answer 503 when something is unwell, and say so in the document.
HEALTH = {"/healthz", "/readyz"}

# What ends sessions comes last, so that whoever calls it has been everywhere else.
LAST = ("/api/auth", "/api/users", "/api/api-keys")

# Whichever comes first makes the requests for all.
pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.timeout(400)]


class Request(msgspec.Struct, frozen=True):
    method: str
    path: str
    target: str
    headers: dict[str, str]
    content: bytes | None

    def __str__(self) -> str:
        return f"{self.method} {self.target} {self.content!r}"


@pytest.fixture
async def whole(tmp_path: Path) -> AsyncIterator[Whole]:
    async with whole_app(tmp_path) as running:
        yield running


@pytest.mark.parametrize("person", PEOPLE)
async def test_every_answer_is_one_that_the_document_promises(whole: Whole, person: str) -> None:
    token = None if person == STRANGER else await whole.sign_in(_role(person))
    faults: list[str] = []
    reached: set[int] = set()
    requests = await asyncio.to_thread(Requests.of, whole.document)  # the application goes on living meanwhile
    async with whole.client(token=token) as client:
        for request in requests:
            answer = await client.request(
                request.method, request.target, headers=request.headers, content=request.content
            )
            reached.add(answer.status_code)
            fault = fault_of(whole.document, request, answer.status_code, answer.headers, answer.content)
            if fault is not None:
                faults.append(f"{request}\n    {answer.status_code} {fault}")
    assert not faults, "\n".join(faults[:20])
    expected = {401} if person == STRANGER else {200, 404, 422} if person == "admin" else {200, 403}
    assert expected <= reached, "the requests did not get anywhere"


def fault_of(document: dict[str, Any], request: Request, status: int, headers: Any, body: bytes) -> str | None:
    """Say what is wrong with an answer; None if nothing is."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and request.path not in HEALTH:
        return f"is a server error: {body[:300]!r}"
    described = document["paths"][request.path][request.method.lower()]["responses"].get(str(status))
    if described is None:
        return f"is not documented: {body[:300]!r}"
    if "$ref" in described:
        described = document["components"]["responses"][described["$ref"].rpartition("/")[2]]
    if status >= HTTPStatus.BAD_REQUEST and headers.get("content-type") not in described["content"]:
        return f"has the type {headers.get('content-type')}"
    media_type = headers.get("content-type", "").partition(";")[0]
    if media_type not in {"application/json", "application/problem+json"}:
        return None
    if not _is_json(body):
        return f"is not JSON: {body[:300]!r}"
    content = described.get("content", {}).get(media_type)
    if content is None:
        return None
    schema = content["schema"] | {"components": document["components"]}
    error = jsonschema.exceptions.best_match(
        jsonschema.Draft202012Validator(schema).iter_errors(msgspec.json.decode(body))
    )
    return None if error is None else f"does not fit at {error.json_path}: {error.message[:300]}"


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body)
    except msgspec.DecodeError:
        return False
    return True


class Requests:
    """The same requests at each run, one operation after the other; made once in a process, which takes a while."""

    made: ClassVar[list[Request]] = []

    @classmethod
    def of(cls, document: dict[str, Any]) -> list[Request]:
        if not cls.made:
            plain = msgspec.json.encode(document, order="deterministic")
            cls.made += _made(msgspec.json.decode(plain))
        return cls.made


def _made(document: dict[str, Any]) -> list[Request]:
    schema = schemathesis.openapi.from_dict(document)
    found: list[Any] = list(schema.get_all_operations())
    operations = [one.ok() for one in found]
    operations.sort(key=lambda operation: operation.path.startswith(LAST))
    return [request for operation in operations for request in _of(operation)]


def _of(operation: Any) -> Iterator[Request]:
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        yield from map(_request, _examples(operation.as_strategy(generation_mode=mode)))


def _examples(strategy: SearchStrategy[Any]) -> list[Any]:
    found: list[Any] = []

    @hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    @hypothesis.given(strategy)
    def collect(case: Any) -> None:
        found.append(case)

    with suppress(hypothesis.errors.Unsatisfiable):  # there may be nothing that one could get wrong
        collect()
    return found


def _request(case: Any) -> Request:
    prepared: Any = PlainRequest(**case.as_transport_kwargs(base_url=f"https://{HOST}")).prepare()
    parts = urlsplit(prepared.url)
    content = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
    kept = {"content-type", "idempotency-key"}
    headers = {name: value for name, value in prepared.headers.items() if name.lower() in kept}
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    return Request(case.method.upper(), case.path, target, headers, content)


def _role(person: str) -> Role:
    role: Role = msgspec.convert(person, Role)
    return role
