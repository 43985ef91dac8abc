"""One file for each way to reach WhatsApp, and the list of them."""

from collections.abc import Callable

from app.core.http_client import HttpClient
from app.whatsapp.graph import GraphClient
from app.whatsapp.transport import Transport
from app.whatsapp.transports.cloud import CloudTransport

__all__ = ["TRANSPORTS", "build_transports"]

TRANSPORTS: dict[str, Callable[[HttpClient], Transport]] = {
    "cloud": lambda http: CloudTransport(GraphClient(http)),
}
"""How to make the transport for each kind of channel."""


def build_transports(http: HttpClient) -> dict[str, Transport]:
    """Return every transport by the channel kind it serves, all over one pool of connections."""
    return {kind: build(http) for kind, build in TRANSPORTS.items()}
