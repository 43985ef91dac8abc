"""Channels and stored webhooks over HTTP."""

from typing import Annotated, Any, cast
from uuid import UUID

import msgspec
import structlog
from litestar import Controller, Request, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter, SkipValidation
from litestar.status_codes import HTTP_200_OK

from app.audit.requests import entry
from app.core.db import Database
from app.core.keyset import Cursor, Page
from app.core.security.actor import Actor
from app.core.security.guards import needs
from app.core.security.tokens import Access
from app.core.wake import Wake
from app.whatsapp import ingest, queries
from app.whatsapp.channels import Channel, ChannelChange, Channels, ChannelSecrets, NewChannel, Source
from app.whatsapp.checks import check_channel
from app.whatsapp.graph import GraphClient
from app.whatsapp.intake import INBOX
from app.whatsapp.pacing import PER_SECOND
from app.whatsapp.queries import EventNotDead
from app.whatsapp.schemas import (
    ApprovedTemplates,
    ChannelDefaults,
    ChannelDetails,
    ChannelList,
    ChannelStop,
    ChannelToAdd,
    ChannelUpdate,
    CheckList,
    EventState,
    StoredWebhook,
    WebhookDetails,
    WebhookSetup,
)
from app.whatsapp.templates import Templates

log = structlog.get_logger()

# What Meta shall tell us: messages and statuses, the phone app, opt-outs, and notices about account and number.
_FIELDS = ("messages", "smb_message_echoes", "user_preferences", "account_update", "phone_number_quality_update")
_SECRETS = ("token", "app_secrets", "verify_token")
_SHOWN = 4  # characters of a token


