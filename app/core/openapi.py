"""The OpenAPI document: complete enough to generate clients from, served at /schema/openapi.json.

Litestar's own document leaves out the docstrings of structs and the discriminators of tagged unions, names generic
pages clumsily and describes errors as we do not send them. `complete` mends that once, at the first request.
"""

import inspect
import re
from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Final

import msgspec
from litestar import Litestar, Request
from litestar._openapi.schema_generation import SchemaCreator
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, Schema, SecurityScheme
from litestar.plugins import OpenAPISchemaPlugin
from litestar.types import Method
from litestar.types.internal_types import PathParameterDefinition
from litestar.typing import FieldDefinition

from app.core.http.problems import PROBLEM_MEDIA_TYPE, Problem
from app.core.security.guards import PUBLIC_ROUTES

Json = dict[str, Any]  # the document itself is plain JSON: it has no narrower type than the specification

_REF: Final = "#/components/schemas/{name}"
_GENERIC_NAME = re.compile(r"^(?P<generic>\w+?)_(?:[A-Za-z0-9_]+\.)*(?P<argument>\w+?)_$")
_PROBLEMS: Final = {
    "400": ("BadRequest", "The request cannot be read."),
    "401": ("Unauthenticated", "The access token is missing or no longer valid."),
    "403": ("Forbidden", "The caller's role does not allow this."),
    "404": ("NotFound", "There is no such thing."),
    "409": ("Conflict", "It has changed meanwhile, or is in a state that does not allow this."),
    "413": ("TooLarge", "The body is larger than this address takes."),
    "422": ("InvalidInput", "The request does not fit; `errors` names each member at fault."),
    "429": ("TooManyRequests", "Too many requests; `Retry-After` says when to try again."),
    "503": ("Unavailable", "Something this needs does not answer now; try again later."),
    "default": ("Problem", "Any other problem."),
}
# They name what they are about in the body; and there may be no simulator.
_MAY_NAME_NOTHING: Final = ("/api/auth/links/", "/api/ai/playground", "/api/simulator")
_METHODS: Final = frozenset({"get", "put", "post", "delete", "patch", "head", "options"})


def openapi_config(*, version: str, public_url: str, further_types: Sequence[Any] = ()) -> OpenAPIConfig:
    """Return Litestar's configuration. `further_types` (structs or unions of them) travel outside HTTP routes."""
    return OpenAPIConfig(
        title="Mostrador",
        version=version,
        description="The WhatsApp front desk of a business. Errors are problem+json (RFC 9457) with a stable `code`.",
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(
                    type="http",
                    scheme="bearer",
                    description="An access token from `POST /api/auth/login`, or an API key.",
                )
            }
        ),
        security=[{"bearer": []}],
        operation_id_creator=operation_id,
        use_handler_docstrings=True,
        path="/schema",
        render_plugins=[_CompleteDocument(public_url, further_types)],
    )


def openapi_document(app: Litestar) -> Json:
    """Return the completed document, for the command line and for tests."""
    for plugin in app.openapi_config.render_plugins if app.openapi_config else ():
        if isinstance(plugin, _CompleteDocument):
            return plugin.complete(app.openapi_schema.to_schema())
    raise LookupError("this application was not configured with openapi_config()")


def operation_id(
    route_handler: HTTPRouteHandler, http_method: Method, path_components: list[str | PathParameterDefinition]
) -> str:
    """Name an operation by its controller and function: `conversations_take_over`. Moving a path does not rename it."""
    del http_method, path_components
    *_, owner, function = ["", *route_handler.fn.__qualname__.split(".")]
    prefix = owner.removesuffix("Controller") if owner.endswith("Controller") else ""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", f"{prefix}_{function}").lower().lstrip("_")


class StructDocstrings(OpenAPISchemaPlugin):
    """Carry the docstrings of msgspec structs into the document, in front of Litestar's own plugin for structs."""

    @staticmethod
    def is_plugin_supported_type(value: Any) -> bool:
        return isinstance(value, type) and issubclass(value, msgspec.Struct)

    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        return not field_definition.is_union and field_definition.is_subclass_of(msgspec.Struct)

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: SchemaCreator) -> Schema:
        own = next(
            plugin
            for plugin in schema_creator.plugins
            if plugin is not self and schema_creator.plugin_supports_field(plugin, field_definition)
        )
        schema = own.to_openapi_schema(field_definition, schema_creator)
        struct = field_definition.origin or field_definition.annotation
        if docstring := struct.__dict__.get("__doc__"):
            schema.description = inspect.cleandoc(docstring)
        return schema


