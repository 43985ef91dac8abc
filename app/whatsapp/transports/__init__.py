"""One file for each way to reach WhatsApp, and the list of them."""

from collections.abc import Callable

from app.core.db import Database
from app.core.http_client import HttpClient
from app.core.wake import Wake
from app.whatsapp.graph import GraphClient
from app.whatsapp.transport import Transport
from app.whatsapp.transports.cloud import CloudTransport
from app.whatsapp.transports.web import WebTransport

__all__ = ["TRANSPORTS", "build_transports"]

TRANSPORTS: dict[str, Callable[[HttpClient, Database, Wake], Transport]] = {
    "cloud": lambda http, _database, _wake: CloudTransport(GraphClient(http)),
    "web": lambda _http, database, wake: WebTransport(database, wake),
}
"""How to make the transport for each kind of channel."""


def build_transports(http: HttpClient, database: Database, wake: Wake) -> dict[str, Transport]:
    """Return every transport by the channel kind it serves, all over one pool of connections."""
    return {kind: build(http, database, wake) for kind, build in TRANSPORTS.items()}
