"""Fetching the files that people send, in the background."""

import asyncio
import time
from functools import partial
from pathlib import Path

import msgspec
import structlog

from app.core.db import Database
from app.core.jobs import Job
from app.core.queue.schedule import Schedule
from app.whatsapp.channels import ChannelNotFound, Channels
from app.whatsapp.errors import CallRefused, CallUnavailable, MediaRefused, MediaUnavailable
from app.whatsapp.graph import GraphClient
from app.whatsapp.media_store import (
    MOST_CLAIMS,
    DueMedia,
    NotNow,
    Outcome,
    Refused,
    Stored,
    claim_due,
    conclude,
    keep,
    new_partial,
)
from app.whatsapp.transport import ChannelAccess

log = structlog.get_logger()

FETCH_MEDIA = "fetch_media"

# A new file starts the job at once; the schedule finds what nobody was told of, and what is due again.
SCHEDULES = (Schedule(name=FETCH_MEDIA, every_seconds=60),)

_AT_ONCE = 8
_DOWNLOAD_SECONDS = 100.0
_ATTEMPT_SECONDS = 120.0  # asking for the address included; the lease is longer
_RUN_SECONDS = 300.0  # no new claims after that: the job must end within its time
_JOB_SECONDS = 600
_NEVER_RIGHT = frozenset({"too_large", "corrupt"})


class JobContext(msgspec.Struct, frozen=True, kw_only=True):
    """What the jobs of this package work with. `media_dir` is DATA_DIR/media, made when first needed."""

    database: Database
    channels: Channels
    graph: GraphClient
    media_dir: Path


def jobs(context: JobContext) -> list[Job]:
    return [
        Job(
            name=FETCH_MEDIA,
            run=partial(fetch_media, context),
            queue="media",
            timeout_seconds=_JOB_SECONDS,
            retries=3,
            ttl_seconds=3600,
            retry_delay_seconds=5,
        )
    ]


async def fetch_media(context: JobContext) -> None:
    """Fetch every file that is due, several at once. May run any number of times at the same time."""
    ends_at = time.monotonic() + _RUN_SECONDS
    while time.monotonic() < ends_at:
        async with context.database.write() as connection:
            due = await claim_due(connection, _AT_ONCE)
        if not due:
            return
        async with asyncio.TaskGroup() as group:
            for file in due:
                group.create_task(_fetch(context, file))


async def _fetch(context: JobContext, file: DueMedia) -> None:
    if file.claims > MOST_CLAIMS:
        outcome: Outcome = NotNow(f"given up after {MOST_CLAIMS} attempts that ended without an outcome")
    else:
        outcome = await _attempt(context, file)
    async with context.database.write() as connection:
        ours = await conclude(connection, file, outcome)
    if not ours and isinstance(outcome, Stored):
        await asyncio.to_thread((context.media_dir / outcome.name).unlink, missing_ok=True)
    reason = None if isinstance(outcome, Stored) else outcome.reason
    log.info(
        "media.concluded",
        media_id=str(file.id),
        outcome=type(outcome).__name__,
        reason=reason,
        ours=ours,
        claim=file.claims,
    )


async def _attempt(context: JobContext, file: DueMedia) -> Outcome:
    """Say what became of one attempt; every way in which it can fail is an outcome."""
    try:
        channel = await context.channels.get(file.channel_id)
        if channel.access is None:
            return NotNow("the channel's secrets cannot be read")
        async with asyncio.timeout(_ATTEMPT_SECONDS):
            return await _download(context, channel.access, file)
    except MediaUnavailable as error:
        return Refused(str(error)) if error.reason in _NEVER_RIGHT else NotNow(str(error))
    except MediaRefused as error:
        return Refused(str(error))
    except CallUnavailable as error:
        return NotNow(str(error), error.retry_after_seconds or 0)
    except (CallRefused, ChannelNotFound) as error:
        return NotNow(str(error))  # a token or a channel may be mended within the hours that we keep trying
    except TimeoutError:
        return NotNow(f"the file did not arrive within {_ATTEMPT_SECONDS:.0f} seconds")
    except OSError as error:
        log.exception("media.disk_failed", media_id=str(file.id))
        return NotNow(f"the file cannot be written to DATA_DIR/media: {error.strerror}")


async def _download(context: JobContext, access: ChannelAccess, file: DueMedia) -> Stored:
    sink = await asyncio.to_thread(new_partial, context.media_dir)
    try:
        fetched = await context.graph.download_media(
            access, file.provider_id, sink, max_bytes=file.most_bytes, timeout_seconds=_DOWNLOAD_SECONDS
        )
        return await asyncio.to_thread(keep, file, sink, sha256=fetched.sha256, mime_type=fetched.mime_type)
    finally:
        await asyncio.to_thread(sink.unlink, missing_ok=True)
