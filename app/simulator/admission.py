"""Whether Meta would accept a send now: addressee, window, template, media. Shape is judged by `message_rules`."""

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from app.simulator.config import SimulatedNumber, SimulatorConfig
from app.simulator.graph_errors import GraphError
from app.simulator.media import MediaStore
from app.simulator.people import Customer, People, digits
from app.simulator.screen import Shown, show
from app.simulator.templates import TemplateStore

__all__ = ["Admission", "AdmittedSend"]

_MEDIA_TYPES = {"image": "image/", "video": "video/", "audio": "audio/", "sticker": "image/webp", "document": ""}


class AdmittedSend(msgspec.Struct, frozen=True, kw_only=True):
    """A send that Meta would accept now: `Simulator.accept` makes it happen.

    failure: the code of the `failed` status that will follow instead of a delivery.
    """

    number: SimulatedNumber
    customer: Customer
    addressed_as: str
    kind: str
    content: object
    shown: Shown
    category: str
    tracker: str | None
    reply_to: str | None
    failure: int | None


class Admission:
    """Knows what a send depends on, and changes none of it but for meeting unknown phones."""

    def __init__(
        self,
        config: SimulatorConfig,
        now: Callable[[], datetime],
        people: People,
        media: MediaStore,
        templates: TemplateStore,
    ) -> None:
        self._config = config
        self._now = now
        self._people = people
        self._media = media
        self._templates = templates

    def admit(self, number: SimulatedNumber, body: Mapping[str, object]) -> AdmittedSend:
        """Decide whether a body of the right shape would be accepted now; nothing happens yet.

        Raises:
            GraphError: why it would not.

        """
        customer, addressed_as = self._addressee(number, body)
        kind = str(body["type"])
        content = body[kind]
        shown, category = self._read_content(number, kind, content)
        tracker, context = body.get("biz_opaque_callback_data"), body.get("context")
        return AdmittedSend(
            number=number,
            customer=customer,
            addressed_as=addressed_as,
            kind=kind,
            content=content,
            shown=shown,
            category=category,
            tracker=tracker if isinstance(tracker, str) else None,
            reply_to=str(context["message_id"]) if isinstance(context, Mapping) else None,
            failure=self._failure(number, customer, kind),
        )

    def _addressee(self, number: SimulatedNumber, body: Mapping[str, object]) -> tuple[Customer, str]:
        if body.get("recipient_type") == "group":
            raise GraphError(131009, "Param recipient_type: this simulator has no groups")
        to = body.get("to")
        if to is None:
            user_id = str(body["recipient"])
            customer = self._people.find(user_id)
            if customer is None:
                raise GraphError(131026, "No customer has this business-scoped user id")
            return customer, user_id
        phone = digits(str(to))
        # Meta's numbers have a country code and at most 15 digits (E.164); anything else in `to` is a mistake.
        if not 6 <= len(phone) <= 15 or str(to).strip("+0123456789 -()."):  # noqa: PLR2004 - E.164
            raise GraphError(131009, "Param to must be a phone number with country code")
        if phone == number.display_phone_number:
            raise GraphError(131021)
        return self._people.find_or_meet(phone), str(to)

    def _read_content(self, number: SimulatedNumber, kind: str, content: object) -> tuple[Shown, str]:
        """Return what the customer will see and the price category; refuse templates and media that do not exist."""
        if not isinstance(content, Mapping):
            return show(kind, content), "service"
        if kind == "template":
            text, category = self._templates.render(number.business_account_id, content)
            return Shown(text), category
        shown = show(kind, content)
        if kind in _MEDIA_TYPES and shown.media_id is not None:
            file = self._media.find(shown.media_id)
            if file is None:
                raise GraphError(131009, f"Param {kind}.id is not the id of an uploaded file")
            if not file.mime_type.startswith(_MEDIA_TYPES[kind]):
                raise GraphError(131053, f"A file of type {file.mime_type} cannot be sent as {kind}")
        return shown, "service"

    def _failure(self, number: SimulatedNumber, customer: Customer, kind: str) -> int | None:
        if not customer.reachable:
            return 131026
        if kind == "template" or customer.window_is_open(number.phone_number_id, self._now()):
            return None
        if self._config.window_refusal == "answer":
            raise GraphError(131047)
        return 131047
