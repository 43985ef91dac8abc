import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from litestar.types import Receive, Scope, Send

from app.core.http.panel import Panel

AS_A_PAGE = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def _router(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": [(b"x-from", b"router")]})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>the panel</title>")
    (tmp_path / "assets" / "main-Ab12Cd34.js").write_text("go()" * 200)
    (tmp_path / "assets" / "boot.js").write_text("boot()")
    return tmp_path


@pytest.fixture
async def browser(built: Path) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=Panel(built)(_router))  # type: ignore[arg-type]  # Litestar's scope is the same
    async with httpx.AsyncClient(transport=transport, base_url="http://panel") as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/inbox", "/inbox/0190?view=mine", "/simulator", "/apiary"])
async def test_every_address_of_the_panel_is_its_page(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path, headers=AS_A_PAGE)

    assert (answer.status_code, answer.text) == (200, "<title>the panel</title>")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/nothing",
        "/webhooks/whatsapp",
        "/schema/openapi.json",
        "/healthz",
        "/metrics",
        "/simulator/control/x",
    ],
)
async def test_what_others_answer_is_left_to_them(browser: httpx.AsyncClient, path: str) -> None:
    assert (await browser.get(path, headers=AS_A_PAGE)).headers["x-from"] == "router"


async def test_a_program_that_asks_for_the_root_gets_the_page(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/", headers={"accept": "*/*"})).text == "<title>the panel</title>"


async def test_programs_and_other_methods_never_get_the_page(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/inbox", headers={"accept": "application/json"})).headers["x-from"] == "router"
    assert (await browser.post("/inbox", headers=AS_A_PAGE)).headers["x-from"] == "router"


async def test_a_file_that_is_named_after_its_content_is_kept_for_ever_and_others_are_asked_for(
    browser: httpx.AsyncClient,
) -> None:
    hashed = await browser.get("/assets/main-Ab12Cd34.js", headers={"accept-encoding": "gzip"})
    plain = await browser.get("/assets/boot.js")

    assert hashed.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (hashed.headers["content-encoding"], hashed.text) == ("gzip", "go()" * 200)
    assert plain.headers["cache-control"] == "no-cache"
    unchanged = await browser.get("/assets/boot.js", headers={"if-none-match": plain.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    ["/assets/none-12345678.js", "/assets/..%2findex.html", "/assets/%2e%2e/index.html", "/assets/", "/assets/a/b"],
)
async def test_a_missing_file_is_not_found_and_nothing_else_is_read(browser: httpx.AsyncClient, path: str) -> None:
    url = httpx.URL("http://panel").copy_with(raw_path=path.encode())

    answer = await browser.get(url, headers=AS_A_PAGE)

    assert (answer.status_code, answer.text) == (404, "Not found\n")


async def test_head_has_the_headers_alone(browser: httpx.AsyncClient) -> None:
    answer = await browser.head("/", headers=AS_A_PAGE | {"accept-encoding": "identity"})

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len("<title>the panel</title>"))


async def test_a_new_build_is_served_at_once(browser: httpx.AsyncClient, built: Path) -> None:
    await browser.get("/", headers=AS_A_PAGE)
    (built / "index.html").write_text("<title>newer</title>")
    os.utime(built / "index.html", (2e9, 2e9))

    assert (await browser.get("/", headers=AS_A_PAGE)).text == "<title>newer</title>"


async def test_where_it_is_not_built_the_page_says_what_to_do(browser: httpx.AsyncClient, built: Path) -> None:
    (built / "index.html").unlink()

    answer = await browser.get("/", headers=AS_A_PAGE)

    assert answer.status_code == 503
    assert "make ui" in answer.text


async def test_search_engines_are_asked_to_stay_away(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/robots.txt")).text == "User-agent: *\nDisallow: /\n"
