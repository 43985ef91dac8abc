"""From the settings to the routes: the configured providers in their order, or the offline answerer alone."""

from app.ai.llm.catalog import DEFAULTS
from app.ai.llm.provider import Route, make_route
from app.ai.llm.providers.registry import PROVIDERS
from settings.ai import AiSettings

__all__ = ["OFFLINE", "configured_routes", "offline_route"]

OFFLINE = "offline"


def configured_routes(ai: AiSettings) -> tuple[Route, ...]:
    """Return one route for each provider in the fallback order; with none configured, the offline answerer."""
    routes = tuple(_route(name, ai) for name in ai.fallback_order if name in ai.providers)
    return routes or (offline_route(),)


def offline_route() -> Route:
    return make_route(PROVIDERS[OFFLINE], OFFLINE)


def _route(name: str, ai: AiSettings) -> Route:
    configured = ai.providers[name]
    default = DEFAULTS.get(name)
    model = configured.model or (default.model if default is not None else "default")
    is_default = default is not None and model == default.model
    return make_route(
        PROVIDERS[name],
        model,
        api_key=configured.api_key,
        base_url=configured.base_url,
        requests_per_minute=default.requests_per_minute if default is not None and is_default else None,
        requests_per_day=default.requests_per_day if default is not None and is_default else None,
    )
