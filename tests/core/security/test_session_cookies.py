import pytest

from app.core.security.session_cookies import CrossSiteRequest, SessionCookies
from tests.core.security.scopes import http_scope

BEHIND_TLS = SessionCookies("https://desk.example")
PLAIN = SessionCookies("http://127.0.0.1:8003")


def given(cookies: SessionCookies) -> list[str]:
    both = cookies.give(access_token="a.b.c", access_seconds=600, refresh_token="r", refresh_seconds=86400)
    return [cookie.to_header(header="") for cookie in both]


def test_behind_tls_the_browser_itself_guards_the_cookies() -> None:
    access, refresh = given(BEHIND_TLS)
    assert access == "__Host-mostrador_access=a.b.c; HttpOnly; Max-Age=600; Path=/; SameSite=lax; Secure"
    assert refresh == "__Host-mostrador_refresh=r; HttpOnly; Max-Age=86400; Path=/; SameSite=strict; Secure"


def test_on_plain_http_the_cookies_are_such_as_every_browser_stores() -> None:
    access, refresh = given(PLAIN)
    assert access == "mostrador_access=a.b.c; HttpOnly; Max-Age=600; Path=/; SameSite=lax"
    assert refresh == "mostrador_refresh=r; HttpOnly; Max-Age=86400; Path=/; SameSite=strict"


def test_cookies_are_read_by_their_exact_names() -> None:
    scope = http_scope(cookie="mostrador_access=plain; x=1; __Host-mostrador_access=good; __Host-mostrador_refresh=too")
    assert BEHIND_TLS.access_token(scope) == "good"
    assert BEHIND_TLS.refresh_token(scope) == "too"
    assert PLAIN.access_token(scope) == "plain"
    assert PLAIN.refresh_token(scope) is None
    assert BEHIND_TLS.access_token(http_scope()) is None


ORIGINS = {
    "https://desk.example": True,
    "https://DESK.example": False,
    "http://desk.example": False,
    "https://desk.example:8443": False,
    "https://deskXexample": False,
    "https://evil-desk.example": False,
    "https://desk.example.evil": False,
    "https://sub.desk.example": False,
    "https://desk.example@evil.example": False,
    "null": False,
    "file://": False,
    "": False,
}


@pytest.mark.parametrize(("origin", "own"), ORIGINS.items())
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_change_must_come_from_the_panels_own_origin(method: str, origin: str, own: bool) -> None:
    scope = http_scope(method, origin=origin, x_requested_with="panel", host="desk.example")
    if own:
        BEHIND_TLS.check_origin(scope)
    else:
        with pytest.raises(CrossSiteRequest):
            BEHIND_TLS.check_origin(scope)


def test_a_change_needs_the_header_that_other_sites_cannot_send() -> None:
    with pytest.raises(CrossSiteRequest):
        BEHIND_TLS.check_origin(http_scope("POST", origin="https://desk.example", host="desk.example"))


def test_a_change_without_an_origin_is_refused() -> None:
    with pytest.raises(CrossSiteRequest):
        BEHIND_TLS.check_origin(http_scope("POST", x_requested_with="panel", host="desk.example"))


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_needs_no_proof(method: str) -> None:
    BEHIND_TLS.check_origin(http_scope(method))


def test_a_panel_opened_by_another_name_of_this_machine_works() -> None:
    scope = http_scope("POST", origin="http://localhost:8003", x_requested_with="panel", host="localhost:8003")
    PLAIN.check_origin(scope)
    with pytest.raises(CrossSiteRequest):
        PLAIN.check_origin(
            http_scope("POST", origin="http://localhost:9999", x_requested_with="panel", host="localhost:8003")
        )
