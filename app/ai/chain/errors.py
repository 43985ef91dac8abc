"""What can be wrong with a request about the order of models."""

from app.core.errors import Conflict, NotFound


class ChainChanged(Conflict):
    """Another order was stored since the one that was edited."""

    code = "provider_order_changed"


class RouteNotFound(NotFound):
    code = "provider_route_not_found"
