"""Model routes over HTTP."""

from typing import Any

from litestar import Controller, Request, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK

from app.ai.chain.schemas import (
    ProviderChange,
    ProviderList,
    ProviderOrder,
    ProviderRoute,
    ProviderToAdd,
    RouteTest,
)
from app.ai.chain.service import ModelChain
from app.audit.requests import entry
from app.core.security.actor import Actor
from app.core.security.guards import needs
from app.core.security.tokens import Access

SignedInRequest = Request[Actor, Access, Any]


class ProvidersController(Controller):
    path = "/api/ai/providers"
    tags = ("Providers",)
    guards = (needs("models:read"),)

    @get("/", summary="Model routes")
    async def routes(self, chain: NamedDependency[ModelChain]) -> ProviderList:
        """Return the routes in the order in which they are asked, with their state and what they did today."""
        return await chain.describe()

    @post("/", summary="Add a model route", guards=[needs("models:manage")])
    async def add(
        self, data: JSONBody[ProviderToAdd], request: SignedInRequest, chain: NamedDependency[ModelChain]
    ) -> ProviderRoute:
        """Store a provider with its key; every process asks it, last of all, within seconds.

        Its address must be on the public internet, or be a server that the operator named in AI_LOCAL_SERVERS.
        Answers 409 when the model has a route already.
        """
        target = f"{data.provider}:{data.model}"
        return await chain.add(data, audit=entry(request, "provider.added", "models", target))

    @patch("/{route_id:str}", summary="Change a model route", guards=[needs("models:manage")])
    async def change(
        self,
        route_id: FromPath[str],
        data: JSONBody[ProviderChange],
        request: SignedInRequest,
        chain: NamedDependency[ModelChain],
    ) -> ProviderRoute:
        """Change a provider that was added here. Its `route_id` is another one afterwards; place and switch stay.

        A new `base_url` clears the key unless a new key comes with it: a key is for the address it was given for.
        """
        return await chain.change(route_id, data, audit=entry(request, "provider.changed", "models", route_id))

    @delete("/{route_id:str}", summary="Delete a model route", guards=[needs("models:manage")])
    async def remove(
        self, route_id: FromPath[str], request: SignedInRequest, chain: NamedDependency[ModelChain]
    ) -> None:
        """Delete a provider that was added here, with its key. What it did stays in the trace."""
        await chain.remove(route_id, audit=entry(request, "provider.deleted", "models", route_id))

    @put("/order", summary="Arrange the model routes", guards=[needs("models:manage")])
    async def reorder(
        self,
        data: JSONBody[ProviderOrder],
        request: SignedInRequest,
        chain: NamedDependency[ModelChain],
    ) -> ProviderList:
        """Store a new order. Answers 409 when another one was stored since the one that was edited."""
        await chain.reorder(
            data.order,
            expected_version=data.version,
            updated_by=request.user.user_id,
            audit=entry(request, "model_order.replaced", "models", "order", after={"order": data.order}),
        )
        return await chain.describe()

    @post("/{route_id:str}/test", summary="Try a route", status_code=HTTP_200_OK, guards=[needs("models:manage")])
    async def test(self, route_id: FromPath[str], chain: NamedDependency[ModelChain]) -> RouteTest:
        """Make one small real call, which may cost a little, and say how it went. Success ends the route's pause."""
        return await chain.test(route_id)
