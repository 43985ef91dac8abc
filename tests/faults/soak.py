"""How a process grows while it works: memory, descriptors, threads, tasks, database connections."""

import re
from pathlib import Path

import msgspec

from tests.builders.journeys import Journey


class Sample(msgspec.Struct, frozen=True):
    rss_mib: float
    descriptors: int
    threads: int
    tasks: int
    connections: int


async def sample(journey: Journey, pid: int) -> Sample:
    """Look at the web process: its kernel's figures, and what it says of itself."""
    rss_mib, threads, descriptors = _of_the_kernel(pid)
    answer = await journey.http.request("GET", f"{journey.house.url}/metrics", timeout_seconds=10)
    tasks = re.search(rb"^wa_event_loop_tasks (\d+)", answer.body, re.MULTILINE)
    in_use = re.search(rb"^wa_database_connections_in_use (\d+)", answer.body, re.MULTILINE)
    return Sample(
        rss_mib=rss_mib,
        descriptors=descriptors,
        threads=threads,
        tasks=int(tasks[1]) if tasks else -1,
        connections=int(in_use[1]) if in_use else -1,
    )


def _of_the_kernel(pid: int) -> tuple[float, int, int]:
    """Return memory in MiB, threads and open descriptors."""
    lines = (line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    said = {words[0]: int(words[1]) for words in lines if words[0] in ("VmRSS:", "Threads:")}
    return said["VmRSS:"] / 1024, said["Threads:"], len(list(Path(f"/proc/{pid}/fd").iterdir()))


def slope_a_minute(samples: list[Sample], every_seconds: float) -> float:
    """MiB of memory a minute: the line of least squares through the samples."""
    count = len(samples)
    middle = (count - 1) / 2
    mean = sum(one.rss_mib for one in samples) / count
    above = sum((place - middle) * (one.rss_mib - mean) for place, one in enumerate(samples))
    below = sum((place - middle) ** 2 for place in range(count))
    return above / below * 60 / every_seconds
