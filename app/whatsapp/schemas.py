"""What the API takes and returns about channels and stored webhooks."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.core.schema import Input, Output
from app.whatsapp.media_rules import MediaKind

EventState = Literal["pending", "done", "dead"]
CheckName = Literal["secrets", "token", "number", "business_account", "subscription", "address", "webhook"]

_MetaId = Annotated[str, Meta(pattern=r"^[0-9]{5,20}$")]
_AppSecret = Annotated[str, Meta(min_length=16, max_length=256)]
_AppSecrets = Annotated[list[_AppSecret], Meta(min_length=1, max_length=5)]
_Name = Annotated[str, Meta(min_length=1, max_length=100)]
_Token = Annotated[str, Meta(min_length=16, max_length=1024, pattern=r"^[\x21-\x7e]+$")]
_VerifyToken = Annotated[str, Meta(min_length=16, max_length=256)]
_Version = Annotated[str, Meta(pattern=r"^v[0-9]{1,3}\.[0-9]{1,2}$")]
_PerSecond = Annotated[int, Meta(ge=1, le=1000)]


class ChannelDefaults(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings say about every channel: our address as Meta sees it, and Meta's, neither with a slash at end.

    Meta's address is never taken from a request: it is where access tokens are sent.
    """

    public_url: str
    graph_url: str
    api_version: str


class ChannelToAdd(Input, frozen=True, kw_only=True):
    """A number of the Cloud API.

    `app_secrets` check the signatures of its webhooks, the newest first; `verify_token` is what Meta's check of the
    webhook address must show: both are written into Meta's app dashboard. `messages_per_second`
    is Meta's limit for the number; without it the one for every number.
    """

    name: _Name
    phone_number_id: _MetaId
    business_account_id: _MetaId | None = None
    token: _Token
    app_secrets: _AppSecrets
    verify_token: _VerifyToken
    api_version: _Version | None = None
    messages_per_second: _PerSecond | None = None

    def __repr__(self) -> str:
        return f"ChannelToAdd(phone_number_id={self.phone_number_id!r})"


class ChannelUpdate(Input, frozen=True, kw_only=True):
    """What to change of a channel that was added here; what is left out stays as it is.

    New `app_secrets` replace all earlier ones: name the old one too while Meta still signs with it.
    """

    name: _Name | UnsetType = UNSET
    business_account_id: _MetaId | UnsetType | None = UNSET
    token: _Token | UnsetType = UNSET
    app_secrets: _AppSecrets | UnsetType = UNSET
    verify_token: _VerifyToken | UnsetType = UNSET
    api_version: _Version | UnsetType = UNSET
    messages_per_second: _PerSecond | UnsetType = UNSET

    def __repr__(self) -> str:
        return "ChannelUpdate(...)"


class ChannelStop(Input, frozen=True, kw_only=True):
    """Why nothing shall be sent through a channel."""

    reason: Annotated[str, Meta(pattern=r"\S", max_length=200)]


class WebhookSetup(Output, frozen=True, kw_only=True):
    """What to enter in Meta's app dashboard: address, verify token (null when none is stored) and fields."""

    url: str
    verify_token: str | None
    fields: list[str]


class Check(Output, frozen=True, kw_only=True):
    """One thing that a working channel needs. `ok` is null when it could not be found out.

    `detail` is what was found, and holds WhatsApp's own words; `remedy` says in English what to do.
    """

    check: CheckName
    ok: bool | None
    detail: str
    remedy: str


class CheckList(Output, frozen=True, kw_only=True):
    """Every check, in the order in which to mend what fails. `ok` when none has failed."""

    ok: bool
    checks: list[Check]


class ChannelDetails(Output, frozen=True, kw_only=True):
    """A number we speak through. `source` says where it was configured.

    `stopped_reason` is set while nothing is sent through it, with `stopped_at`, and `stopped_by` if that was a person.
    `display_phone_number` is known once the channel was checked. `token_ends_with` are the last four characters of its
    access token; null when the token cannot be read. `webhook_url` is the address to give to Meta.
    """

    id: UUID
    kind: str
    name: str
    source: Literal["environment", "simulator", "panel"]
    phone_number_id: str
    business_account_id: str | None
    display_phone_number: str | None
    api_version: str | None
    messages_per_second: int
    stopped_reason: str | None
    stopped_at: datetime | None
    stopped_by: UUID | None
    token_ends_with: str | None
    webhook_url: str


class ChannelList(Output, frozen=True, kw_only=True):
    """All channels, in the order in which they were added."""

    items: list[ChannelDetails]


class TemplateParameter(Output, frozen=True, kw_only=True):
    """What has to be filled in to send a template. `name` is that of the placeholder: a number, or a word.

    `button_index` counts the template's buttons from 0.
    """

    place: Literal["header", "body", "button"]
    kind: Literal["text", "image", "video", "document", "coupon_code"]
    name: str | None = None
    button_index: int | None = None


class ApprovedTemplate(Output, frozen=True, kw_only=True):
    """A template that Meta lets us send. `components` are as Meta describes them: header, body, footer, buttons."""

    id: str
    name: str
    language: str
    category: str
    parameter_format: Literal["positional", "named"]
    parameters: list[TemplateParameter]
    components: msgspec.Raw


class ApprovedTemplates(Output, frozen=True, kw_only=True):
    """The approved templates of a channel, by name and language."""

    items: list[ApprovedTemplate]


class UploadedMedia(Output, frozen=True, kw_only=True):
    """A file that was brought, good for a day. `media_id` names it in a message; `kind` is as what it can be sent.

    Anything can be sent as a `document` as well.
    """

    media_id: UUID
    kind: MediaKind
    mime_type: str
    size_bytes: int
    filename: str | None


class StoredWebhook(Output, frozen=True, kw_only=True):
    """A webhook as it was stored. `reason` says why it is dead, or what in it could not be used.

    `channel_id` is the channel that its address named, if it named one; `claims` counts the times it was taken up.
    """

    id: UUID
    channel_id: UUID | None
    state: EventState
    reason: str | None
    claims: int
    size_bytes: int
    received_at: datetime
    done_at: datetime | None


class WebhookDetails(StoredWebhook, frozen=True, kw_only=True):
    """A stored webhook with its body; bytes that are no UTF-8 are shown as U+FFFD."""

    body: str
