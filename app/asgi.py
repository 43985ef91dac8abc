"""The web process: routers, doors, error handlers, top to bottom."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from litestar import Litestar
from litestar.config.cors import CORSConfig
from litestar.di import Provide
from litestar.middleware import ASGIMiddleware
from litestar.types import ControllerRouterHandler

from app.accounts.controllers import (
    ApiKeysController,
    AuthController,
    OwnAccountController,
    PeopleController,
    TeamController,
)
from app.accounts.preferences_controllers import PreferencesController
from app.ai.chain.controllers import ProvidersController
from app.ai.playground.controllers import PlaygroundController
from app.ai.replies.controllers import TurnsController
from app.audit.controllers import AuditController
from app.business.controllers import BusinessController
from app.contacts.controllers import ContactsController
from app.conversations.controllers import CannedRepliesController, NotesController
from app.core.http import (
    DEFAULT_BODY_BYTES,
    EXCEPTION_HANDLERS,
    AllowedHosts,
    ChargeRequests,
    Panel,
    RateLimits,
    RequestContext,
    RequestMetrics,
    SecurityHeaders,
    WebhookLimit,
    allowed_hosts,
    install_edge,
    refuse_nul,
)
from app.core.openapi import StructDocstrings, openapi_config
from app.core.security.client_address import ClientAddress
from app.core.security.guards import RequireAccessToken
from app.inbox.controllers import ConversationsController, SearchController
from app.live.controllers import live
from app.live.schemas import ClientMessage, ServerMessage
from app.outbound.controllers import MessagesController, OutboundController
from app.plugins import VERSION, Parts
from app.proof.controllers import ProofController
from app.security.controllers import AlertsController, EvidenceController, SnapshotsController
from app.simulator.controllers import control_from_here_only, mount_simulator
from app.simulator.phone_controllers import SimulatorController
from app.system.controllers import HealthController, KeysController, SystemController
from app.system.operations_controllers import OperationsController
from app.system.setup_controllers import SetupController
from app.whatsapp.controllers import ChannelsController, EventsController
from app.whatsapp.media_controllers import MediaController
from app.whatsapp.schemas import ChannelDefaults
from app.whatsapp.web.controllers import WebSessionsController
from app.whatsapp.webhook import WebhookController, WebhookLane

Thing = TypeVar("Thing")

CONTROLLERS: list[ControllerRouterHandler] = [
    WebhookController,
    AuthController,
    OwnAccountController,
    PreferencesController,
    PeopleController,
    TeamController,
    ApiKeysController,
    ConversationsController,
    SearchController,
    NotesController,
    CannedRepliesController,
    TurnsController,
    ContactsController,
    MessagesController,
    OutboundController,
    ChannelsController,
    EventsController,
    WebSessionsController,
    MediaController,
    ProvidersController,
    PlaygroundController,
    BusinessController,
    SimulatorController,
    SetupController,
    SystemController,
    OperationsController,
    KeysController,
    ProofController,
    AuditController,
    AlertsController,
    SnapshotsController,
    EvidenceController,
    HealthController,
    live,
]


def create_app(parts: Parts) -> Litestar:
    """Build the web application over `parts`; whoever serves it opens them (`Parts.running`)."""
    server = parts.settings.server
    app = Litestar(
        route_handlers=[*CONTROLLERS, *_simulator(parts)],
        dependencies={name: _given(thing) for name, thing in _things(parts).items()},
        middleware=[
            RequireAccessToken(parts.authentication, parts.metrics, cookies=parts.session_cookies),
            *_counted(parts),
        ],
        before_request=refuse_nul,
        exception_handlers=EXCEPTION_HANDLERS,
        request_max_body_size=DEFAULT_BODY_BYTES,
        cors_config=_cors(server.cors_origins),
        openapi_config=openapi_config(
            version=VERSION, public_url=server.public_url, further_types=[ClientMessage, ServerMessage]
        ),
        plugins=[StructDocstrings()],
        logging_config=None,
        debug=False,
    )
    install_edge(app, _edge(parts))
    return app


def _edge(parts: Parts) -> list[ASGIMiddleware]:
    """Return what stands around the router, outermost first."""
    server, limits = parts.settings.server, parts.settings.security.rate_limits
    hosts = allowed_hosts(server.public_url, server.allowed_hosts, development=not server.is_production)
    # Refusing a flood must cost next to nothing, so that stands outside everything else.
    flood: list[ASGIMiddleware] = [WebhookLimit(parts.webhook_buckets, parts.metrics)] if limits.enabled else []
    headers = SecurityHeaders(https=server.public_url.startswith("https://"))
    edge: list[ASGIMiddleware] = [
        *flood,
        WebhookLane(parts.webhook_door, headers.of_api),
        headers,
        RequestContext(),
        RequestMetrics(parts.metrics),
        ClientAddress(server.trusted_proxies),
        AllowedHosts(hosts),
        Panel(server.panel_dir),
    ]
    if limits.enabled:
        edge.append(RateLimits(parts.rate_limiter, parts.limit_rules, parts.metrics))
    return edge


def _counted(parts: Parts) -> list[ASGIMiddleware]:
    """Return what counts requests behind authentication."""
    limits = parts.settings.security.rate_limits
    return [ChargeRequests(parts.rate_limiter, parts.limit_rules)] if limits.enabled else []


def _cors(origins: Sequence[str]) -> CORSConfig | None:
    """Allow exactly these origins to call with a token of their own; cookies are never taken from elsewhere."""
    if not origins:
        return None
    return CORSConfig(
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["authorization", "content-type", "idempotency-key", "x-request-id"],
        expose_headers=[
            "x-request-id",
            "retry-after",
            "x-ratelimit-limit",
            "x-ratelimit-remaining",
            "x-ratelimit-reset",
        ],
        allow_credentials=False,
        max_age=600,
    )


def _things(parts: Parts) -> dict[str, object]:
    """Return what controllers may ask for, by the name they ask with."""
    return {
        "database": parts.database,
        "wake": parts.wake,
        "door": parts.webhook_door,
        "channels": parts.channels,
        "graph": parts.graph,
        "channel_defaults": ChannelDefaults(
            public_url=parts.settings.server.public_url,
            graph_url=parts.settings.whatsapp.graph_url,
            api_version=parts.settings.whatsapp.api_version,
        ),
        "web_sessions": parts.web_sessions,
        "templates": parts.templates,
        "accounts": parts.accounts,
        "console": parts.console,
        "key_rotation": parts.key_rotation,
        "people": parts.people,
        "sessions": parts.sessions,
        "session_cookies": parts.session_cookies,
        "second_factor": parts.second_factor,
        "api_keys": parts.api_keys,
        "live_door": parts.live_door,
        "chain": parts.chain,
        "playground": parts.playground,
        "media_dir": parts.media_dir,
        "prover": parts.prover,
        "doctor": parts.doctor,
        "health": parts.health,
        "queues": parts.queues,
        "metrics_door": parts.metrics_door,
        "simulator": parts.simulator,
    }


def _given(thing: Thing) -> Provide:
    def get() -> Thing:
        return thing

    provider: Callable[[], Thing] = get
    return Provide(provider, sync_to_thread=False, use_cache=True)


def _simulator(parts: Parts) -> list[ControllerRouterHandler]:
    return [] if parts.simulator is None else [mount_simulator(parts.simulator, guards=[control_from_here_only])]
