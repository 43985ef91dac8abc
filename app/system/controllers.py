"""Health and metrics over HTTP."""

from typing import Any

from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE

from app.core.metrics import CONTENT_TYPE_LATEST
from app.core.security.guards import bearer_token, needs
from app.system.key_rotation import KeyRotation
from app.system.schemas import Alive, HealthDetails, HealthSummary, KeyRing, Readiness, Status
from app.system.scrape import MetricsDoor
from app.system.service import Health

AnyRequest = Request[Any, Any, Any]


class HealthController(Controller):
    """Open to everybody: short answers without reasons."""

    tags = ("System",)

    @get("/livez", summary="Does the process live?")
    async def livez(self) -> Alive:
        """Answer without asking anything else: the event loop turns."""
        return Alive(status="ok")

    @get("/readyz", summary="Should it get requests?", responses={503: ResponseSpec(Readiness, description="Not now.")})
    async def readyz(self, health: NamedDependency[Health]) -> Response[Readiness]:
        """Answer 503 while the database cannot commit, its schema is not ours, the disk is full, or we are stopping."""
        readiness = await health.readiness()
        return Response(readiness, status_code=_status_code(readiness.status))

    @get("/healthz", summary="How is it?", responses={503: ResponseSpec(HealthSummary, description="Unhealthy.")})
    async def healthz(self, health: NamedDependency[Health]) -> Response[HealthSummary]:
        """Answer 503 when a component is unhealthy; `degraded` means that it works, but not as it should."""
        summary = await health.summary()
        return Response(summary, status_code=_status_code(summary.status))

    @get("/metrics", include_in_schema=False)
    async def metrics(
        self, request: AnyRequest, health: NamedDependency[Health], metrics_door: NamedDependency[MetricsDoor]
    ) -> Response[bytes]:
        await metrics_door.admit(
            bearer=bearer_token(request.scope) if "authorization" in request.headers else None,
            client_host=request.client.host if request.client else None,
            proxied="x-forwarded-for" in request.headers or "forwarded" in request.headers,
        )
        return Response(await health.render_metrics(), media_type=CONTENT_TYPE_LATEST)


class SystemController(Controller):
    path = "/api/system"
    tags = ("System",)

    @get("/health", guards=[needs("system:read")], summary="Health in detail")
    async def health(self, health: NamedDependency[Health]) -> HealthDetails:
        """Return every component with its reason, what waits where, and the processes that run."""
        return await health.details()


class KeysController(Controller):
    path = "/api/system/keys"
    tags = ("System",)
    guards = (needs("security:read"),)

    @get("/", summary="The key ring")
    async def keys(self, key_rotation: NamedDependency[KeyRotation]) -> KeyRing:
        """Say which key encrypts stored secrets, and how far the pass over everything encrypted is; never a key."""
        return await key_rotation.status()


def _status_code(status: Status) -> int:
    return HTTP_503_SERVICE_UNAVAILABLE if status == "unhealthy" else HTTP_200_OK
