"""The order of routes, as a pure matter: what is configured, arranged as the operator wished."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from app.ai.chain.schemas import RouteChoice
from app.ai.llm.provider import Route
from app.ai.llm.routes import offline_route
from app.core.errors import InvalidInput
from settings.ai import CLOUD_PROVIDERS

__all__ = ["arrange", "check", "lacks_key", "public_id"]

_NOTHING = Decimal(0)
_MOST_USD = 1_000_000


def public_id(route: Route) -> str:
    """Return the route's id as the API writes it: models may have a slash in their name, which ends a path segment."""
    return route.id.replace("/", "~")


def lacks_key(route: Route) -> bool:
    """Tell whether a provider that always wants a key has none."""
    return route.provider.name in CLOUD_PROVIDERS and route.target.api_key is None


def arrange(
    configured: Sequence[Route],
    choices: Sequence[RouteChoice],
    costs_usd: Mapping[tuple[str, str], Decimal] | None = None,
) -> tuple[Route, ...]:
    """Return the configured routes as chosen; those that nobody has chosen about follow, as the settings have them.

    A route whose key or model was replaced keeps the place and the switch of the one it replaces: that of the same
    provider. `costs_usd` is today's money by (provider, model). Where no route may be asked, the offline answerer
    stands in.
    """
    costs = costs_usd or {}
    left = {public_id(route): route for route in configured}
    placed = [left.pop(choice.route_id, None) for choice in choices]
    arranged = []
    for choice, exact in zip(choices, placed, strict=True):
        route = exact or _successor(left, choice)
        if route is not None:
            arranged.append(_as_chosen(route, choice, costs.get((route.provider.name, route.model), _NOTHING)))
    arranged += [msgspec.structs.replace(route, is_enabled=not lacks_key(route)) for route in left.values()]
    if not any(route.is_enabled and not route.is_spent for route in arranged):
        arranged.append(offline_route())
    return tuple(arranged)


def _as_chosen(route: Route, choice: RouteChoice, cost_usd: Decimal) -> Route:
    limit = choice.daily_limit_usd
    return msgspec.structs.replace(
        route,
        is_enabled=choice.enabled and not lacks_key(route),
        daily_limit_usd=limit,
        is_spent=limit is not None and cost_usd >= limit,
    )


def _successor(left: dict[str, Route], choice: RouteChoice) -> Route | None:
    provider = choice.route_id.partition(":")[0]
    route_id = next((route_id for route_id, route in left.items() if route.provider.name == provider), None)
    return None if route_id is None else left.pop(route_id)


def check(routes: Sequence[Route], choices: Sequence[RouteChoice]) -> None:
    """Raise `InvalidInput` unless `choices` name each of `routes` exactly once and enable at least one."""
    missing = [public_id(route) for route in routes]
    known = frozenset(missing)
    for position, choice in enumerate(choices):
        field = f"order[{position}].route_id"
        if choice.route_id not in known:
            raise InvalidInput(f"there is no route {choice.route_id}", field)
        if choice.route_id not in missing:
            raise InvalidInput(f"the route {choice.route_id} is named twice", field)
        limit = choice.daily_limit_usd
        if limit is not None and not (limit.is_finite() and 0 < limit <= _MOST_USD):
            raise InvalidInput(
                f"must be more than 0 and at most {_MOST_USD}; leave it out for no limit",
                f"order[{position}].daily_limit_usd",
            )
        missing.remove(choice.route_id)
    if missing:
        raise InvalidInput(f"these routes are missing: {', '.join(missing)}", "order")
    if not any(choice.enabled for choice in choices):
        raise InvalidInput(
            "at least one route must be enabled; to stop every answer, pause the assistant in the business profile",
            "order",
        )
