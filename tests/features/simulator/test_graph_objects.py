"""Media, templates and phone numbers behave as Graph's do."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from app.core.http_client import FilePart, HttpResponse
from app.simulator.media import SAMPLES
from tests.features.simulator.conftest import ANA, World

ErrorOf = Callable[[HttpResponse], dict[str, Any]]
PNG = SAMPLES["image"][1]


async def upload(world: World, content: bytes = PNG, mime_type: str = "image/png", **changes: bytes) -> HttpResponse:
    parts = {"messaging_product": b"whatsapp", "type": mime_type.encode(), **changes}
    files = [FilePart(name=name, content=value) for name, value in parts.items()]
    files.append(FilePart(name="file", content=content, filename="foto uno.png", content_type=mime_type))
    return await world.http.request(
        "POST",
        f"{world.url}/v26.0/100000000000001/media",
        headers={"authorization": f"Bearer {world.graph.token}"},
        files=files,
        timeout_seconds=10,
    )


async def uploaded(world: World) -> str:
    return str(msgspec.json.decode((await upload(world)).body)["id"])


async def download(world: World, url: str, **headers: str) -> HttpResponse:
    return await world.http.request(
        "GET", url, headers={"authorization": f"Bearer {world.graph.token}", **headers}, timeout_seconds=5
    )


async def test_an_uploaded_file_can_be_described_downloaded_sent_and_deleted(world: World) -> None:
    await world.writes()
    media_id = await uploaded(world)
    about = msgspec.json.decode((await world.graph.call("GET", f"{media_id}?phone_number_id=100000000000001")).body)
    assert about["mime_type"] == "image/png"
    assert about["file_size"] == len(PNG)
    assert (await download(world, about["url"])).body == PNG
    image = {"messaging_product": "whatsapp", "to": ANA, "type": "image", "image": {"id": media_id, "caption": "mira"}}
    assert (await world.graph.send(image)).status == 200
    assert world.simulator.ledger.received[0].body == "mira"
    assert msgspec.json.decode((await world.graph.call("DELETE", media_id)).body) == {"success": True}
    assert (await world.graph.call("GET", media_id)).status == 400
    assert (await world.graph.send(image)).status == 400


async def test_uploads_keep_every_byte(world: World) -> None:
    content = bytes(range(256)) * 300 + b"\r\n--\r\n\r\n"
    media_id = msgspec.json.decode((await upload(world, content)).body)["id"]
    about = msgspec.json.decode((await world.graph.call("GET", media_id)).body)
    assert (await download(world, about["url"])).body == content


async def test_a_download_needs_token_and_user_agent(world: World) -> None:
    about = msgspec.json.decode((await world.graph.call("GET", await uploaded(world))).body)
    assert (await download(world, about["url"], authorization="Bearer another")).status == 401
    assert (await download(world, about["url"], **{"user-agent": ""})).status == 403


async def test_a_download_address_lasts_five_minutes_and_a_new_one_can_be_had(world: World) -> None:
    media_id = await uploaded(world)
    about = msgspec.json.decode((await world.graph.call("GET", media_id)).body)
    await world.json("POST", "clock", {"advance_seconds": 300})
    assert (await download(world, about["url"])).status == 404
    again = msgspec.json.decode((await world.graph.call("GET", media_id)).body)
    assert (await download(world, again["url"])).status == 200


async def test_uploaded_files_are_gone_after_30_days(world: World) -> None:
    media_id = await uploaded(world)
    await world.json("POST", "clock", {"advance_seconds": 30 * 86_400})
    assert (await world.graph.call("GET", media_id)).status == 400


@pytest.mark.parametrize(
    ("content", "mime_type", "code"),
    [
        (b"x", "application/x-msdownload", 100),
        (b"", "image/png", 131053),
        (b"x" * (5 * 1024**2 + 1), "image/png", 131053),
    ],
    ids=["format", "empty", "too large"],
)
async def test_files_whatsapp_does_not_take_are_refused(
    world: World, error_of: ErrorOf, content: bytes, mime_type: str, code: int
) -> None:
    assert error_of(await upload(world, content, mime_type))["code"] == code


async def test_an_upload_for_another_product_is_refused(world: World, error_of: ErrorOf) -> None:
    assert error_of(await upload(world, messaging_product=b"telegram"))["code"] == 100


async def test_an_upload_that_is_no_form_is_refused(world: World, error_of: ErrorOf) -> None:
    assert error_of(await world.graph.call("POST", "100000000000001/media", {}))["code"] == 100


async def test_a_file_cannot_be_sent_as_another_kind(world: World, error_of: ErrorOf) -> None:
    await world.writes()
    body = {"messaging_product": "whatsapp", "to": ANA, "type": "audio", "audio": {"id": await uploaded(world)}}
    assert error_of(await world.graph.send(body))["code"] == 131053


NEW = {
    "name": "cita",
    "language": "es",
    "category": "UTILITY",
    "components": [
        {"type": "BODY", "text": "Hola {{1}}, tu cita es el {{2}}.", "example": {"body_text": [["Ana", "5"]]}}
    ],
}


def sent(*parameters: str, name: str = "cita", language: str = "es") -> dict[str, Any]:
    body = {"type": "body", "parameters": [{"type": "text", "text": text} for text in parameters]}
    template = {"name": name, "language": {"code": language}, "components": [body]}
    return {"messaging_product": "whatsapp", "to": ANA, "type": "template", "template": template}


async def create(world: World, **changes: Any) -> HttpResponse:
    return await world.graph.call("POST", "200000000000001/message_templates", {**NEW, **changes})


async def test_a_new_template_is_reviewed_and_then_read_by_the_customer(world: World) -> None:
    created = msgspec.json.decode((await create(world)).body)
    assert (created["status"], created["category"]) == ("PENDING", "UTILITY")
    await world.receiver.wait_until(lambda r: r.values)
    assert world.receiver.values[0]["event"] == "APPROVED"
    assert world.receiver.values[0]["message_template_name"] == "cita"
    response = await world.graph.send(sent("Ana", "lunes"))
    assert msgspec.json.decode(response.body)["messages"][0]["message_status"] == "accepted"
    assert world.simulator.ledger.received[0].body == "Hola Ana, tu cita es el lunes."


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        (sent("Ana"), 132000, 400),
        (sent("Ana", "lunes", "x"), 132000, 400),
        (sent("Ana", "lunes", language="en"), 132001, 404),
        (sent("Ana", "lunes", name="otra"), 132001, 404),
    ],
    ids=["too few", "too many", "language", "name"],
)
async def test_a_template_must_exist_and_its_parameters_fit(
    world: World, error_of: ErrorOf, body: dict[str, Any], code: int, status: int
) -> None:
    await create(world)
    response = await world.graph.send(body)
    assert (error_of(response)["code"], response.status) == (code, status)


async def test_named_parameters_must_have_the_names_of_the_template(world: World, error_of: ErrorOf) -> None:
    body = [{"type": "BODY", "text": "Hola {{nombre}}, bienvenida."}]
    await create(world, parameter_format="NAMED", components=body)
    use = sent("Ana")
    assert error_of(await world.graph.send(use))["code"] == 132012
    use["template"]["components"][0]["parameters"][0]["parameter_name"] = "nombre"
    assert (await world.graph.send(use)).status == 200
    assert world.simulator.ledger.received[0].body == "Hola Ana, bienvenida."


@pytest.mark.parametrize(("event", "code"), [("PAUSED", 132015), ("DISABLED", 132016), ("REJECTED", 132001)])
async def test_a_template_that_meta_stops_cannot_be_sent(
    world: World, error_of: ErrorOf, event: str, code: int
) -> None:
    created = msgspec.json.decode((await create(world)).body)
    await world.json("POST", "templates", {"template_id": created["id"], "event": event})
    assert error_of(await world.graph.send(sent("Ana", "lunes")))["code"] == code
    await world.receiver.wait_until(lambda r: [v["event"] for v in r.values] == ["APPROVED", event])


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Con Espacios"},
        {"language": "spanish"},
        {"category": "SERVICE"},
        {"components": []},
        {"components": [{"type": "BODY", "text": "{{1}} al principio"}]},
        {"components": [{"type": "BODY", "text": "juntos {{1}} {{2}} no"}]},
        {"components": [{"type": "BODY", "text": "x" * 1025}]},
        {"precio": 1},
    ],
)
async def test_templates_that_meta_refuses_are_refused(
    world: World, error_of: ErrorOf, changes: dict[str, Any]
) -> None:
    assert error_of(await create(world, **changes))["code"] == 100


async def test_a_template_has_each_language_once(world: World, error_of: ErrorOf) -> None:
    await create(world)
    assert error_of(await create(world))["error_subcode"] == 2388024


async def test_templates_are_listed_page_by_page_and_deleted_by_name(world: World) -> None:
    await create(world)
    path = "200000000000001/message_templates"
    first = msgspec.json.decode((await world.graph.call("GET", f"{path}?limit=1&fields=name,status")).body)
    assert [template["name"] for template in first["data"]] == ["hello_world"]
    assert set(first["data"][0]) == {"name", "status", "id"}
    second = msgspec.json.decode((await download(world, first["paging"]["next"])).body)
    assert [template["name"] for template in second["data"]] == ["cita"]
    assert "next" not in second["paging"]
    assert (await world.graph.call("DELETE", f"{path}?name=cita")).status == 200
    assert (await world.graph.call("DELETE", f"{path}?name=cita")).status == 400


async def test_a_phone_number_shows_the_fields_asked_for(world: World, error_of: ErrorOf) -> None:
    path = "100000000000001"
    asked = msgspec.json.decode((await world.graph.call("GET", f"{path}?fields=verified_name,quality_rating")).body)
    assert asked == {"verified_name": "Mostrador", "quality_rating": "GREEN", "id": path}
    plain = msgspec.json.decode((await world.graph.call("GET", path)).body)
    assert set(plain) == {"verified_name", "display_phone_number", "quality_rating", "id"}
    assert error_of(await world.graph.call("GET", f"{path}?fields=colour"))["code"] == 100
    listed = msgspec.json.decode((await world.graph.call("GET", "200000000000001/phone_numbers")).body)
    assert [number["id"] for number in listed["data"]] == [path]
    assert (await world.graph.call("POST", "200000000000001/subscribed_apps")).status == 200
