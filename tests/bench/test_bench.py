"""That the benchmark runs and its figures are whole. How fast anything is, no test says."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.bench import doors
from tests.bench.figures import Report, percentile
from tests.bench.http_wire import answer, post, take
from tests.bench.processes import ROOT


@pytest.mark.timeout(180)
@pytest.mark.xdist_group("bench")
def test_the_benchmark_measures_every_part_on_sqlite_and_leaves_no_process(tmp_path: Path) -> None:
    figures = tmp_path / "bench.json"
    options = ["--quick", "--only", "sqlite", "--seconds", "0.3", "--json", str(figures)]
    environ = {**os.environ, "TMPDIR": str(tmp_path)}

    done = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-m", "tests.bench", *options],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    (store,) = msgspec.json.decode(figures.read_bytes(), type=Report).stores
    assert [door.name for door in store.doors] == [doors.FLOOR, doors.DOOR, doors.WHOLE, doors.USUAL]
    assert all(door.requests > 0 and door.refused == 0 for door in store.doors)
    assert len(store.journeys) == 2
    for journey in store.journeys:
        assert (journey.answered, journey.lost, journey.doubled) == (journey.sent, 0, 0)
        assert journey.unexpected == journey.refused_webhooks == 0
        assert 0 < journey.p50_ms <= journey.p95_ms <= journey.p99_ms
        assert journey.cpu_ms["web"] > 0
    assert store.stages is not None
    assert {"door", "ingest", "answer", "deliver", "statuses", "relay"} <= store.stages.cpu_ms.keys()
    assert all(process.idle_rss_mib >= process.idle_pss_mib > 0 for process in store.processes)
    assert len(store.inbox) > 10
    assert all(asked.requests > 0 and 0 < asked.p50_ms <= asked.p95_ms for asked in store.inbox)
    assert "of floor" in done.stdout
    assert not running_below(tmp_path)


def test_messages_are_told_apart_however_the_bytes_arrive() -> None:
    stream = post("/a", b"one", {"x": "y"}) + answer(b"") + b"HTTP/1.1 200 OK\r\nContent-Len"

    first = take(stream)
    assert first is not None
    second = take(first[2])
    assert second is not None

    assert first[1] == b"one"
    assert second[:2] == (answer(b"")[:-4], b"")
    assert take(second[2]) is None
    assert take(post("/a", b"one", {})[:-1]) is None


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 3.0
    assert percentile([1.0, 2.0], 0.99) == 2.0
    assert percentile([], 0.5) == 0.0


def running_below(directory: Path) -> list[str]:
    """Return the processes whose environment names the directory: the product's have their data there."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environ, command = (process / "environ").read_bytes(), (process / "cmdline").read_bytes()
        except OSError:
            continue  # gone, or somebody else's
        if f"DATA_DIR={directory}".encode() in environ:
            found.append(command.decode(errors="replace"))
    return found
