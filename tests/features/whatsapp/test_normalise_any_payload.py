"""Whatever Meta, or a fault on the way, makes of a documented payload: no surprise, and the neighbours live."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.whatsapp.errors import Unintelligible
from app.whatsapp.inbound import InboundMessage
from app.whatsapp.normalise import normalise
from tests.builders import whatsapp as wire

RECEIVED_AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
WRONG: list[Any] = [None, True, 0, -1, 1.5, 10**40, "", "x", "\x00\ud800", [], [None], [[]], {}, {"a": {"b": 1}}]

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def places(node: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(node, dict):
        for name, child in node.items():
            yield (*path, name)
            yield from places(child, (*path, name))
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield (*path, index)
            yield from places(child, (*path, index))


def changed(payload: wire.Json, path: tuple[Any, ...], value: object) -> wire.Json:
    payload = copy.deepcopy(payload)
    node: Any = payload
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return payload


def without(payload: wire.Json, path: tuple[Any, ...]) -> wire.Json:
    payload = copy.deepcopy(payload)
    node: Any = payload
    for step in path[:-1]:
        node = node[step]
    del node[path[-1]]
    return payload


def with_neighbours(change: object) -> bytes:
    """The change between two good ones in its entry, and a good entry after it."""
    good = [wire.messages(wire.text(wamid=f"wamid.GOOD{number}")) for number in range(3)]
    entries = [{"id": "1", "changes": [good[0], change, good[1]]}, {"id": "2", "changes": [good[2]]}]
    return json.dumps({"object": "whatsapp_business_account", "entry": entries}).encode()


def survivors(body: bytes) -> int:
    found = normalise(body, RECEIVED_AT)
    for fact in found:
        assert fact.key.isascii()
        fact.payload.decode()
    return sum(isinstance(fact, InboundMessage) and "GOOD" in fact.message_id for fact in found)


def read_or_unintelligible(body: bytes) -> bool:
    try:
        normalise(body, RECEIVED_AT)
    except Unintelligible as error:
        return error.reason in {"not_json", "not_a_webhook"}
    return True


@pytest.mark.parametrize("name", wire.documented_webhooks())
def test_every_member_may_be_missing_or_of_another_type(name: str) -> None:
    change = wire.documented_webhooks()[name]

    for path in places(change):
        assert survivors(with_neighbours(without(change, path))) == 3, path
        for value in WRONG:
            assert survivors(with_neighbours(changed(change, path, value))) == 3, (path, value)


@given(name=st.sampled_from(sorted(wire.documented_webhooks())), data=st.data(), value=anything)
def test_any_member_may_be_anything(name: str, data: st.DataObject, value: object) -> None:
    change = wire.documented_webhooks()[name]
    path = data.draw(st.sampled_from(list(places(change))))

    assert survivors(with_neighbours(changed(change, path, value))) == 3


@given(value=anything)
def test_a_change_or_an_entry_may_be_anything(value: object) -> None:
    assert survivors(with_neighbours(value)) == 3
    good = {"id": "2", "changes": [wire.messages(wire.text(wamid="wamid.GOOD"))]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [value, good]}).encode()
    assert survivors(body) == 1


@given(
    at=st.integers(min_value=0, max_value=10_000),
    length=st.integers(min_value=0, max_value=20),
    noise=st.binary(max_size=12),
)
def test_any_damage_to_the_bytes_is_either_read_or_called_unintelligible(at: int, length: int, noise: bytes) -> None:
    body = with_neighbours(wire.messages(wire.message("image"), wire.text("caf\u00e9 \U0001f600")))
    at %= len(body)

    assert read_or_unintelligible(body[:at] + noise + body[at + length :])


@given(body=st.binary() | anything.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_either_read_or_called_unintelligible(body: bytes) -> None:
    assert read_or_unintelligible(body)
