"""The approved templates of a channel, as Meta keeps them now: asked for at most once a minute."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from typing import Any, Literal
from uuid import UUID

import msgspec

from app.core.errors import Conflict
from app.whatsapp.channels import Channels
from app.whatsapp.errors import CallRefused, CallUnavailable
from app.whatsapp.graph import GraphClient, TemplateInfo
from app.whatsapp.schemas import ApprovedTemplate, TemplateParameter
from app.whatsapp.transport import ChannelAccess

_FRESH_SECONDS = 60.0
_ASK_SECONDS = 30.0
_PLACEHOLDER = re.compile(r"\{\{\s*(\w{1,60})\s*\}\}")
_FILES: dict[str, Literal["image", "video", "document"]] = {"IMAGE": "image", "VIDEO": "video", "DOCUMENT": "document"}


class ChannelHasNoTemplates(Conflict):
    """The channel is of a kind that knows no templates, names no business account, or cannot be reached."""

    code = "channel_has_no_templates"


class TemplatesRefused(Conflict):
    """Meta does not show us the templates: the token or the business account of the channel wants mending."""

    code = "whatsapp_refused"


class Templates:
    """Knows the templates of each channel; who asks while they are being fetched waits for the same answer."""

    def __init__(self, channels: Channels, graph: GraphClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._channels = channels
        self._graph = graph
        self._clock = clock
        self._known: dict[UUID, tuple[float, list[ApprovedTemplate]]] = {}
        self._asking: dict[UUID, asyncio.Lock] = {}

    async def of(self, channel_id: UUID) -> list[ApprovedTemplate]:
        """Return the channel's approved templates, by name and language.

        Raises `ChannelNotFound`, `ChannelHasNoTemplates`, `TemplatesRefused` and `CallUnavailable`.
        """
        channel = await self._channels.get(channel_id)
        access = channel.access
        if channel.kind != "cloud" or access is None or access.business_account_id is None:
            raise ChannelHasNoTemplates("templates are kept by the Cloud API, for a channel with a business account")
        async with self._asking.setdefault(channel_id, asyncio.Lock()):
            asked_at, found = self._known.get(channel_id, (float("-inf"), []))
            if self._clock() - asked_at < _FRESH_SECONDS:
                return found
            found = sorted(await self._ask(access), key=lambda one: (one.name, one.language))
            self._known[channel_id] = (self._clock(), found)
            return found

    async def _ask(self, access: ChannelAccess) -> list[ApprovedTemplate]:
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                return [_approved(one) async for one in self._graph.templates(access) if one.status == "APPROVED"]
        except CallRefused as error:
            raise TemplatesRefused(str(error)) from error
        except TimeoutError as error:
            raise CallUnavailable("timeout") from error


def _approved(template: TemplateInfo) -> ApprovedTemplate:
    return ApprovedTemplate(
        id=template.id,
        name=template.name,
        language=template.language,
        category=template.category,
        parameter_format="named" if template.parameter_format.upper() == "NAMED" else "positional",
        parameters=list(_parameters(template.components)),
        components=msgspec.Raw(template.components),
    )


def _parameters(components: bytes) -> Iterator[TemplateParameter]:
    """Yield what has to be filled in, in the order of the template. Members that make no sense are skipped."""
    for component in _objects(msgspec.json.decode(components)):
        kind = str(component.get("type", "")).upper()
        media = _FILES.get(str(component.get("format", "")).upper())
        if kind == "HEADER" and media is not None:
            yield TemplateParameter(place="header", kind=media)
        elif kind in {"HEADER", "BODY"}:
            for name in _placeholders(component.get("text")):
                yield TemplateParameter(place="header" if kind == "HEADER" else "body", kind="text", name=name)
        elif kind == "BUTTONS":
            yield from _of_buttons(component.get("buttons"))


def _of_buttons(buttons: object) -> Iterator[TemplateParameter]:
    for index, button in enumerate(_objects(buttons)):
        kind = str(button.get("type", "")).upper()
        if kind == "URL":
            for name in _placeholders(button.get("url")):
                yield TemplateParameter(place="button", kind="text", name=name, button_index=index)
        elif kind == "COPY_CODE":
            yield TemplateParameter(place="button", kind="coupon_code", button_index=index)


def _placeholders(text: object) -> list[str]:
    return list(dict.fromkeys(_PLACEHOLDER.findall(text))) if isinstance(text, str) else []


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
