"""An application behind the real edge, and clients that knock on it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from litestar import Litestar
from litestar.di import Provide
from litestar.middleware import ASGIMiddleware
from litestar.types import ControllerRouterHandler

from app.core.db import Database, metadata
from app.core.http import (
    DEFAULT_BODY_BYTES,
    EXCEPTION_HANDLERS,
    RequestContext,
    RequestMetrics,
    SecurityHeaders,
    install_edge,
    refuse_nul,
)
from app.core.metrics import Metrics
from app.core.openapi import StructDocstrings, openapi_config

SECRET = "a secret of tests that is longer than thirty-two bytes"


def application(
    route_handlers: Sequence[ControllerRouterHandler],
    *,
    dependencies: Mapping[str, object] | None = None,
    middleware: Sequence[ASGIMiddleware] = (),
    metrics: Metrics | None = None,
    https: bool = False,
    further_types: Sequence[Any] = (),
) -> Litestar:
    app = Litestar(
        route_handlers,
        dependencies={name: _provide(value) for name, value in (dependencies or {}).items()},
        exception_handlers=EXCEPTION_HANDLERS,
        before_request=refuse_nul,
        middleware=list(middleware),
        openapi_config=openapi_config(version="1.2.3", public_url="https://desk.example", further_types=further_types),
        plugins=[StructDocstrings()],
        request_max_body_size=DEFAULT_BODY_BYTES,
        logging_config=None,
    )
    install_edge(app, [RequestContext(), RequestMetrics(metrics or Metrics()), SecurityHeaders(https=https)])
    return app


def _provide(value: object) -> Provide:
    async def give() -> Any:
        return value

    return Provide(give)


@contextlib.asynccontextmanager
async def knocking(
    app: Litestar, *, address: str = "127.0.0.1", token: str | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose requests seem to come from `address`."""
    transport = httpx.ASGITransport(app, client=(address, 4711))  # type: ignore[arg-type]  # Litestar types its scopes more narrowly
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.example", headers=headers) as client:
        yield client


@contextlib.asynccontextmanager
async def listening(app: Litestar, own: socket.socket | None = None) -> AsyncIterator[int]:
    """Serve the application on a free port of the loopback interface, or on a socket of one's own; yield the port."""
    with own or socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, log_config=None, access_log=False, ws="websockets-sansio", lifespan="off")
        server = _Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            async with asyncio.timeout(10):
                await server.has_started.wait()
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await task


class _Server(uvicorn.Server):
    """Says when it has started, and leaves signals to the test run."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.has_started = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.has_started.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def database_with_tables(url: str) -> AsyncIterator[Database]:
    async with Database(url) as database:
        async with database.write() as connection:
            await connection.run_sync(metadata.create_all)
        yield database


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'test.db'}"
