"""Graph's endpoints as a messaging product uses them (`reference/whatsapp.md` A2 and A3)."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from hmac import compare_digest

import msgspec

from app.core.errors import NotFound
from app.simulator.config import SimulatedNumber
from app.simulator.doors import Answer, Asked, Fate, json_answer
from app.simulator.faults import Fault
from app.simulator.form import parse_form
from app.simulator.graph_errors import GraphError
from app.simulator.media import MediaFile
from app.simulator.message_rules import check_send, is_read_receipt
from app.simulator.schemas import NumberView
from app.simulator.service import Simulator
from app.simulator.shapes import Problem
from app.simulator.templates import Template

__all__ = ["GraphDoor"]

_VERSION = re.compile(r"v\d{1,2}\.\d$")
_DEFAULT_TEMPLATES_PER_PAGE = 25
_SUCCESS = json_answer({"success": True})
_decode = msgspec.json.Decoder().decode
_CODES = {"missing": 131008, "unexpected": 100, "invalid": 131009}


class GraphDoor:
    """Answers calls to `/{version}/...` and to the download addresses under `/files/`."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._accounts = {number.business_account_id for number in simulator.config.numbers}
        self._token = f"Bearer {simulator.config.access_token}".encode()

    async def answer(self, asked: Asked) -> Answer:
        """Answer a call; refusals are answers in Graph's shape, with code, subcode and fbtrace_id."""
        try:
            return await self._route(asked)
        except GraphError as error:
            return Answer(error.status, error.body())

    async def _route(self, asked: Asked) -> Answer:
        match asked.method, asked.parts:
            case "GET", ("files", key):
                return self._download(asked, key)
            case method, (version, node, *edge) if _VERSION.match(version):
                self._authorise(asked)
                return await self._endpoint(method, node, edge)(asked)
        raise GraphError(100, f"Unknown path components: /{'/'.join(asked.parts)}", subcode=33)

    def _endpoint(  # noqa: C901 - one straight list, a case for each address
        self, method: str, node: str, edge: list[str]
    ) -> Callable[[Asked], Awaitable[Answer]]:
        match method, edge:
            case "POST", ["messages"]:
                return lambda asked: self._messages(self._number(node), asked)
            case "POST", ["media"]:
                return lambda asked: self._upload(self._number(node), asked)
            case "GET", ["message_templates"] if node in self._accounts:
                return lambda asked: self._list_templates(node, asked)
            case "POST", ["message_templates"] if node in self._accounts:
                return lambda asked: self._create_template(node, asked)
            case "DELETE", ["message_templates"] if node in self._accounts:
                return lambda asked: self._delete_template(node, asked)
            case "GET", ["phone_numbers"] if node in self._accounts:
                return lambda _: self._phone_numbers(node)
            case "GET", ["subscribed_apps"] if node in self._accounts:
                return _subscribed_apps
            case "POST", ["subscribed_apps"] if node in self._accounts:
                return _succeed
            case "GET", []:
                return lambda asked: self._object(node, asked)
            case "DELETE", []:
                return lambda _: self._delete_media(node)
        raise GraphError(100, f"Unsupported {method.lower()} request to /{'/'.join((node, *edge))}.", subcode=33)

    def _authorise(self, asked: Asked) -> None:
        if not compare_digest(asked.headers.get("authorization", "").encode(), self._token):
            raise GraphError(190)

    def _number(self, phone_number_id: str) -> SimulatedNumber:
        try:
            return self._simulator.number(phone_number_id)
        except NotFound as error:
            raise _no_such_object(phone_number_id) from error

    # Messages

    async def _messages(self, number: SimulatedNumber, asked: Asked) -> Answer:
        body = _json_object(asked.body)
        for problem in check_send(body):
            raise _refusal(problem)
        if is_read_receipt(body):
            self._simulator.mark_read(str(body["message_id"]), typing="typing_indicator" in body)
            return _SUCCESS
        send = self._simulator.admit(number, body)
        customer = send.customer.id
        await self._slow(customer)
        refusal = self._refuse(customer)
        if refusal is not None:
            return refusal
        wamid = self._simulator.accept(send)
        who = {"wa_id": customer} if send.customer.phone else {"user_id": customer}
        message = {"id": wamid}
        if send.kind == "template":
            message["message_status"] = "accepted"
        accepted = json_answer(
            {
                "messaging_product": "whatsapp",
                "contacts": [{"input": send.addressed_as, **who}],
                "messages": [message],
            }
        )
        return self._spoil(customer, accepted)

    async def _slow(self, customer: str) -> None:
        fault = self._simulator.faults.strike("slow", customer)
        if fault is None:
            return
        # Ends early when the simulator stops, so that a slow answer never keeps it alive.
        try:
            async with asyncio.timeout(fault.seconds):
                await self._simulator.stopping.wait()
        except TimeoutError:
            return

    def _refuse(self, customer: str) -> Answer | None:
        """Return what comes instead of accepting, if a fault strikes."""
        faults = self._simulator.faults
        error = faults.strike("error", customer)
        if error is not None:
            raise GraphError(error.code or 0, status=error.status)
        failure = faults.strike("server_error", customer)
        if failure is not None:
            return _server_error(failure)
        if faults.strike("drop_before_accept", customer) is not None:
            return Answer(500, b"", fate=Fate.CONNECTION_DROPS)
        return None

    def _spoil(self, customer: str, accepted: Answer) -> Answer:
        """Return what the caller sees of an accepted send, if a fault strikes."""
        faults = self._simulator.faults
        if faults.strike("timeout_after_accept", customer) is not None:
            return msgspec.structs.replace(accepted, fate=Fate.NEVER_COMES)
        if faults.strike("drop_after_accept", customer) is not None:
            return msgspec.structs.replace(accepted, fate=Fate.CONNECTION_DROPS)
        failure = faults.strike("server_error_after_accept", customer)
        return accepted if failure is None else _server_error(failure)

    # Media

    async def _upload(self, _number: SimulatedNumber, asked: Asked) -> Answer:
        form = parse_form(asked.headers.get("content-type", ""), asked.body)
        for name in ("messaging_product", "file"):
            if name not in form:
                raise GraphError(100, f"The parameter {name} is required.")
        if form["messaging_product"].content != b"whatsapp":
            raise GraphError(100, "Param messaging_product must be one of {WHATSAPP}.")
        file = form["file"]
        declared = form["type"].content.decode("latin-1") if "type" in form else file.content_type
        stored = self._simulator.media.upload(declared or "application/octet-stream", file.content)
        return json_answer({"id": stored.id})

    async def _object(self, node: str, asked: Asked) -> Answer:
        media = self._simulator.media.find(node)
        if media is not None:
            self._check_owner(asked)
            return self._media_answer(media, asked)
        return json_answer(_chosen(_number_fields(self._number(node)), asked.query.get("fields")))

    def _check_owner(self, asked: Asked) -> None:
        owner = asked.query.get("phone_number_id")
        if owner is not None:
            self._number(owner)

    def _media_answer(self, media: MediaFile, asked: Asked) -> Answer:
        base_url = self._simulator.config.public_url or asked.base_url
        return json_answer(
            {
                "messaging_product": "whatsapp",
                "url": f"{base_url.rstrip('/')}/files/{self._simulator.media.address(media.id)}",
                "mime_type": media.mime_type,
                "sha256": media.sha256,
                "file_size": len(media.content),
                "id": media.id,
            }
        )

    async def _delete_media(self, node: str) -> Answer:
        if not self._simulator.media.delete(node):
            raise _no_such_object(node)
        return _SUCCESS

    def _download(self, asked: Asked, key: str) -> Answer:
        self._authorise(asked)
        # Meta's file servers turn away clients that do not say who they are.
        if not asked.headers.get("user-agent"):
            return Answer(403, b"<html><body>Forbidden</body></html>", "text/html")
        media = self._simulator.media.at_address(key)
        if media is None:
            return Answer(404, b"<html><body>URL signature expired</body></html>", "text/html")
        return Answer(200, media.content, media.mime_type)

    # Templates

    async def _list_templates(self, account: str, asked: Asked) -> Answer:
        wanted = asked.query.get("name")
        found = [t for t in self._simulator.templates.all(account) if wanted is None or wanted in t.name]
        status = asked.query.get("status")
        found = [template for template in found if status is None or template.status == status]
        start = _whole(asked.query.get("after"), 0)
        limit = _whole(asked.query.get("limit"), _DEFAULT_TEMPLATES_PER_PAGE)
        page = found[start : start + limit]
        fields = asked.query.get("fields")
        paging: dict[str, object] = {"cursors": {"before": str(start), "after": str(start + len(page))}}
        if start + len(page) < len(found):
            paging["next"] = f"{asked.base_url}/{'/'.join(asked.parts)}?after={start + len(page)}&limit={limit}"
        shown = [_chosen(msgspec.to_builtins(template), fields) for template in page]
        return json_answer({"data": shown, "paging": paging})

    async def _create_template(self, account: str, asked: Asked) -> Answer:
        template: Template = self._simulator.create_template(account, _json_object(asked.body))
        return json_answer({"id": template.id, "status": template.status, "category": template.category})

    async def _delete_template(self, account: str, asked: Asked) -> Answer:
        name = asked.query.get("name")
        if name is None:
            raise GraphError(100, "The parameter name is required.")
        if not self._simulator.templates.delete(account, name):
            raise GraphError(100, "Message template was not found.", subcode=2593002)
        return _SUCCESS

    async def _phone_numbers(self, account: str) -> Answer:
        mine = [n for n in self._simulator.config.numbers if n.business_account_id == account]
        return json_answer({"data": [_chosen(_number_fields(number), None) for number in mine]})


