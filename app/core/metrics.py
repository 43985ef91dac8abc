"""What an operator can measure: one registry a process, names as Prometheus wants them, labels of few values."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

__all__ = ["CONTENT_TYPE_LATEST", "Metrics", "loop_lag_probe", "metrics_port"]

_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_WEBHOOK_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_TURN_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 8, 15, 30, 60, 120)
_MODEL_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60)
_LAG_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)


class Metrics:
    """Every metric of one process. Labels never hold phone numbers, message ids or names of people.

    Ages and backlogs (`oldest_pending_age_seconds`, `pending`, `dead_letters`, `outbox_*`) are set from the database
    when `/metrics` is asked; all others count what this process did.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._arrivals()
        self._backlog()
        self._answers()
        self._sends()
        self._models()
        self._workers()
        self._trust()
        self._http()

    def render(self) -> bytes:
        """Return the registry in the Prometheus text format (`CONTENT_TYPE_LATEST`)."""
        return generate_latest(self.registry)

    def _arrivals(self) -> None:
        self.webhook_requests = self._counter(
            "webhook_requests",
            "Webhook requests by outcome: stored, duplicate, bad_signature, unavailable.",
            "outcome",
        )
        self.webhook_duration = self._histogram(
            "webhook_duration_seconds", "Time from a webhook's first byte to its answer.", _WEBHOOK_SECONDS
        )
        self.webhook_last_success = self._gauge(
            "webhook_last_success_timestamp_seconds", "Unix time of the last webhook that was stored."
        )

    def _backlog(self) -> None:
        self.oldest_pending_age = self._gauge(
            "oldest_pending_age_seconds", "Age of the oldest work that waits, by stage: inbox, turn, outbox.", "stage"
        )
        self.pending = self._gauge("pending", "Rows that wait, by stage: inbox, turn, outbox.", "stage")
        self.dead_letters = self._gauge("dead_letters", "Work given up after its last try, by kind.", "kind")
        self.outbox_unknown = self._gauge("outbox_unknown", "Messages that may have been sent; WhatsApp has not said.")
        self.outbox_needs_operator = self._gauge(
            "outbox_needs_operator", "Unconfirmed messages that wait for a person's decision."
        )

    def _answers(self) -> None:
        self.turn_duration = self._histogram(
            "turn_duration_seconds",
            "Time from the stored webhook to the reply WhatsApp accepted.",
            _TURN_SECONDS,
            "outcome",
        )
        self.turn_stage = self._histogram(
            "turn_stage_seconds",
            "The same time by stage: queue (the quiet wait included), llm, send.",
            _TURN_SECONDS,
            "stage",
        )

    def _sends(self) -> None:
        self.send = self._counter(
            "send",
            "Attempts to send, by transport, outcome and class of the error code.",
            "provider",
            "outcome",
            "code_class",
        )
        self.send_ratelimited = self._counter(
            "send_ratelimited", "Sends held back by a limit, by scope: pair, number, account.", "scope"
        )

    def _models(self) -> None:
        self.llm_request_duration = self._histogram(
            "llm_request_duration_seconds",
            "Duration of one model call.",
            _MODEL_SECONDS,
            "provider",
            "model",
            "outcome",
        )
        self.llm_tokens = self._counter("llm_tokens", "Tokens used, by direction: input, output.", "direction")
        self.llm_cost_usd = self._counter(
            "llm_cost_usd", "Cost of model calls in US dollars, by the dated price table."
        )
        self.llm_budget_remaining = self._gauge(
            "llm_budget_remaining_ratio", "Share of a provider's request budget that is left, 0 to 1.", "provider"
        )
        self.breaker_state = self._gauge("breaker_state", "Circuit breaker: 0 closed, 1 half open, 2 open.", "provider")
        self.fallback = self._counter("fallback", "Calls answered by a later provider of the chain than the first.")

    def _workers(self) -> None:
        self.worker_up = self._gauge("worker_up", "1 while this process does its work, by kind.", "kind")
        self.lease_expired = self._counter("lease_expired", "Leases taken over because their holder stopped beating.")
        self.fenced_writes = self._counter("fenced_writes", "Writes refused because a newer claim holds the work.")
        self.claims = self._counter("claims", "Rows claimed, by dispatcher.", "dispatcher")
        self.loop_lag = self._histogram(
            "event_loop_lag_seconds", "How late the event loop runs what is due.", _LAG_SECONDS
        )
        self.loop_tasks = self._gauge("event_loop_tasks", "Tasks that the event loop runs or waits for.")
        self.pool_in_use = self._gauge("database_connections_in_use", "Write connections in use now.")

    def _trust(self) -> None:
        self.auth_failures = self._counter("auth_failures", "Refused sign-ins and tokens, by reason.", "reason")
        self.invariant_violations = self._gauge(
            "invariant_violations", "What contradicted an invariant when it was last checked, by its name.", "name"
        )
        self.live_refused = self._counter("live_refused", "Live connections refused, by reason.", "reason")
        self.authz_denied = self._counter("authz_denied", "Requests refused because of the caller's role.")
        self.rate_limited = self._counter("rate_limited", "Requests refused because of their number, by door.", "door")

    def _http(self) -> None:
        self.http_duration = self._histogram(
            "http_request_duration_seconds",
            "HTTP requests by method, route template and status.",
            _REQUEST_SECONDS,
            "method",
            "route",
            "status",
        )
        self.http_in_progress = self._gauge("http_requests_in_progress", "HTTP requests being served now.")
        self.live_connections = self._gauge("live_connections", "Open live WebSocket connections.")
        self.live_resyncs = self._counter("live_resyncs", "Times a live client was told to fetch everything again.")

    def _counter(self, name: str, description: str, *labels: str) -> Counter:
        return Counter(f"wa_{name}", description, labels, registry=self.registry)

    def _gauge(self, name: str, description: str, *labels: str) -> Gauge:
        return Gauge(f"wa_{name}", description, labels, registry=self.registry)

    def _histogram(self, name: str, description: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"wa_{name}", description, labels, registry=self.registry, buckets=buckets)


@asynccontextmanager
async def loop_lag_probe(metrics: Metrics, *, every_seconds: float = 0.5) -> AsyncIterator[None]:
    """Measure the event loop while the block runs: how late it is, how many tasks it has."""
    task = asyncio.create_task(_watch_loop(metrics, every_seconds), name="loop-lag-probe")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _watch_loop(metrics: Metrics, every_seconds: float) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + every_seconds
        await asyncio.sleep(every_seconds)
        metrics.loop_lag.observe(max(0.0, loop.time() - due))
        metrics.loop_tasks.set(len(asyncio.all_tasks()))


@contextmanager
def metrics_port(metrics: Metrics, *, host: str, port: int) -> Iterator[int]:
    """Serve the registry at `http://host:port/metrics` from a thread, for processes that serve no HTTP of their own.

    Port 0 takes a free one; the port taken is yielded. Nothing protects it: bind it to loopback or to the private
    network of the containers.
    """
    server, thread = start_http_server(port, addr=host, registry=metrics.registry)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
