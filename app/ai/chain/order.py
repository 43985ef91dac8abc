"""The order of routes, as a pure matter: what is configured, arranged as the operator wished."""

from collections.abc import Sequence

import msgspec

from app.ai.chain.schemas import RouteChoice
from app.ai.llm.provider import Route
from app.ai.llm.routes import offline_route
from app.core.errors import InvalidInput

__all__ = ["arrange", "check", "public_id"]


def public_id(route: Route) -> str:
    """Return the route's id as the API writes it: models may have a slash in their name, which ends a path segment."""
    return route.id.replace("/", "~")


def arrange(configured: Sequence[Route], choices: Sequence[RouteChoice]) -> tuple[Route, ...]:
    """Return the configured routes as chosen; those that nobody has chosen about follow, as the settings have them.

    A route whose key or model was replaced keeps the place and the switch of the one it replaces: that of the same
    provider. Where no route is left enabled, the offline answerer stands in.
    """
    left = {public_id(route): route for route in configured}
    placed = [left.pop(choice.route_id, None) for choice in choices]
    arranged = []
    for choice, exact in zip(choices, placed, strict=True):
        route = exact or _successor(left, choice)
        if route is not None:
            arranged.append(msgspec.structs.replace(route, is_enabled=choice.enabled))
    arranged += left.values()
    if not any(route.is_enabled for route in arranged):
        arranged.append(offline_route())
    return tuple(arranged)


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
        missing.remove(choice.route_id)
    if missing:
        raise InvalidInput(f"these routes are missing: {', '.join(missing)}", "order")
    if not any(choice.enabled for choice in choices):
        raise InvalidInput(
            "at least one route must be enabled; to stop every answer, pause the assistant in the business profile",
            "order",
        )
