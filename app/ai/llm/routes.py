"""From the settings to the routes: the configured providers in their order, or the offline answerer alone."""

from app.ai.llm.catalog import DEFAULTS
from app.ai.llm.provider import Route, make_route
from app.ai.llm.providers.registry import PROVIDERS
from settings.ai import AiSettings, ProviderSettings

__all__ = ["OFFLINE", "configured_routes", "offline_route", "route_of"]

OFFLINE = "offline"


def configured_routes(ai: AiSettings) -> tuple[Route, ...]:
    """Return one route for each provider in the fallback order; with none configured, the offline answerer."""
    routes = tuple(route_of(name, ai.providers[name]) for name in ai.fallback_order if name in ai.providers)
    return routes or (offline_route(),)


def offline_route() -> Route:
    return make_route(PROVIDERS[OFFLINE], OFFLINE)


def route_of(
    name: str,
    configured: ProviderSettings,
    *,
    requests_per_minute: int | None = None,
    requests_per_day: int | None = None,
    is_outside: bool = False,
) -> Route:
    """Return the route to a configured provider; what is not given is that of its default model."""
    default = DEFAULTS.get(name)
    model = configured.model or (default.model if default is not None else "default")
    limits = default if default is not None and model == default.model else None
    return make_route(
        PROVIDERS[name],
        model,
        api_key=configured.api_key,
        base_url=configured.base_url,
        requests_per_minute=requests_per_minute or (limits.requests_per_minute if limits is not None else None),
        requests_per_day=requests_per_day or (limits.requests_per_day if limits is not None else None),
        is_outside=is_outside,
    )
