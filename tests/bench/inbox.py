"""The inbox and the search through the real API, over conversations of years: what one colleague waits for."""

import asyncio
import http.client
import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from tests.bench.figures import InboxFigures, percentile
from tests.bench.processes import Child
from tests.bench.product import Installation
from tests.bench.seed import Size, seed
from tests.bench.stores import Store

PASSWORD = "the inbox of two years"
_PAGES_DOWN = 20

Install = Callable[[Path, str], Installation]


class Question:
    """A request that is asked again and again, each time with the next of its queries."""

    def __init__(self, name: str, path: str, *queries: dict[str, str]) -> None:
        self.name = name
        self.path = path
        self._queries = itertools.cycle(queries or ({},))

    def target(self) -> str:
        query = urlencode(next(self._queries))
        return f"{self.path}?{query}" if query else self.path


def measure(store: Store, directory: Path, install: Install, *, size: Size, requests: int) -> list[InboxFigures]:
    """Fill a database, ask every question so many times in turns, one after the other, and return what they took."""
    with store.database("inbox") as url:
        agent = asyncio.run(seed(url, size))
        house = install(directory / "inbox", url)
        house.environ |= {"ADMIN_PASSWORD": PASSWORD, "RATE_LIMIT_ENABLED": "false"}
        with house.web() as (web, _), closing(http.client.HTTPConnection("127.0.0.1", house.port)) as connection:
            colleague = _Colleague(connection)
            questions = _questions(colleague, agent)
            for question in questions:
                colleague.asks(question.target())  # statements are prepared, pages are read
            return _figures(colleague, web, questions, requests)


class _Colleague:
    """Somebody at the panel, who asks one thing at a time over one connection."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection
        self._headers = {"content-type": "application/json"}
        token = self._call("POST", "/api/auth/login", {"username": "admin", "password": PASSWORD})["access_token"]
        self._headers["authorization"] = f"Bearer {token}"

    def asks(self, target: str) -> Any:
        return self._call("GET", target)

    def _call(self, method: str, target: str, body: object = None) -> Any:
        content = None if body is None else json.dumps(body)
        self._connection.request(method, target, body=content, headers=self._headers)
        answer = self._connection.getresponse()
        said = answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{method} {target} answered {answer.status}: {said[:500].decode(errors='replace')}")
        return json.loads(said)


def _questions(colleague: _Colleague, agent: UUID) -> list[Question]:
    inbox = "/api/conversations"
    first = colleague.asks(inbox)
    down = first["next_cursor"]
    for _ in range(_PAGES_DOWN):
        down = colleague.asks(f"{inbox}?{urlencode({'cursor': down})}")["next_cursor"] or down
    hit = colleague.asks("/api/search?q=pedido")["items"][0]
    thread = f"{inbox}/{hit['conversation']['id']}/messages"
    return [
        Question("inbox, first page", inbox, {}, {"status": "open"}),
        Question("inbox, page 21", inbox, {"cursor": down}),
        Question(
            "inbox, filtered",
            inbox,
            {"status": "open", "assignee": "nobody"},
            {"status": "open", "assignee": str(agent)},
            {"status": "open", "unread": "true"},
            {"attention": "true"},
            {"control": "person"},
            {"channel_id": first["items"][0]["channel_id"], "status": "closed"},
        ),
        Question("inbox, counts", f"{inbox}/counts"),
        Question("inbox, by name", inbox, {"q": "García"}, {"q": "ibanez 7"}, {"q": "nobody has it"}),
        Question("inbox, by number", inbox, {"q": "300 000 1"}, {"q": "+57 300-0000-7"}),
        Question("thread, first page", thread),
        Question("thread, around a hit", thread, {"around": hit["message"]["id"]}),
        Question("search, a common word", "/api/search", {"q": "hola"}, {"q": "MAÑANA"}, {"q": "precio"}),
        Question("search, a rare word", "/api/search", {"q": "pedido 48213"}, {"q": "bacudafe"}, {"q": "pagoda"}),
        Question("search, a beginning", "/api/search", {"q": "gra"}, {"q": "pre"}, {"q": "transf"}),
        Question("search, several words", "/api/search", {"q": "precio pan"}, {"q": "tarjeta sábado domici"}),
        Question("search, nothing there", "/api/search", {"q": "zzzz"}, {"q": "hola zzzz"}),
    ]


def _figures(colleague: _Colleague, web: Child, questions: Sequence[Question], requests: int) -> list[InboxFigures]:
    taken: dict[str, list[float]] = {question.name: [] for question in questions}
    cpu: dict[str, float] = dict.fromkeys(taken, 0.0)
    for question in _in_turns(questions, requests):
        busy, started = web.cpu_seconds(), time.perf_counter()
        colleague.asks(question.target())
        taken[question.name].append((time.perf_counter() - started) * 1000)
        cpu[question.name] += web.cpu_seconds() - busy
    return [
        InboxFigures(
            name=name,
            requests=len(times),
            p50_ms=percentile(sorted(times), 0.5),
            p95_ms=percentile(sorted(times), 0.95),
            cpu_ms=cpu[name] * 1000 / len(times),
        )
        for name, times in taken.items()
    ]


def _in_turns(questions: Sequence[Question], requests: int) -> Iterator[Question]:
    """Yield the questions one after the other, so that what disturbs the machine disturbs all of them."""
    for _ in range(requests):
        yield from questions
