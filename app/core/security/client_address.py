"""Who knocks: the client's own address, where proxies of ours stand between (ASVS 4.1.3).

Every proxy adds the address it was called from at the right end of `X-Forwarded-For`. What stands left of the first
hop that we do not trust was written by the client, and says nothing.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from functools import lru_cache

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

__all__ = ["ClientAddress", "TrustedProxies", "address_key"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_SCHEMES = {b"http": {"http": "http", "websocket": "ws"}, b"https": {"http": "https", "websocket": "wss"}}
_REMEMBERED = 4096  # addresses: reading one takes ten times as long as all the rest here
_SITE_BITS = 64  # one subscriber has at least this IPv6 network for himself


class TrustedProxies:
    """The networks our own proxies are in: addresses or CIDRs, such as `127.0.0.1` or `172.18.0.0/16`."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = tuple(ipaddress.ip_network(network, strict=False) for network in networks)
        self._is_ours = lru_cache(maxsize=_REMEMBERED)(self._is_in_networks)

    def trusts(self, host: str | None) -> bool:
        address = _parse(host or "")
        return address is not None and self._is_ours(address)

    def client_of(self, peer: str | None, forwarded: Iterable[bytes]) -> str | None:
        """Return the address of the client: the rightmost that is not one of our proxies.

        `peer` is the other end of the connection, `forwarded` the values of all `X-Forwarded-For` headers in their
        order. A hop that is no address ends the search: the proxy that wrote it is all we know.
        """
        found = _parse(peer or "")
        if found is None or not self._is_ours(found):
            return peer if found is None else str(found)
        for hop in reversed(b",".join(forwarded).split(b",")):
            address = _parse_hop(hop.decode("latin-1").strip())
            if address is None:
                break
            found = address
            if not self._is_ours(address):
                break
        return str(found)

    def _is_in_networks(self, address: Address) -> bool:
        return any(address.version == network.version and address in network for network in self._networks)


class ClientAddress(ASGIMiddleware):
    """Put the client's own address, and the scheme it used, where everybody looks for them: `scope["client"]`.

    Only what a trusted proxy says is believed. The port of a client behind a proxy is unknown (0).
    """

    scopes = (ScopeType.HTTP, ScopeType.WEBSOCKET)

    def __init__(self, trusted: Sequence[str]) -> None:
        self._proxies = TrustedProxies(trusted)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        peer = scope["client"]
        if peer is not None and self._proxies.trusts(peer[0]):
            headers = scope["headers"]
            client = self._proxies.client_of(peer[0], [value for name, value in headers if name == b"x-forwarded-for"])
            if client is not None and client != peer[0]:
                scope["client"] = (client, 0)
            schemes = [value.strip().lower() for name, value in headers if name == b"x-forwarded-proto"]
            if len(schemes) == 1 and schemes[0] in _SCHEMES:
                scope["scheme"] = _SCHEMES[schemes[0]][scope["type"]]
        await next_app(scope, receive, send)


@lru_cache(maxsize=_REMEMBERED)
def address_key(host: str | None) -> str:
    """Return what a limit by address counts: an IPv4 address, the /64 network of an IPv6 one, `unknown` for neither."""
    address = _parse(host or "")
    if address is None:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address.packed, _SITE_BITS), strict=False))
    return str(address)


@lru_cache(maxsize=_REMEMBERED)
def _parse(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # A socket for both families shows IPv4 clients as ::ffff:192.0.2.1.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _parse_hop(text: str) -> Address | None:
    """Read one hop: an address, with or without a port (`192.0.2.1:80`, `[2001:db8::1]:80`)."""
    if text.startswith("["):
        inside, bracket, _ = text[1:].partition("]")
        return _parse(inside) if bracket else None
    if text.count(":") == 1:
        text = text.partition(":")[0]
    return _parse(text)
