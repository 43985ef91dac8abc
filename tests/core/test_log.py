import io
import json
import logging
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
import structlog

from app.core.log import REDACTED, LogFormat, configure_logging, correlation, current_correlation_id


class Log:
    def __init__(self) -> None:
        self.stream = io.StringIO()

    def start(self, log_format: LogFormat = "json", level: str = "info") -> None:
        configure_logging(log_format=log_format, level=level, stream=self.stream)

    @property
    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def log() -> Iterator[Log]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Log()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_an_event_is_one_json_line_in_utc(log: Log) -> None:
    log.start()
    structlog.get_logger("app.outbound").info("outbound.sent", message_id="m1")
    [line] = log.lines
    assert line["event"] == "outbound.sent"
    assert line["message_id"] == "m1"
    assert line["level"] == "info"
    assert str(line["timestamp"]).endswith("Z")


def test_the_correlation_id_is_on_every_line_of_its_work(log: Log) -> None:
    log.start()
    given = uuid4()
    with correlation(given) as bound:
        assert bound == current_correlation_id() == given
        structlog.get_logger().info("inside")
        logging.getLogger("some.library").warning("a library's line")
    structlog.get_logger().info("outside")
    inside, library, outside = log.lines
    assert inside["correlation_id"] == library["correlation_id"] == str(given)
    assert "correlation_id" not in outside
    assert current_correlation_id() is None


def test_work_without_an_id_gets_one() -> None:
    with correlation() as bound:
        assert isinstance(bound, UUID)


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "admin_password",
        "access_token",
        "Authorization",
        "X-Api-Key",
        "api_key",
        "secret",
        "app_secret",
        "cookie",
        "phone",
        "wa_id",
        "customer_phone",
        "signature",
    ],
)
@pytest.mark.parametrize("log_format", ["json", "console"])
def test_values_under_secret_names_never_reach_the_log(log: Log, name: str, log_format: LogFormat) -> None:
    log.start(log_format)
    logger = structlog.get_logger()
    logger.info("event", **{name: "canary-1"}, headers={name: "canary-2"}, rows=[{"deep": {name: "canary-3"}}])
    assert "canary" not in log.stream.getvalue()
    assert log.stream.getvalue().count(REDACTED) == 3


def test_counts_of_tokens_stay_readable(log: Log) -> None:
    log.start()
    structlog.get_logger().info("llm.answered", input_tokens=12, tokens=14, token_count=3)
    assert REDACTED not in log.stream.getvalue()


def test_a_traceback_names_the_error_and_shows_no_local_variables(log: Log) -> None:
    def fail() -> None:
        local = "canary"
        raise ValueError(len(local))

    for log_format in ("json", "console"):
        log.start(log_format)
        try:
            fail()
        except ValueError:
            structlog.get_logger().exception("failed")
    assert "ValueError: 6" in log.stream.getvalue()
    assert "= 'canary'" not in log.stream.getvalue()


def test_lines_below_the_level_and_chatty_libraries_are_silent(log: Log) -> None:
    log.start(level="info")
    structlog.get_logger().debug("debugging")
    for name in ("saq", "httpx", "uvicorn.access"):
        logging.getLogger(name).info("chatter of %s", name)
    logging.getLogger("saq").warning("worth saying")
    assert [line["event"] for line in log.lines] == ["worth saying"]


def test_configuring_again_replaces_the_first(log: Log) -> None:
    log.start()
    log.start()
    structlog.get_logger().info("once")
    assert len(log.lines) == 1
