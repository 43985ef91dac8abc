"""Who may read `/metrics`."""

import hmac
import ipaddress

from app.core.errors import Forbidden
from app.core.security.guards import Authenticator
from app.core.security.tokens import InvalidToken


class MetricsDoor:
    """Lets in whoever brings the metrics token, an admin's access token or an API key that may read metrics.

    Without a metrics token configured, programs on this very machine may read too, unless a proxy passed them on.
    """

    def __init__(self, authenticator: Authenticator, *, metrics_token: str | None) -> None:
        self._authenticator = authenticator
        self._metrics_token = metrics_token

    async def admit(self, *, bearer: str | None, client_host: str | None, proxied: bool) -> None:
        """Check one request: its bearer token, its peer's address, and whether a proxy stands between.

        Raises `InvalidToken` and `Forbidden`.
        """
        if bearer is None:
            if self._metrics_token is None and not proxied and _is_loopback(client_host):
                return
            raise InvalidToken("metrics need the metrics token or an admin's access token")
        if self._metrics_token is not None and hmac.compare_digest(bearer.encode(), self._metrics_token.encode()):
            return
        access = await self._authenticator.authenticate(bearer)
        if not access.actor.may("metrics:read"):
            raise Forbidden("metrics are for admins")


def _is_loopback(host: str | None) -> bool:
    try:
        return host is not None and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
