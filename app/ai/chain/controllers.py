"""Model routes over HTTP."""

from typing import Any

from litestar import Controller, Request, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK

from app.ai.chain.schemas import ProviderList, ProviderOrder, RouteTest
from app.ai.chain.service import ModelChain
from app.audit.requests import entry
from app.core.security.actor import Actor
from app.core.security.guards import needs
from app.core.security.tokens import Access


class ProvidersController(Controller):
    path = "/api/ai/providers"
    tags = ("Providers",)
    guards = (needs("models:read"),)

    @get("/", summary="Model routes")
    async def routes(self, chain: NamedDependency[ModelChain]) -> ProviderList:
        """Return the routes in the order in which they are asked, with their state and what they did today."""
        return await chain.describe()

    @put("/order", summary="Arrange the model routes", guards=[needs("models:manage")])
    async def reorder(
        self,
        data: JSONBody[ProviderOrder],
        request: Request[Actor, Access, Any],
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
