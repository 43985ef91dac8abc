"""What can be wrong with a request about the order of models."""

from app.core.errors import Conflict, NotFound


class ChainChanged(Conflict):
    """Another order was stored since the one that was edited."""

    code = "provider_order_changed"


class RouteNotFound(NotFound):
    code = "provider_route_not_found"

    def __init__(self) -> None:
        super().__init__("there is no such route")


class ProviderKnown(Conflict):
    """The same model of the same provider has a route already: figures and limits are kept by both names."""

    code = "provider_known"

    def __init__(self, provider: str, model: str) -> None:
        super().__init__(f"{provider} {model} has a route already: change that one")


class ProviderOfEnvironment(Conflict):
    """It was not added here, so it cannot be changed here."""

    code = "provider_of_environment"

    def __init__(self) -> None:
        super().__init__(
            "this route is configured in the server's environment: change it there, or switch it off in the order"
        )
