"""Configured routes, arranged as the operator wished."""

import pytest

from app.ai.chain.order import arrange, check, public_id
from app.ai.chain.schemas import RouteChoice
from app.ai.llm.provider import Route, make_route
from app.ai.llm.providers.registry import PROVIDERS
from app.core.errors import InvalidInput
from settings.env import Secret


def route(provider: str, model: str = "m", key: str = "key") -> Route:
    return make_route(PROVIDERS[provider], model, api_key=Secret(key))


def choice(of: Route, *, enabled: bool = True) -> RouteChoice:
    return RouteChoice(route_id=public_id(of), enabled=enabled)


def shown(routes: tuple[Route, ...]) -> list[tuple[str, bool]]:
    return [(one.provider.name, one.is_enabled) for one in routes]


GEMINI, OPENAI, OLLAMA = route("gemini"), route("openai"), route("ollama")
ALL = (GEMINI, OPENAI, OLLAMA)


def test_without_a_wish_the_order_is_that_of_the_settings() -> None:
    assert arrange(ALL, ()) == ALL


def test_routes_stand_where_they_were_put_and_switched_as_they_were() -> None:
    choices = [choice(OLLAMA), choice(GEMINI, enabled=False), choice(OPENAI)]

    assert shown(arrange(ALL, choices)) == [("ollama", True), ("gemini", False), ("openai", True)]


def test_a_route_that_was_configured_later_comes_last() -> None:
    assert shown(arrange(ALL, [choice(OPENAI), choice(GEMINI)])) == [
        ("openai", True),
        ("gemini", True),
        ("ollama", True),
    ]


def test_a_route_that_is_not_configured_any_more_is_left_out() -> None:
    assert shown(arrange((GEMINI,), [choice(OPENAI), choice(GEMINI)])) == [("gemini", True)]


def test_a_replaced_key_or_model_keeps_its_place_and_its_switch() -> None:
    choices = [choice(OPENAI, enabled=False), choice(GEMINI)]
    rotated = route("openai", model="another", key="new")

    assert shown(arrange((GEMINI, rotated), choices)) == [("openai", False), ("gemini", True)]


def test_of_two_routes_of_a_provider_each_keeps_its_own_switch() -> None:
    small, large = route("openai", "small"), route("openai", "large")
    choices = [choice(large, enabled=False), choice(small)]

    assert [(one.model, one.is_enabled) for one in arrange((small, large), choices)] == [
        ("large", False),
        ("small", True),
    ]


def test_when_no_enabled_route_is_left_the_offline_answerer_stands_in() -> None:
    choices = [choice(GEMINI), choice(OPENAI, enabled=False)]

    assert shown(arrange((OPENAI,), choices)) == [("openai", False), ("offline", True)]


def test_the_public_id_of_a_model_with_a_slash_is_one_path_segment() -> None:
    assert "/" not in public_id(route("openrouter", "google/gemini-2.5-flash-lite:free"))


@pytest.mark.parametrize(
    ("choices", "field", "words"),
    [
        ([choice(GEMINI), RouteChoice(route_id="openai:x:00", enabled=True)], "order[1].route_id", "openai:x:00"),
        ([choice(GEMINI), choice(GEMINI)], "order[1].route_id", "twice"),
        ([choice(GEMINI), choice(OLLAMA)], "order", public_id(OPENAI)),
        ([choice(one, enabled=False) for one in ALL], "order", "at least one"),
    ],
)
def test_an_order_that_cannot_be_kept_is_refused_naming_what_is_wrong(
    choices: list[RouteChoice], field: str, words: str
) -> None:
    with pytest.raises(InvalidInput, match=words) as refused:
        check(ALL, choices)
    assert refused.value.field == field
