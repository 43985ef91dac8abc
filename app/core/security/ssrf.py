"""Addresses that a user can set may lead to the internet only, never to our own machines (ASVS 1.3.6, 15.3.2).

A name proves nothing until it is resolved, and may mean something else a moment later: so the client resolves, asks
here about every address found, and connects to one of those that were allowed. `OutsideRules` is what it asks.
Registries: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), read in November 2026.
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import SplitResult, urlsplit

from app.core.errors import InvalidInput

__all__ = ["OutsideRules", "UnsafeAddress", "is_on_the_internet"]

_NOT_THE_INTERNET_4: Final = tuple(
    ipaddress.IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata service is in it
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's host, a public address by its number only
        "169.254.0.0/16",  # link-local, and with it the metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # IETF protocol assignments; Oracle's metadata service is in it
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_THE_INTERNET_6: Final = ipaddress.IPv6Network("2000::/3")  # all that IANA has given out as global unicast
_NOT_THE_INTERNET_6: Final = tuple(
    ipaddress.IPv6Network(block)
    for block in (
        "2001::/23",  # IETF protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "3fff::/20",  # documentation
    )
)
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # how a host without IPv4 reaches it (RFC 6052)
_FOUR_BYTES: Final = 0xFFFFFFFF

# Numbers alone, in any of the spellings that inet_aton takes: 2130706433, 0177.0.0.1, 0x7f.1, 127.1.
_NUMERIC = re.compile(r"(?:0[xX][0-9a-fA-F]*|\d+)(?:\.(?:0[xX][0-9a-fA-F]*|\d+))*\.?")
_PLAIN_URL = re.compile(r"[!#-;=?-\[\]_a-z~]+")  # RFC 3986, so that every parser reads the same out of it
_LONGEST_URL: Final = 2048
_PORTS: Final = {"http": 80, "https": 443}
_LOCAL_SUFFIXES: Final = (".localhost", ".local", ".internal", ".intranet", ".lan", ".home.arpa")


class UnsafeAddress(InvalidInput):
    """The URL may not be used here: it does not lead to the public internet, or is written in a way nobody needs."""

    code = "unsafe_address"


class OutsideRules:
    """What may be called when a user says where: http and https, at names or public addresses, on these `ports`."""

    def __init__(self, *, ports: Iterable[int] = (80, 443)) -> None:
        self._ports = frozenset(ports)

    def allows_address(self, address: str) -> bool:
        """Tell whether a connection may be made to this resolved address."""
        return is_on_the_internet(address)

    def allows_target(self, scheme: str, host: str, port: int | None, *, userinfo: bool) -> bool:
        """Tell whether a request may be made for this URL, whose host has yet to be resolved."""
        return self._fault(scheme, host, port, userinfo=userinfo) is None

    def check_url(self, url: str, *, field: str | None = None) -> str:
        """Return `url` if it may be stored for later use. Nothing is resolved: that happens at each use.

        Raises `UnsafeAddress`, naming `field`.
        """
        parts = _split(url)
        if parts is None:
            raise UnsafeAddress(
                "this is not an address that can be called: write one such as https://example.com/hook", field
            )
        fault = self._fault(parts.scheme, parts.hostname or "", parts.port, userinfo="@" in parts.netloc)
        if fault is not None:
            raise UnsafeAddress(fault, field)
        return url

    def _fault(self, scheme: str, host: str, port: int | None, *, userinfo: bool) -> str | None:
        if scheme not in _PORTS:
            return "only http:// and https:// addresses can be called"
        if userinfo:
            return "an address may not hold a user name or a password"
        if (_PORTS[scheme] if port is None else port) not in self._ports:
            return f"only these ports can be called: {', '.join(map(str, sorted(self._ports)))}"
        return _host_fault(host)


def is_on_the_internet(address: str) -> bool:
    """Tell whether `address`, as a resolver writes it, belongs to the public internet. Anything unreadable does not."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in block for block in _NOT_THE_INTERNET_4)
    if parsed.scope_id is not None:
        return False
    embedded = _embedded(parsed)
    if embedded is not None:
        return is_on_the_internet(str(embedded))
    return parsed in _THE_INTERNET_6 and not any(parsed in block for block in _NOT_THE_INTERNET_6)


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that packets to this one really go to. Tunnels (6to4, Teredo) are never needed."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & _FOUR_BYTES)
    return address.ipv4_mapped


def _host_fault(host: str) -> str | None:
    name = host.strip("[]").rstrip(".").lower()
    try:
        ipaddress.ip_address(name)
    except ValueError:
        pass
    else:
        return None if is_on_the_internet(name) else "this address is not on the public internet"
    if not name or ":" in name or _NUMERIC.fullmatch(name):
        return "this address is written in a form that is not used here: write a name such as example.com"
    if "." not in name or name.endswith(_LOCAL_SUFFIXES):
        return "this name is not on the public internet"
    return None


def _split(url: str) -> SplitResult | None:
    """Return the parts of a URL that can be read in one way only."""
    if len(url) > _LONGEST_URL or not _PLAIN_URL.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.hostname else None
