"""The report as one table of text."""

from collections.abc import Iterator, Sequence

from tests.bench.figures import (
    DoorFigures,
    InboxFigures,
    JourneyFigures,
    ProcessFigures,
    Report,
    StageFigures,
    StoreFigures,
)


def render(report: Report) -> str:
    machine = f"{report.cores} cores, Python {report.python}, load average before {report.load_average_before:.1f}"
    loop = f"the same loop took {report.loop_ms[0]:.0f} ms before and {report.loop_ms[1]:.0f} ms after"
    plan = f"windows of {report.window_seconds:g} s, {report.statuses_a_message} status webhooks a message"
    lines = [f"Mostrador {report.version}, {report.started_at}: {machine}, {loop}; {plan}"]
    for store in report.stores:
        lines += ["", f"== {store.servers}", *_store(store)]
    return "\n".join(lines)


def _store(store: StoreFigures) -> Iterator[str]:
    yield from _message_path(store)
    if store.inbox:
        yield from _columns("inbox and search, one request at a time", ["requests", "p50 ms", "p95 ms", "CPU ms"])
        for question in store.inbox:
            yield _row(question.name, _question(question))
        yield ""
    if store.processes:
        yield from _columns("processes", ["start s", "first s", "RSS MiB", "PSS MiB", "loaded"])
        for process in store.processes:
            yield _row(process.name, _process(process))


def _message_path(store: StoreFigures) -> Iterator[str]:
    if store.doors:
        yield from _columns(
            "webhooks, 100 connections", ["req/s", "of floor", "p50 ms", "p99 ms", "CPU ms", "pg ms", "refused"]
        )
        for door in store.doors:
            yield _row(door.name, _door(door))
        yield ""
    if store.journeys:
        yield from _columns(
            "messages, webhook to reply", ["msg/s", "p50 ms", "p95 ms", "p99 ms", "lost", "doubled", "odd"]
        )
        for journey in store.journeys:
            yield _row(journey.name, _journey(journey))
        for journey in store.journeys:
            cost = ", ".join(f"{name} {milliseconds:.2f}" for name, milliseconds in journey.cpu_ms.items())
            yield f"  CPU ms a message, {journey.name}: {cost}"
        yield ""
    if store.stages is not None:
        yield from _stages(store.stages)


def _stages(stages: StageFigures) -> Iterator[str]:
    yield f"  CPU ms a message by stage, at {stages.per_second:.0f}/s"
    for name, milliseconds in stages.cpu_ms.items():
        if milliseconds >= 0.005:
            yield f"    {name:<34}{milliseconds:8.3f}"
    yield ""


def _columns(title: str, names: Sequence[str]) -> Iterator[str]:
    yield _row(title, names)


def _row(name: str, cells: Sequence[str]) -> str:
    return f"  {name:<44}" + "".join(f"{cell:>10}" for cell in cells)


def _door(door: DoorFigures) -> list[str]:
    return [
        f"{door.per_second:.0f}",
        f"{door.ratio_to_floor:.0%}",
        f"{door.p50_ms:.1f}",
        f"{door.p99_ms:.1f}",
        f"{door.cpu_ms:.3f}",
        "-" if door.postgresql_cpu_ms is None else f"{door.postgresql_cpu_ms:.3f}",
        str(door.refused),
    ]


def _journey(journey: JourneyFigures) -> list[str]:
    return [
        f"{journey.per_second:.0f}",
        f"{journey.p50_ms:.1f}",
        f"{journey.p95_ms:.1f}",
        f"{journey.p99_ms:.1f}",
        str(journey.lost),
        str(journey.doubled),
        str(journey.unexpected + journey.refused_webhooks),
    ]


def _question(question: InboxFigures) -> list[str]:
    return [
        str(question.requests),
        f"{question.p50_ms:.1f}",
        f"{question.p95_ms:.1f}",
        f"{question.cpu_ms:.1f}",
    ]


def _process(process: ProcessFigures) -> list[str]:
    return [
        "-" if process.start_seconds is None else f"{process.start_seconds:.2f}",
        "-" if process.first_start_seconds is None else f"{process.first_start_seconds:.2f}",
        f"{process.idle_rss_mib:.0f}",
        f"{process.idle_pss_mib:.0f}",
        f"{process.after_load_rss_mib:.0f}",
    ]
