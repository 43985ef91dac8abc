"""The panel's cookies, and proof that a request which carries them was made by the panel itself."""

from typing import Final, Literal
from urllib.parse import urlsplit

from litestar.datastructures import Cookie
from litestar.types import Scope

from app.core.errors import Forbidden

# A page of another site cannot add a header of its own without asking first (CORS), and is then refused.
PROOF_HEADER: Final = "x-requested-with"

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class CrossSiteRequest(Forbidden):
    """A request with the panel's cookie does not show that the panel made it (ASVS 3.5)."""

    code = "cross_site_request"


class SessionCookies:
    """Names, writes and reads the two cookies of a browser's session.

    Behind https they are `__Host-` and Secure (RFC 6265bis 4.1.3.2). On plain http, which settings allow only outside
    production, they are neither: browsers disagree about Secure cookies even on http://localhost, and do not store
    them from another machine (https://github.com/httpwg/http-extensions/issues/2605).

    `public_url` is the address the panel is served at.
    """

    def __init__(self, public_url: str) -> None:
        parts = urlsplit(public_url)
        self._scheme = parts.scheme
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._secure = parts.scheme == "https"
        prefix = "__Host-" if self._secure else ""
        self.access_name = f"{prefix}mostrador_access"
        self.refresh_name = f"{prefix}mostrador_refresh"

    def give(self, *, access_token: str, access_seconds: int, refresh_token: str, refresh_seconds: int) -> list[Cookie]:
        """Return both cookies of a session; each ends with what it holds."""
        # An address opened from elsewhere (a mail, a sign-in at a calendar's provider) may use the session, so Lax;
        # nobody needs the refresh token then, so Strict.
        return [
            self._cookie(self.access_name, access_token, access_seconds, "lax"),
            self._cookie(self.refresh_name, refresh_token, refresh_seconds, "strict"),
        ]

    def take_back(self) -> list[Cookie]:
        """Return what makes a browser forget both."""
        return [self._cookie(self.access_name, "", 0, "lax"), self._cookie(self.refresh_name, "", 0, "strict")]

    def access_token(self, scope: Scope) -> str | None:
        return _cookie(scope, self.access_name)

    def refresh_token(self, scope: Scope) -> str | None:
        return _cookie(scope, self.refresh_name)

    def is_own_origin(self, origin: str | None, host: str) -> bool:
        """Tell whether `origin` is the panel's: at the public address, or at the very host this was sent to.

        The second cannot be forged by a page: a browser sets both headers, and gives a cookie to its own host only.
        """
        if origin is None:
            return False
        if origin == self._origin:
            return True
        return host != "" and origin == f"{self._scheme}://{host.lower()}"

    def check_origin(self, scope: Scope) -> None:
        """Refuse what would change something and does not show that the panel asked for it.

        Raises `CrossSiteRequest`.
        """
        if str(scope["type"]) == "websocket":  # which no rule keeps other sites from opening, with our cookies
            self._check_own_origin(scope)
        elif str(scope.get("method")) not in _SAFE_METHODS:
            self.check_panel(scope)

    def check_panel(self, scope: Scope) -> None:
        """Refuse a request without the panel's header or from another origin, whatever its method.

        Raises `CrossSiteRequest`.
        """
        if not _header(scope, PROOF_HEADER):
            raise CrossSiteRequest(f"a request with cookies needs the header {PROOF_HEADER}")
        self._check_own_origin(scope)

    def _check_own_origin(self, scope: Scope) -> None:
        if not self.is_own_origin(_header(scope, "origin"), _header(scope, "host") or ""):
            raise CrossSiteRequest("a request with cookies must come from the panel's own origin")

    def _cookie(self, name: str, value: str, seconds: int, same_site: Literal["lax", "strict"]) -> Cookie:
        return Cookie(
            key=name,
            value=value,
            path="/",
            max_age=seconds,
            secure=self._secure,
            httponly=True,
            samesite=same_site,
        )


def _header(scope: Scope, name: str) -> str | None:
    wanted = name.encode()
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == wanted), None)


def _cookie(scope: Scope, name: str) -> str | None:
    for key, value in scope["headers"]:
        if key == b"cookie":
            for pair in value.decode("latin-1").split(";"):
                given, _, content = pair.strip().partition("=")
                if given == name and content:
                    return content
    return None
