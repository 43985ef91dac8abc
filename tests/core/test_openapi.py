from typing import Any
from uuid import UUID

import msgspec
import pytest
from litestar import Controller, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from app.core.keyset import Page
from app.core.openapi import openapi_document
from app.core.schema import Input, Output
from tests.core.http.door import application, knocking


class Cat(Input, frozen=True, kw_only=True, tag_field="type", tag="cat"):
    """Somebody who is in charge."""

    lives: int


class Dog(Input, frozen=True, kw_only=True, tag_field="type", tag="dog"):
    tricks: list[str]


class Pet(Output, frozen=True, kw_only=True):
    """A pet as stored."""

    animal: Cat | Dog
    best_friend: Cat | Dog | None


class Sat(msgspec.Struct, frozen=True):
    """A pet sat down."""

    pet_id: UUID


class Woke(msgspec.Struct, frozen=True, tag_field="type", tag="woke"):
    """A pet woke up."""


class Slept(msgspec.Struct, frozen=True, tag_field="type", tag="slept"):
    """A pet fell asleep."""


class PetsController(Controller):
    path = "/api/pets"
    tags = ("Pets",)

    @get("/", summary="List")
    async def list_all(self, cursor: FromQuery[str | None] = None) -> Page[Pet]:
        """Show the pets, newest first."""
        return Page(items=[])

    @post("/")
    async def create(self, data: JSONBody[Cat | Dog]) -> Pet:
        return Pet(animal=data, best_friend=None)

    @get("/{pet_id:uuid}")
    async def show(self, pet_id: FromPath[UUID]) -> Pet:
        raise LookupError(pet_id)


class HousesController(Controller):
    path = "/api/houses"

    @get("/")
    async def list_all(self) -> Page[Sat]:
        return Page(items=[])


@post("/api/auth/login")
async def login() -> None: ...


@get("/healthz")
async def healthz() -> None: ...


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    app = application([PetsController, HousesController, login, healthz], further_types=[Sat, Woke | Slept])
    return openapi_document(app)


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {op["operationId"]: op for path in document["paths"].values() for op in path.values()}


def test_operations_are_named_after_controller_and_function(document: dict[str, Any]) -> None:
    assert set(operations(document)) == {
        "pets_list_all", "pets_create", "pets_show", "houses_list_all", "login", "healthz",
    }  # fmt: skip


def test_docstrings_of_structs_and_handlers_are_descriptions(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["Cat"]["description"] == "Somebody who is in charge."
    assert schemas["Pet"]["description"] == "A pet as stored."
    assert "description" not in schemas["Dog"]
    assert operations(document)["pets_list_all"]["description"] == "Show the pets, newest first."


def test_tagged_unions_have_a_discriminator(document: dict[str, Any]) -> None:
    expected = {
        "propertyName": "type",
        "mapping": {"cat": "#/components/schemas/Cat", "dog": "#/components/schemas/Dog"},
    }
    members = document["components"]["schemas"]["Pet"]["properties"]
    assert members["animal"]["discriminator"] == expected
    assert members["best_friend"]["discriminator"] == expected
    body = operations(document)["pets_create"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["discriminator"] == expected


def test_a_page_is_named_after_what_it_holds(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert {"PetPage", "SatPage"} <= set(schemas)
    answer = operations(document)["pets_list_all"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/PetPage"}


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(node: Any) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
            return own.union(*(references(value) for value in node.values()))
        return set().union(*(references(value) for value in node)) if isinstance(node, list) else set()

    for reference in references(document):
        place: Any = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def test_problems_are_described_as_they_are_sent(document: dict[str, Any]) -> None:
    show = operations(document)["pets_show"]["responses"]
    assert set(show) == {"200", "400", "401", "403", "404", "422", "429", "503", "default"}
    problem = document["components"]["responses"]["InvalidInput"]["content"]["application/problem+json"]["schema"]
    assert problem == {"$ref": "#/components/schemas/Problem"}
    assert "errors" in document["components"]["schemas"]["Problem"]["properties"]
    assert "ValidationException" not in str(document)


def test_only_what_is_open_to_strangers_needs_no_token(document: dict[str, Any]) -> None:
    assert document["security"] == [{"bearer": []}]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    public = {name for name, operation in operations(document).items() if operation.get("security") == []}
    assert public == {"login", "healthz"}


def test_types_that_travel_outside_http_are_in_the_document(document: dict[str, Any]) -> None:
    assert document["components"]["schemas"]["Sat"]["description"] == "A pet sat down."
    assert {"Woke", "Slept"} <= set(document["components"]["schemas"])


async def test_the_document_is_served() -> None:
    app = application([PetsController])
    async with knocking(app) as client:
        response = await client.get("/schema/openapi.json")
    assert response.json() == openapi_document(app)
    assert response.json()["info"]["title"] == "Mostrador"
    assert response.json()["info"]["version"] == "1.2.3"


@pytest.mark.parametrize("path", ["/schema", "/schema/swagger", "/schema/redoc", "/schema/elements"])
async def test_no_page_loads_a_viewer_from_elsewhere(path: str) -> None:
    async with knocking(application([PetsController])) as client:
        assert "<script" not in (await client.get(path)).text
