"""SAQ's queue over Redis, with the client settings that blocking pops need."""

from typing import Any

import msgspec
from redis.asyncio import Redis
from saq.queue.redis import RedisQueue

__all__ = ["redis_queue"]


def redis_queue(url: str, name: str) -> RedisQueue:
    """Return the queue `name` on the Redis server at `url`; the two are not connected yet."""
    client = Redis.from_url(
        url,
        socket_timeout=None,  # a pop waits for as long as there is nothing; the worker limits it from outside
        socket_connect_timeout=5,
        socket_keepalive=True,
    )
    return RedisQueue(client, name=name, dump=msgspec.json.encode, load=_load)


def _load(stored: str | bytes) -> dict[str, Any]:
    return msgspec.json.decode(stored, type=dict[str, Any])
