"""Messages are found by their words, on both databases alike."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.conversations.models import messages
from app.core.db import Database
from app.core.ids import new_id
from app.inbox.controllers import SearchController
from app.outbound.controllers import MessagesController
from app.whatsapp.content import Text
from tests.builders.api import BOTH, Desk, RecordingWake, desk, either_database
from tests.builders.pipeline import Pipeline


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with either_database(request, tmp_path) as database:
        yield database


@pytest.fixture
def rows(database: Database) -> Pipeline:
    return Pipeline(database)


@pytest.fixture
def panel(database: Database) -> Desk:
    return desk([SearchController, MessagesController], {"database": database, "wake": RecordingWake()})


async def texts(panel: Desk, q: str, **query: Any) -> list[str]:
    return ["".join(p["text"] for p in hit["snippet"]) for hit in await panel.all_pages("/api/search", q=q, **query)]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("cuando", ["¿CUÁNDO abren?", "¿Cuándo abre la panadería?"]),
        ("CUÁNDO", ["¿CUÁNDO abren?", "¿Cuándo abre la panadería?"]),
        ("abr", ["¿CUÁNDO abren?", "¿Cuándo abre la panadería?"]),
        ("abre", ["¿CUÁNDO abren?", "¿Cuándo abre la panadería?"]),
        ("abre cuando", ["¿Cuándo abre la panadería?"]),
        ("panaderia", ["¿Cuándo abre la panadería?"]),
        ("manana", ["Hasta mañana"]),
        ("atencao", ["Atenção, João: pedido nº 12345-A"]),
        ("12345", ["Atenção, João: pedido nº 12345-A"]),
        ("pedido 123", ["Atenção, João: pedido nº 12345-A"]),
        ("ana@shop.example", ["Va a ana@shop.example, shop.example/menu"]),
        ("menu", ["Va a ana@shop.example, shop.example/menu"]),
        ("ejemplo", []),
        ("a", ["Va a ana@shop.example, shop.example/menu", "Atenção, João: pedido nº 12345-A"]),
        ("'; drop", []),
        ('" OR "', []),
        ("?!", []),
        ("Hasta*", ["Hasta mañana"]),
        ("мир", ["Привет, мир!"]),
        ("hola", ["hola😀 ¡HOLA!"]),
    ],
)  # fmt: skip
async def test_messages_are_found_by_their_words_the_newest_first(
    rows: Pipeline, panel: Desk, asked: str, found: list[str]
) -> None:
    conversation = await rows.conversation()
    for text in (
        "¿Cuándo abre la panadería?",
        "¿CUÁNDO abren?",
        "Hasta mañana",
        "Atenção, João: pedido nº 12345-A",
        "Va a ana@shop.example, shop.example/menu",
        "Привет, мир!",
        "hola😀 ¡HOLA!",
        "",
    ):
        await rows.message(conversation, text)
    assert await texts(panel, asked) == found


async def test_a_hit_names_its_conversation_and_message_and_marks_what_was_asked_for(
    rows: Pipeline, panel: Desk
) -> None:
    mine = await rows.conversation(contact_id=await rows.contact(name="Ana"))
    message = await rows.message(mine, "¿Tienen pan integral?")
    (hit,) = (await panel.get("/api/search", q="pan"))["items"]
    assert (hit["conversation"]["id"], hit["conversation"]["contact"]["name"]) == (str(mine), "Ana")
    assert (hit["message"]["id"], hit["message"]["author"], hit["message"]["kind"]) == (
        str(message),
        "customer",
        "text",
    )
    assert hit["snippet"] == [
        {"text": "¿Tienen ", "marked": False},
        {"text": "pan", "marked": True},
        {"text": " integral?", "marked": False},
    ]


async def test_pages_join_without_gap_or_double(rows: Pipeline, panel: Desk) -> None:
    for number in range(7):
        await rows.message(await rows.conversation(), f"pedido {number}")
    assert await texts(panel, "pedido", limit=2) == [f"pedido {number}" for number in reversed(range(7))]


async def test_what_never_left_is_not_found_and_what_left_is(rows: Pipeline, panel: Desk) -> None:
    conversation = await rows.conversation()
    for state in ("superseded", "cancelled", "sent", "failed"):
        await rows.outbound(conversation, Text(f"pedido {state}"), state=state)
    assert await texts(panel, "pedido") == ["pedido failed", "pedido sent"]


async def test_the_index_follows_what_changes_and_goes(rows: Pipeline, panel: Desk, database: Database) -> None:
    conversation = await rows.conversation()
    changed, gone = await rows.message(conversation, "audio"), await rows.message(conversation, "pedido viejo")
    empty = await rows.message(conversation, "")
    await rows.change(messages, changed, text="quiero un pedido")
    await rows.change(messages, empty, text="otro pedido")
    async with database.write() as connection:
        await connection.execute(sa.delete(messages).where(messages.c.id == gone))

    assert set(await texts(panel, "pedido")) == {"quiero un pedido", "otro pedido"}
    assert await texts(panel, "audio") == []
    await rows.change(messages, empty, text="")
    assert await texts(panel, "pedido") == ["quiero un pedido"]


@pytest.mark.parametrize("query", [{}, {"q": ""}, {"q": "x" * 201}, {"q": "x", "limit": 51}, {"q": "x", "cursor": "y"}])
async def test_a_bad_search_is_refused(panel: Desk, query: dict[str, Any]) -> None:
    assert (await panel.call("GET", "/api/search", params=query)).status_code == 422


async def test_strangers_find_nothing(panel: Desk) -> None:
    assert (await panel.call("GET", "/api/search", params={"q": "x"}, role=None)).status_code == 401


def numbers(page: Any) -> list[int]:
    return [int(item["text"]) for item in page["items"]]


async def test_a_thread_opens_around_a_message_and_goes_on_both_ways(rows: Pipeline, panel: Desk) -> None:
    conversation = await rows.conversation()
    ids = [await rows.message(conversation, str(number)) for number in range(20)]
    path = f"/api/conversations/{conversation}/messages"

    page = await panel.get(path, around=str(ids[10]), limit=5)
    older = await panel.get(path, cursor=page["next_cursor"], limit=5)
    newer = await panel.get(path, after=page["items"][0]["id"], limit=5)
    newest = await panel.get(path, after=newer["items"][0]["id"], limit=5)
    end = await panel.get(path, after=newest["items"][0]["id"], limit=5)

    assert numbers(page) == [12, 11, 10, 9, 8]
    assert numbers(older) == [7, 6, 5, 4, 3]
    assert (numbers(newer), numbers(newest), numbers(end)) == ([17, 16, 15, 14, 13], [19, 18], [])
    assert newer["next_cursor"] is None


@pytest.mark.parametrize(("place", "expected"), [(0, [2, 1, 0]), (5, [5, 4, 3, 2, 1])])
async def test_at_an_end_the_page_around_a_message_has_what_there_is(
    rows: Pipeline, panel: Desk, place: int, expected: list[int]
) -> None:
    conversation = await rows.conversation()
    ids = [await rows.message(conversation, str(number)) for number in range(6)]
    page = await panel.get(f"/api/conversations/{conversation}/messages", around=str(ids[place]), limit=5)
    assert numbers(page) == expected


@pytest.mark.parametrize("name", ["around", "after"])
async def test_a_message_of_another_conversation_is_not_found(rows: Pipeline, panel: Desk, name: str) -> None:
    mine, other = await rows.conversation(), await rows.message(await rows.conversation())
    answer = await panel.call("GET", f"/api/conversations/{mine}/messages", params={name: str(other)})
    assert (answer.status_code, answer.json()["code"]) == (404, "message_not_found")


async def test_only_one_place_can_be_asked_for(rows: Pipeline, panel: Desk) -> None:
    query = {"around": str(new_id()), "after": str(new_id())}
    answer = await panel.call("GET", f"/api/conversations/{await rows.conversation()}/messages", params=query)
    assert answer.status_code == 422
