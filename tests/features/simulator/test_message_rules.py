"""The hand-written rules refuse whatever Meta's own OpenAPI file refuses."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.simulator.message_rules import check_send
from tests.referees import Referee, meta_referee


@pytest.fixture(scope="session")
def referee() -> Referee:
    return meta_referee()


# Examples that the file takes and we do not, each with the reason.
STRICTER = {"Send Sample Issue Resolution Template": "gives numbers as the text of template parameters"}


def examples(referee: Any) -> dict[str, Any]:
    path = "/{Version}/{Phone-Number-ID}/messages"
    body = referee.spec["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    return {name: _with_real_addresses(example["value"]) for name, example in body["examples"].items()}


def _with_real_addresses(value: Any) -> Any:
    """Put a URL where the file's examples have a placeholder such as `<http(s)://image-url>`."""
    text = json.dumps(value).replace("<http(s)://", "https://").replace("http(s)://", "https://")
    return json.loads(text.replace('-url>"', '-url"'))


def test_the_files_own_examples_get_the_same_verdict(referee: Referee) -> None:
    differing = {
        name for name, body in examples(referee).items() if bool(referee.check_send(body)) != bool(check_send(body))
    }
    assert differing == set(STRICTER)


BASES: list[dict[str, Any]] = [
    {"type": "text", "text": {"body": "hola", "preview_url": True}},
    {"type": "image", "image": {"id": "1", "caption": "x"}},
    {"type": "audio", "audio": {"link": "https://a.example/b.ogg", "voice": True}},
    {"type": "document", "document": {"id": "1", "filename": "a.pdf", "caption": "x"}},
    {"type": "sticker", "sticker": {"id": "1"}},
    {"type": "location", "location": {"latitude": 1.5, "longitude": "2.5", "name": "x", "address": "y"}},
    {
        "type": "contacts",
        "contacts": [{"name": {"formatted_name": "A B", "first_name": "A"}, "phones": [{"phone": "1"}]}],
    },
    {"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": "👍"}},
    {
        "type": "interactive",
        "interactive": {
            "type": "button",
            "header": {"type": "text", "text": "h"},
            "body": {"text": "b"},
            "footer": {"text": "f"},
            "action": {
                "buttons": [
                    {"type": "reply", "reply": {"id": "1", "title": "one"}},
                    {"type": "reply", "reply": {"id": "2", "title": "two"}},
                ]
            },
        },
    },
    {
        "type": "interactive",
        "interactive": {
            "type": "list",
            "body": {"text": "b"},
            "action": {
                "button": "open",
                "sections": [
                    {"title": "s", "rows": [{"id": "1", "title": "one", "description": "d"}]},
                    {"title": "t", "rows": [{"id": "2", "title": "two"}]},
                ],
            },
        },
    },
    {
        "type": "interactive",
        "interactive": {
            "type": "cta_url",
            "body": {"text": "b"},
            "action": {"name": "cta_url", "parameters": {"display_text": "go", "url": "https://a.example"}},
        },
    },
    {
        "type": "interactive",
        "interactive": {
            "type": "flow",
            "body": {"text": "b"},
            "action": {
                "name": "flow",
                "parameters": {
                    "flow_message_version": "3",
                    "flow_id": "1",
                    "flow_cta": "go",
                    "mode": "draft",
                    "flow_action": "navigate",
                    "flow_action_payload": {"screen": "S", "data": {}},
                },
            },
        },
    },
    {
        "type": "interactive",
        "interactive": {"type": "location_request_message", "body": {"text": "b"}, "action": {"name": "send_location"}},
    },
    {
        "type": "template",
        "template": {
            "name": "n",
            "language": {"code": "es"},
            "components": [
                {"type": "body", "parameters": [{"type": "text", "text": "x"}]},
                {
                    "type": "button",
                    "sub_type": "quick_reply",
                    "index": 0,
                    "parameters": [{"type": "payload", "payload": "p"}],
                },
            ],
        },
    },
]
COMMON = {
    "messaging_product": "whatsapp",
    "recipient_type": "individual",
    "to": "34600111222",
    "context": {"message_id": "wamid.1"},
    "biz_opaque_callback_data": "t",
}
READ = {
    "messaging_product": "whatsapp",
    "status": "read",
    "message_id": "wamid.1",
    "typing_indicator": {"type": "text"},
}
BODIES = [*({**COMMON, **base} for base in BASES), READ]

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "x", "read", "text", "image", "list", "button", "cta_url", "http://x", "individual"]),
    st.sampled_from([20, 21, 24, 25, 30, 31, 60, 61, 72, 73, 200, 201, 256, 257, 512, 513, 1024, 1025, 4096, 4097]).map(
        lambda length: "x" * length
    ),
    st.just([]),
    st.just({}),
    st.just({"text": "x"}),
    st.just([{"type": "reply", "reply": {"id": "1", "title": "one"}}] * 4),
)
NAMES = st.sampled_from(
    ["id", "link", "text", "type", "name", "extra", "caption", "filename", "to", "recipient", "title", "rows"]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value inside."""
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from places(inner, (*path, key))


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A good body in which one to three values were replaced, removed, doubled or added."""
    body = copy.deepcopy(draw(st.sampled_from(BODIES)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([path for path in places(body) if path]))
        parent = body
        for key in path[:-1]:
            parent = parent[key]
        match draw(st.sampled_from(["replace", "remove", "add", "double"])):
            case "replace":
                parent[path[-1]] = copy.deepcopy(draw(JUNK))
            case "remove":
                del parent[path[-1]]
            case "add" if isinstance(parent, dict):
                parent[draw(NAMES)] = copy.deepcopy(draw(JUNK))
            case "double" if isinstance(parent, list):
                parent.append(copy.deepcopy(parent[path[-1]]))
            case _:
                pass
        if not any(places_left for places_left in places(body) if places_left):
            break
    return body


def test_undamaged_bodies_are_accepted(referee: Referee) -> None:
    for body in BODIES:
        assert referee.check_send(body) == []
        assert check_send(body) == []


@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(body=damaged())
def test_what_the_referee_refuses_is_refused(referee: Referee, body: Any) -> None:
    if referee.check_send(body):
        assert check_send(body)


@given(body=st.recursive(JUNK, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=20))
def test_no_body_breaks_the_rules(body: Any) -> None:
    assert check_send(body)


# What the file takes and Meta's documentation refuses.
STRICTER_THAN_THE_FILE: list[tuple[str, dict[str, Any]]] = [
    ("a link that is no address", {"type": "image", "image": {"link": "httpx"}}),
    ("coordinates off the globe", {"type": "location", "location": {"latitude": 91, "longitude": 0}}),
    ("coordinates that are no numbers", {"type": "location", "location": {"latitude": "north", "longitude": 0}}),
    ("a contact with only a formatted name", {"type": "contacts", "contacts": [{"name": {"formatted_name": "A"}}]}),
    (
        "a button without place",
        {"type": "template", "template": {"name": "n", "language": {"code": "es"}, "components": [{"type": "button"}]}},
    ),
]


@pytest.mark.parametrize(
    "content", [content for _, content in STRICTER_THAN_THE_FILE], ids=[name for name, _ in STRICTER_THAN_THE_FILE]
)
def test_documented_rules_beyond_the_file_hold(referee: Referee, content: dict[str, Any]) -> None:
    body = {**COMMON, **content}
    assert referee.check_send(body) == []
    assert check_send(body)