class ChannelsController(Controller):
    path = "/api/whatsapp/channels"
    tags = ("WhatsApp",)
    guards = (needs("channels:read"),)

    @get("/", summary="Channels")
    async def find(
        self, channels: NamedDependency[Channels], channel_defaults: NamedDependency[ChannelDefaults]
    ) -> ChannelList:
        """List the numbers we speak through, without their secrets. There are few: the list is whole."""
        return ChannelList(items=[_details(one, channel_defaults) for one in await channels.all()])

    @get("/{channel_id:uuid}", summary="A channel")
    async def show(
        self,
        channel_id: FromPath[UUID],
        channels: NamedDependency[Channels],
        channel_defaults: NamedDependency[ChannelDefaults],
    ) -> ChannelDetails:
        """Return one channel, without its secrets, and the webhook address to give to Meta."""
        return _details(await channels.get(channel_id), channel_defaults)

    @get("/{channel_id:uuid}/templates", summary="A channel's approved templates")
    async def templates(self, channel_id: FromPath[UUID], templates: NamedDependency[Templates]) -> ApprovedTemplates:
        """List the templates that can be sent now, with what each wants filled in; at most a minute old.

        Answers 409 for a channel that has none or that Meta refuses, and 503 when Meta does not answer.
        """
        return ApprovedTemplates(items=await templates.of(channel_id))

    @post("/", guards=[needs("channels:manage")], summary="Add a channel")
    async def add(
        self,
        data: JSONBody[ChannelToAdd],
        request: Request[Actor, Access, Any],
        channels: NamedDependency[Channels],
        channel_defaults: NamedDependency[ChannelDefaults],
    ) -> ChannelDetails:
        """Add a number of the Cloud API; its secrets are stored encrypted and never shown again.

        Answers 409 when its `phone_number_id` is known already.
        """
        channel = await channels.add(
            _new_channel(data, channel_defaults), audit=entry(request, "channel.added", "channel", "")
        )
        log.info("channel.added", channel_id=str(channel.id), user_id=str(request.user.user_id))
        return _details(channel, channel_defaults)

    @patch("/{channel_id:uuid}", guards=[needs("channels:manage")], summary="Change a channel")
    async def change(
        self,
        channel_id: FromPath[UUID],
        data: JSONBody[ChannelUpdate],
        request: Request[Actor, Access, Any],
        channels: NamedDependency[Channels],
        channel_defaults: NamedDependency[ChannelDefaults],
    ) -> ChannelDetails:
        """Change a channel that was added here; every process uses it so within seconds.

        Answers 409 for a channel of the settings. A stopped channel stays stopped: check it, then resume it.
        """
        audit = entry(request, "channel.changed", "channel", channel_id)
        channel = await channels.change(channel_id, _change(data), audit=audit)
        log.info("channel.changed", channel_id=str(channel_id), user_id=str(request.user.user_id))
        return _details(channel, channel_defaults)

    @get("/{channel_id:uuid}/webhook", guards=[needs("channels:manage")], summary="What to enter at Meta")
    async def webhook(
        self,
        channel_id: FromPath[UUID],
        channels: NamedDependency[Channels],
        channel_defaults: NamedDependency[ChannelDefaults],
    ) -> WebhookSetup:
        """Return the webhook address, the verify token and the fields to subscribe to, for Meta's app dashboard."""
        channel = await channels.get(channel_id)
        return WebhookSetup(
            url=_webhook_url(channel, channel_defaults.public_url),
            verify_token=channel.secrets.verify_token if channel.secrets is not None else None,
            fields=list(_FIELDS),
        )

    @post(
        "/{channel_id:uuid}/check",
        status_code=HTTP_200_OK,
        guards=[needs("channels:manage")],
        summary="Does it work?",
    )
    async def check(
        self,
        channel_id: FromPath[UUID],
        database: NamedDependency[Database],
        channels: NamedDependency[Channels],
        graph: NamedDependency[GraphClient],
        channel_defaults: NamedDependency[ChannelDefaults],
    ) -> CheckList:
        """Ask WhatsApp about token, number, account and subscription, and look at our own side; nothing is sent."""
        channel = await channels.get(channel_id)
        async with database.read() as connection:
            own_address = channel.id if channel.source == "panel" else None
            last_at = await queries.last_event_at(connection, own_address)
        checks, phone = await check_channel(
            graph, channel, public_url=channel_defaults.public_url, last_webhook_at=last_at
        )
        if phone is not None and phone.display_phone_number:
            await channels.note_number(channel_id, phone.display_phone_number)
        return CheckList(ok=all(one.ok is not False for one in checks), checks=checks)

    @post(
        "/{channel_id:uuid}/stop",
        status_code=HTTP_200_OK,
        guards=[needs("channels:manage")],
        summary="Send nothing through it",
    )
    async def stop(
        self,
        channel_id: FromPath[UUID],
        data: JSONBody[ChannelStop],
        request: Request[Actor, Access, Any],
        channels: NamedDependency[Channels],
        channel_defaults: NamedDependency[ChannelDefaults],
    ) -> ChannelDetails:
        """Stop sending through a channel, whatever restarts, until somebody resumes it.

        What customers write still comes in, and what is to leave waits.
        """
        audit = entry(request, "channel.stopped", "channel", channel_id, after={"reason": data.reason})
        channel = await channels.stop(channel_id, data.reason, stopped_by=request.user.user_id, audit=audit)
        log.info("channel.stopped_by_person", channel_id=str(channel_id), user_id=str(request.user.user_id))
        return _details(channel, channel_defaults)

    @post(
        "/{channel_id:uuid}/resume",
        status_code=HTTP_200_OK,
        guards=[needs("channels:manage")],
        summary="Send through it again",
    )
    async def resume(
        self,
        channel_id: FromPath[UUID],
        request: Request[Actor, Access, Any],
        channels: NamedDependency[Channels],
        channel_defaults: NamedDependency[ChannelDefaults],
    ) -> ChannelDetails:
        """Send through a stopped channel again, after what WhatsApp refused has been mended: within a second."""
        audit = entry(request, "channel.resumed", "channel", channel_id)
        channel = await channels.resume(channel_id, audit=audit)
        log.info("channel.resumed", channel_id=str(channel_id), user_id=str(request.user.user_id))
        return _details(channel, channel_defaults)