class _CompleteDocument(JsonRenderPlugin):
    def __init__(self, public_url: str, further_types: Sequence[Any]) -> None:
        super().__init__(path="/openapi.json")
        self._public_url = public_url
        self._further_types = tuple(further_types)
        self._rendered: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: Json) -> bytes:
        del request
        if self._rendered is None:
            self._rendered = msgspec.json.encode(self.complete(openapi_schema))
        return self._rendered

    def complete(self, document: Json) -> Json:
        """Return `document` with what Litestar leaves out."""
        document = deepcopy(document)
        document["servers"] = [{"url": self._public_url}]
        _, further = msgspec.json.schema_components([Problem, *self._further_types], ref_template=_REF)
        schemas = document["components"].setdefault("schemas", {})
        schemas |= {name: schema for name, schema in further.items() if name not in schemas}
        _rename_generics(document)
        _add_discriminators(document)
        _describe_problems(document)
        return document


def _rename_generics(document: Json) -> None:
    """`Page_app.contacts.schemas.Contact_` becomes `ContactPage`."""
    schemas: Json = document["components"]["schemas"]
    renamed = {
        name: f"{match['argument']}{match['generic']}" for name in schemas if (match := _GENERIC_NAME.match(name))
    }
    document["components"]["schemas"] = {renamed.get(name, name): schema for name, schema in sorted(schemas.items())}
    for node in _nodes(document):
        reference = node.get("$ref")
        if isinstance(reference, str) and (name := reference.rpartition("/")[2]) in renamed:
            node["$ref"] = _REF.format(name=renamed[name])


def _add_discriminators(document: Json) -> None:
    schemas = document["components"]["schemas"]
    for node in _nodes(document):
        arms = node.get("oneOf")
        if not isinstance(arms, list) or "discriminator" in node:
            continue
        references = [arm.get("$ref", "") for arm in arms if arm.get("type") != "null"]
        tags = [_tags(schemas.get(reference.rpartition("/")[2], {})) for reference in references]
        shared = set.intersection(*(set(tag) for tag in tags)) if len(tags) > 1 else set()
        for name in shared:
            node["discriminator"] = {
                "propertyName": name,
                "mapping": {tag[name]: reference for tag, reference in zip(tags, references, strict=True)},
            }


def _tags(schema: Json) -> dict[str, str]:
    """Return the members of a schema that can have one value only."""
    properties = schema.get("properties", {})
    choices = {
        name: [member["const"]] if "const" in member else member.get("enum", []) for name, member in properties.items()
    }
    return {name: str(choice[0]) for name, choice in choices.items() if len(choice) == 1}


def _describe_problems(document: Json) -> None:
    content = {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": _REF.format(name="Problem")}}}
    document["components"]["responses"] = {
        name: {"description": description, "content": content} for name, description in _PROBLEMS.values()
    }
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in _METHODS:
                _describe_operation(path, method, operation)


def _describe_operation(path: str, method: str, operation: Json) -> None:
    possible = {"503", "default"}
    if not path.startswith("/api/"):
        operation["security"] = []
    elif (method.upper(), path) in PUBLIC_ROUTES:
        operation["security"] = []
        possible |= {"401", "403", "429"}
    else:
        possible |= {"401", "403", "429"}
    if "parameters" in operation or "requestBody" in operation:
        possible |= {"400", "422"}
    if "requestBody" in operation:
        possible.add("413")
    if method != "get":
        possible.add("409")
    if "{" in path or path.startswith(_MAY_NAME_NOTHING):
        possible.add("404")
    operation["responses"].pop("400", None)  # Litestar's description of a validation error, which we do not send
    for status in sorted(possible):
        operation["responses"].setdefault(status, {"$ref": f"#/components/responses/{_PROBLEMS[status][0]}"})


def _nodes(value: object) -> list[Json]:
    """Return every JSON object inside `value`, itself included."""
    found: list[Json] = []
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            found.append(node)
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return found
