from uuid import UUID, uuid4

import pytest
from litestar import get
from litestar.params import FromPath
from litestar.response import Response

from app.core.errors import Forbidden
from app.core.log import current_correlation_id
from app.core.metrics import Metrics
from tests.core.http.door import application, knocking


@get("/who")
async def who() -> str:
    return str(current_correlation_id())


@get("/api/page")
async def page() -> str:
    return "x"


@get("/framed")
async def framed() -> Response[str]:
    return Response("x", headers={"X-Frame-Options": "SAMEORIGIN"})


@get("/items/{item:str}")
async def item(item: FromPath[str]) -> str:
    return item


@get("/broken")
async def broken() -> None:
    raise ValueError("broken")


async def test_the_callers_request_id_is_kept_and_returned() -> None:
    given = str(uuid4())
    async with knocking(application([who])) as client:
        response = await client.get("/who", headers={"X-Request-ID": given})
    assert response.headers["x-request-id"] == response.text == given


@pytest.mark.parametrize("given", ["", "42", "x" * 5000, "a b", "0192d5f0-0000-7000-8000-00000000000g"])
async def test_a_request_id_that_is_none_is_replaced(given: str) -> None:
    async with knocking(application([who])) as client:
        response = await client.get("/who", headers={"X-Request-ID": given})
    assert UUID(response.headers["x-request-id"]) == UUID(response.text)


async def test_the_correlation_id_ends_with_the_request() -> None:
    async with knocking(application([who])) as client:
        await client.get("/who")
    assert current_correlation_id() is None


@pytest.mark.parametrize("address", ["/who", "/nowhere", "/broken"])
async def test_every_answer_carries_the_security_headers(address: str) -> None:
    async with knocking(application([who, broken])) as client:
        headers = (await client.get(address)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "strict-transport-security" not in headers
    assert "x-request-id" in headers


async def test_answers_of_the_api_are_not_stored_anywhere() -> None:
    async with knocking(application([page, who])) as client:
        assert (await client.get("/api/page")).headers["cache-control"] == "no-store"
        assert (await client.get("/api/nowhere")).headers["cache-control"] == "no-store"
        assert "cache-control" not in (await client.get("/who")).headers


async def test_https_is_pinned_where_the_public_address_is_https() -> None:
    async with knocking(application([who], https=True)) as client:
        assert "max-age=" in (await client.get("/who")).headers["strict-transport-security"]


async def test_a_handlers_own_header_wins() -> None:
    async with knocking(application([framed])) as client:
        assert (await client.get("/framed")).headers.get_list("x-frame-options") == ["SAMEORIGIN"]


async def test_requests_are_counted_by_route_template_and_status() -> None:
    metrics = Metrics()
    async with knocking(application([item, broken], metrics=metrics)) as client:
        await client.get("/items/1")
        await client.get("/items/2")
        await client.get("/broken")
        await client.request("BREW", "/nowhere/at-all")

    def count(method: str, route: str, status: str) -> float | None:
        labels = {"method": method, "route": route, "status": status}
        return metrics.registry.get_sample_value("wa_http_request_duration_seconds_count", labels)

    assert count("GET", "/items/{item}", "200") == 2
    assert count("GET", "/broken", "500") == 1
    assert count("any", "unmatched", "404") == 1
    assert b"at-all" not in metrics.render()
    assert metrics.registry.get_sample_value("wa_http_requests_in_progress") == 0


async def test_forbidden_requests_are_counted() -> None:
    @get("/forbidden")
    async def forbidden() -> None:
        raise Forbidden("not you")

    metrics = Metrics()
    async with knocking(application([forbidden, who], metrics=metrics)) as client:
        await client.get("/forbidden")
        await client.get("/who")
    assert metrics.registry.get_sample_value("wa_authz_denied_total") == 1
