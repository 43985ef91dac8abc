"""The web process: routers, doors, error handlers, top to bottom."""

from collections.abc import Callable
from typing import TypeVar

from litestar import Litestar
from litestar.config.cors import CORSConfig
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from app.accounts.controllers import AuthController
from app.ai.chain.controllers import ProvidersController
from app.ai.replies.controllers import TurnsController
from app.business.controllers import BusinessController
from app.contacts.controllers import ContactsController
from app.conversations.controllers import ConversationsController
from app.core.http import (
    DEFAULT_BODY_BYTES,
    EXCEPTION_HANDLERS,
    RequestContext,
    RequestMetrics,
    SecurityHeaders,
    install_edge,
    refuse_nul,
)
from app.core.openapi import StructDocstrings, openapi_config
from app.core.security.guards import RequireAccessToken
from app.live.controllers import live
from app.live.schemas import ClientMessage, ServerMessage
from app.outbound.controllers import MessagesController, OutboundController
from app.plugins import VERSION, Parts
from app.simulator.controllers import mount_simulator
from app.system.controllers import HealthController, SystemController
from app.whatsapp.controllers import ChannelsController, EventsController
from app.whatsapp.media_controllers import MediaController
from app.whatsapp.schemas import ChannelDefaults
from app.whatsapp.webhook import WebhookController, WebhookLane

Thing = TypeVar("Thing")

CONTROLLERS: list[ControllerRouterHandler] = [
    WebhookController,
    AuthController,
    ConversationsController,
    TurnsController,
    ContactsController,
    MessagesController,
    OutboundController,
    ChannelsController,
    EventsController,
    MediaController,
    ProvidersController,
    BusinessController,
    SystemController,
    HealthController,
    live,
]


def create_app(parts: Parts) -> Litestar:
    """Build the web application over `parts`; whoever serves it opens them (`Parts.running`)."""
    server = parts.settings.server
    app = Litestar(
        route_handlers=[*CONTROLLERS, *_simulator(parts)],
        dependencies={name: _given(thing) for name, thing in _things(parts).items()},
        middleware=[RequireAccessToken(parts.tokens, parts.metrics)],
        before_request=refuse_nul,
        exception_handlers=EXCEPTION_HANDLERS,
        request_max_body_size=DEFAULT_BODY_BYTES,
        cors_config=CORSConfig(allow_origins=list(server.cors_origins)) if server.cors_origins else None,
        openapi_config=openapi_config(
            version=VERSION, public_url=server.public_url, further_types=[ClientMessage, ServerMessage]
        ),
        plugins=[StructDocstrings()],
        logging_config=None,
        debug=False,
    )
    install_edge(
        app,
        [
            WebhookLane(parts.webhook_door),
            RequestContext(),
            SecurityHeaders(https=server.public_url.startswith("https://")),
            RequestMetrics(parts.metrics),
        ],
    )
    return app


def _things(parts: Parts) -> dict[str, object]:
    """Return what controllers may ask for, by the name they ask with."""
    return {
        "database": parts.database,
        "wake": parts.wake,
        "door": parts.webhook_door,
        "channels": parts.channels,
        "channel_defaults": ChannelDefaults(
            public_url=parts.settings.server.public_url,
            graph_url=parts.settings.whatsapp.graph_url,
            api_version=parts.settings.whatsapp.api_version,
        ),
        "accounts": parts.accounts,
        "live_door": parts.live_door,
        "chain": parts.chain,
        "media_dir": parts.media_dir,
        "health": parts.health,
        "metrics_door": parts.metrics_door,
    }


def _given(thing: Thing) -> Provide:
    def get() -> Thing:
        return thing

    provider: Callable[[], Thing] = get
    return Provide(provider, sync_to_thread=False, use_cache=True)


def _simulator(parts: Parts) -> list[ControllerRouterHandler]:
    return [] if parts.simulator is None else [mount_simulator(parts.simulator)]
