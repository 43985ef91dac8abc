import pytest

from app.ai.llm.provider import make_route
from app.ai.llm.providers.registry import PROVIDERS
from app.ai.llm.routes import configured_routes
from settings.ai import PROVIDERS as SETTINGS_PROVIDERS
from settings.ai import AiSettings, ProviderSettings
from settings.env import Secret


def test_every_provider_of_the_settings_is_in_the_registry() -> None:
    assert set(SETTINGS_PROVIDERS) | {"offline"} == set(PROVIDERS)
    assert all(name == provider.name for name, provider in PROVIDERS.items())


def test_routes_follow_the_fallback_order_and_a_configured_model_wins() -> None:
    providers = {
        "gemini": ProviderSettings(api_key=Secret("g")),
        "openai": ProviderSettings(api_key=Secret("o"), model="gpt-5.5"),
    }
    routes = configured_routes(AiSettings(fallback_order=("openai", "gemini"), providers=providers))
    assert [(route.provider.name, route.model, route.requests_per_minute) for route in routes] == [
        ("openai", "gpt-5.5", None),
        ("gemini", "gemini-2.5-flash-lite", 15),
    ]


def test_with_nothing_configured_the_offline_answerer_is_the_only_route() -> None:
    [route] = configured_routes(AiSettings(fallback_order=(), providers={}))
    assert route.provider.answer is not None


@pytest.mark.parametrize(
    ("name", "given", "root"),
    [
        ("lm_studio", "http://127.0.0.1:1234", "http://127.0.0.1:1234/v1"),
        ("lm_studio", "http://127.0.0.1:1234/v1/", "http://127.0.0.1:1234/v1"),
        ("compatible", "https://host/openai/v1", "https://host/openai/v1"),
        ("ollama", "http://127.0.0.1:11434/v1", "http://127.0.0.1:11434"),
        ("claude", "https://proxy/v1", "https://proxy"),
        ("gemini", None, "https://generativelanguage.googleapis.com/v1"),
        ("openai", None, "https://api.openai.com/v1"),
    ],
)
def test_a_base_url_may_be_given_with_or_without_its_version(name: str, given: str | None, root: str) -> None:
    assert PROVIDERS[name].root(given) == root


def test_a_route_id_tells_keys_apart_without_showing_them() -> None:
    first, second = (make_route(PROVIDERS["openai"], "m", api_key=Secret(key)) for key in ("secret-1", "secret-2"))
    assert first.id != second.id
    assert "secret" not in repr(first)