class EventsController(Controller):
    path = "/api/whatsapp/events"
    tags = ("WhatsApp",)
    guards = (needs("webhooks:read"),)

    @get("/", summary="Stored webhooks")
    async def find(
        self,
        database: NamedDependency[Database],
        in_state: Annotated[EventState | None, QueryParameter(name="state")] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        cursor: FromQuery[str | None] = None,
    ) -> Page[StoredWebhook]:
        """List what Meta has sent, the newest first; `state=dead` are those that need somebody to look."""
        after = Cursor.decode(cursor) if cursor is not None else None
        async with database.read() as connection:
            return await queries.events(connection, in_state, limit=limit, cursor=after)

    @get("/{event_id:uuid}", summary="A stored webhook")
    async def show(self, event_id: FromPath[UUID], database: NamedDependency[Database]) -> WebhookDetails:
        """Return a stored webhook with its body."""
        async with database.read() as connection:
            return await queries.event(connection, event_id)

    @post(
        "/{event_id:uuid}/retry",
        status_code=HTTP_200_OK,
        guards=[needs("webhooks:retry")],
        summary="Try a dead webhook again",
    )
    async def retry(
        self,
        event_id: FromPath[UUID],
        request: Request[Actor, Access, Any],
        database: NamedDependency[Database],
        wake: NamedDependency[SkipValidation[Wake]],
    ) -> WebhookDetails:
        """Take up a dead webhook once more; what of it was stored before is not stored again.

        Answers 409 when it is not dead.
        """
        audit = entry(request, "webhook.retried", "webhook", event_id)
        is_tried = await ingest.retry(database, event_id, audit=audit)
        async with database.read() as connection:
            event = await queries.event(connection, event_id)
        if not is_tried:
            raise EventNotDead(event.state)
        wake.notify(INBOX)
        return event


def _new_channel(data: ChannelToAdd, defaults: ChannelDefaults) -> NewChannel:
    return NewChannel(
        name=data.name,
        phone_number_id=data.phone_number_id,
        business_account_id=data.business_account_id,
        graph_url=defaults.graph_url,
        api_version=data.api_version or defaults.api_version,
        secrets=ChannelSecrets(data.token, tuple(data.app_secrets), data.verify_token),
        messages_per_second=data.messages_per_second or PER_SECOND,
    )


def _change(data: ChannelUpdate) -> ChannelChange:
    given = {name: value for name, value in msgspec.structs.asdict(data).items() if value is not msgspec.UNSET}
    secrets: dict[str, Any] = {name: given.pop(name) for name in _SECRETS if name in given}
    if "app_secrets" in secrets:
        secrets["app_secrets"] = tuple(secrets["app_secrets"])
    return ChannelChange(columns=given, secrets=secrets)


def _details(channel: Channel, defaults: ChannelDefaults) -> ChannelDetails:
    return ChannelDetails(
        id=channel.id,
        kind=channel.kind,
        name=channel.name,
        source=cast("Source", channel.source),
        phone_number_id=channel.phone_number_id,
        business_account_id=channel.business_account_id,
        display_phone_number=channel.display_phone_number,
        api_version=channel.access.api_version if channel.access is not None else None,
        messages_per_second=channel.messages_per_second,
        stopped_reason=channel.stopped_reason,
        stopped_at=channel.stopped_at,
        stopped_by=channel.stopped_by,
        token_ends_with=_end(channel.secrets),
        webhook_url=_webhook_url(channel, defaults.public_url),
    )


def _end(secrets: ChannelSecrets | None) -> str | None:
    """Show enough of a token to tell it from another, and only of one that is long enough to hide the rest."""
    return secrets.token[-_SHOWN:] if secrets is not None and len(secrets.token) >= _SHOWN * 4 else None


def _webhook_url(channel: Channel, public_url: str) -> str:
    """Channels of the settings share one address, because they share one app at Meta; the others have their own."""
    shared = f"{public_url}/webhooks/whatsapp"
    return f"{shared}/{channel.id}" if channel.source == "panel" else shared
