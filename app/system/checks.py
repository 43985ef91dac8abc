"""Is a process on this machine well? Asked from outside, by container health checks."""

from typing import cast

from app.core.db import Database
from app.core.http_client import HttpClient, HttpError
from app.system.heartbeat import check_process
from app.system.schemas import ProcessKind
from settings import Settings

_SECONDS = 5.0


async def process_is_well(settings: Settings, process: str) -> bool:
    """Ask the web process over HTTP; look for the heartbeat of the others in the database."""
    if process == "web":
        return await _web_is_well(settings)
    async with Database(settings.storage.database_url, pool_size=1) as database:
        return await check_process(database, cast("ProcessKind", process))


async def _web_is_well(settings: Settings) -> bool:
    server = settings.server
    host = "127.0.0.1" if server.host in ("0.0.0.0", "::") else server.host  # noqa: S104 - compared, not bound
    client = HttpClient()
    try:
        answer = await client.request("GET", f"http://{host}:{server.port}/readyz", timeout_seconds=_SECONDS)
    except HttpError:
        return False
    finally:
        await client.aclose()
    return answer.status == 200  # noqa: PLR2004 - HTTP OK