async def _subscribed_apps(_asked: Asked) -> Answer:
    """Answer that the product's app gets all webhooks, as it does here."""
    app = {
        "id": "300000000000001",
        "name": "Mostrador",
        "link": "https://www.facebook.com/games/?app_id=300000000000001",
    }
    return json_answer({"data": [{"whatsapp_business_api_data": app}]})


async def _succeed(_asked: Asked) -> Answer:
    return _SUCCESS


def _json_object(body: bytes) -> dict[str, object]:
    try:
        value = _decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise GraphError(100, "The body is not valid JSON.") from error
    if not isinstance(value, dict):
        raise GraphError(100, "The body must be a JSON object.")
    return value


def _refusal(problem: Problem) -> GraphError:
    return GraphError(_CODES[problem.fault], f"Param {problem.path} {problem.reason}.")


def _no_such_object(node: str) -> GraphError:
    return GraphError(
        100,
        f"Unsupported request. Object with ID '{node}' does not exist, cannot be loaded due to missing permissions, "
        "or does not support this operation.",
        subcode=33,
    )


def _server_error(fault: Fault) -> Answer:
    status = fault.status or 500
    if fault.code is not None:
        return Answer(status, GraphError(fault.code).body())
    return Answer(status, GraphError(131000).body())


def _number_fields(number: SimulatedNumber) -> dict[str, object]:
    shown: dict[str, object] = msgspec.to_builtins(msgspec.convert(number, NumberView, from_attributes=True))
    del shown["phone_number_id"], shown["business_account_id"]
    return {
        "id": number.phone_number_id,
        **shown,
        "quality_rating": "GREEN",
        "status": "CONNECTED",
        "name_status": "APPROVED",
        "code_verification_status": "VERIFIED",
        "platform_type": "CLOUD_API",
        "is_on_biz_app": False,
        "account_mode": "LIVE",
        "is_official_business_account": False,
        "throughput": {"level": "STANDARD"},
        "whatsapp_business_manager_messaging_limit": "TIER_250",
    }


_SHOWN_UNASKED = ("verified_name", "display_phone_number", "quality_rating", "id")


def _chosen(known: dict[str, object], fields: str | None) -> dict[str, object]:
    """Return the asked members; Graph always adds the id and refuses a name it does not know."""
    if fields is None:
        return {name: known[name] for name in _SHOWN_UNASKED} if "quality_rating" in known else known
    names = [name.strip() for name in fields.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise GraphError(100, f"Tried accessing nonexisting field ({name}).")
    return {name: known[name] for name in dict.fromkeys([*names, "id"])}


def _whole(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 7 else default  # noqa: PLR2004 - no page is longer
