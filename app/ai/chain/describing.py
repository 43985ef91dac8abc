"""Model routes in words for the operator."""

from collections.abc import Iterable
from typing import Literal

from app.ai.chain.order import lacks_key, public_id
from app.ai.chain.schemas import CallsOfRoute, LastHour, ProviderRoute, UnusedProvider
from app.ai.llm.health import RouteStatus
from app.ai.llm.provider import Route
from settings.ai import CLOUD_PROVIDERS, PROVIDERS, AiSettings

__all__ = ["Origin", "described", "unused"]

Origin = Literal["environment", "stored", "built_in"]

_SHORTEST_SHOWN_KEY = 16


def described(
    position: int, route: Route, origin: Origin, status: RouteStatus, *, today: CallsOfRoute, hour: LastHour
) -> ProviderRoute:
    """Return a route as the operator sees it: what this process knows of it, and what the trace of all knows."""
    # The trace also knows what other processes met; this process also knows what tests of the route met.
    traced_is_newer = today.last_error_at is not None and (
        status.last_error_at is None or today.last_error_at > status.last_error_at
    )
    return ProviderRoute(
        route_id=public_id(route),
        origin=origin,
        provider=status.provider,
        model=status.model,
        enabled=status.is_enabled,
        position=position,
        local=status.is_local,
        base_url=route.target.base_url,
        key_last_four=_last_four(route),
        needs_key=lacks_key(route),
        breaker=status.breaker,
        paused=status.paused,
        paused_seconds=status.paused_seconds,
        requests_per_minute=status.requests_per_minute,
        requests_left_this_minute=_left(status.requests_per_minute, status.used_this_minute),
        requests_per_day=status.requests_per_day,
        requests_left_today=_left(status.requests_per_day, status.used_today),
        in_flight=status.in_flight,
        calls_today=today.calls,
        failed_today=today.failed,
        cost_today_usd=today.cost_usd,
        unpriced_today=today.unpriced,
        daily_limit_usd=route.daily_limit_usd,
        spent=route.is_spent,
        calls_last_hour=hour.calls,
        error_share_last_hour=round(hour.failed / hour.calls, 4) if hour.calls else None,
        p50_milliseconds=hour.p50_milliseconds,
        p95_milliseconds=hour.p95_milliseconds,
        last_error_kind=today.last_error_kind if traced_is_newer else status.last_error_kind,
        last_error_message=today.last_error_message if traced_is_newer else status.last_error_message,
        last_error_at=today.last_error_at if traced_is_newer else status.last_error_at,
        last_answer_at=max(filter(None, (today.last_answer_at, status.last_answer_at)), default=None),
    )


def _left(limit: int | None, used: int) -> int | None:
    return None if limit is None else max(0, limit - used)


def _last_four(route: Route) -> str | None:
    key = route.target.api_key
    return key.reveal()[-4:] if key is not None and len(key.reveal()) >= _SHORTEST_SHOWN_KEY else None


def unused(ai: AiSettings, routes: Iterable[Route]) -> list[UnusedProvider]:
    """Return the providers without a route, with the key of the environment that would give them one."""
    used = {route.provider.name for route in routes}
    return [
        UnusedProvider(provider=name, configured=name in ai.providers, setting=_setting(name, ai))
        for name in PROVIDERS
        if name not in used
    ]


def _setting(name: str, ai: AiSettings) -> str:
    if name in ai.providers:
        return "AI_FALLBACK_ORDER"
    return f"{name.upper()}_API_KEY" if name in CLOUD_PROVIDERS else f"{name.upper()}_BASE_URL"
