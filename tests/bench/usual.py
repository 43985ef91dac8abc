"""The usual way, for comparison: the same framework, and one ORM transaction a request.

`python -m tests.bench.usual PORT DATABASE_URL`.
"""

import hashlib
import hmac
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
import uvicorn
from litestar import Litestar, Request, get, post
from litestar.exceptions import NotAuthorizedException
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import registry

from app.core.ids import new_id
from app.core.memory import settle_memory
from app.whatsapp.models import inbound_events
from tests.bench.bodies import APP_SECRET, PATH


class InboundEvent:
    """A stored webhook, mapped to the product's own table."""

    def __init__(self, body: bytes) -> None:
        now = datetime.now(UTC)
        self.id = new_id()
        self.digest = hashlib.sha256(body).digest()
        self.body = body
        self.received_at = now
        self.state = "pending"
        self.due_at = now


def create_app(url: str) -> Litestar:
    sessions = _sessions(url)

    @post(PATH, status_code=200)
    async def receive(request: Request[Any, Any, Any]) -> None:
        body = await request.body()
        expected = "sha256=" + hmac.digest(APP_SECRET.encode(), body, "sha256").hex()
        if not hmac.compare_digest(request.headers.get("x-hub-signature-256", ""), expected):
            raise NotAuthorizedException
        async with sessions() as session:
            session.add(InboundEvent(body))
            await session.commit()

    @get("/readyz")
    async def readyz() -> str:
        return "ok"

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        settle_memory()
        yield

    return Litestar([receive, readyz], openapi_config=None, logging_config=None, lifespan=[lifespan])


def _sessions(url: str) -> async_sessionmaker[AsyncSession]:
    registry().map_imperatively(InboundEvent, inbound_events)
    if not url.startswith("sqlite:"):
        engine = create_async_engine("postgresql+asyncpg://" + url.split("://", 1)[1], pool_size=10, pool_timeout=60)
    else:
        engine = create_async_engine("sqlite+aiosqlite:" + url.split(":", 1)[1], pool_timeout=60)
        sa.event.listen(engine.sync_engine, "connect", _set_pragmas)
    return async_sessionmaker(engine)


def _set_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def main() -> None:
    uvicorn.run(create_app(sys.argv[2]), host="127.0.0.1", port=int(sys.argv[1]), http="httptools", log_level="warning")


if __name__ == "__main__":
    main()
