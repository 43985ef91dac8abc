import time

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.core.metrics import Metrics, loop_lag_probe, metrics_port
from tests.core.eventually import eventually

PROMISED = [
    "wa_webhook_requests", "wa_webhook_duration_seconds", "wa_webhook_last_success_timestamp_seconds",
    "wa_oldest_pending_age_seconds", "wa_pending", "wa_dead_letters", "wa_outbox_unknown", "wa_outbox_needs_operator",
    "wa_turn_duration_seconds", "wa_turn_stage_seconds", "wa_send", "wa_send_ratelimited",
    "wa_llm_request_duration_seconds", "wa_llm_tokens", "wa_llm_cost_usd", "wa_llm_budget_remaining_ratio",
    "wa_breaker_state", "wa_fallback", "wa_worker_up", "wa_lease_expired", "wa_fenced_writes", "wa_claims",
    "wa_event_loop_lag_seconds", "wa_auth_failures", "wa_authz_denied", "wa_http_request_duration_seconds",
    "process_resident_memory_bytes",
]  # fmt: skip


def families(text: bytes) -> set[str]:
    return {family.name for family in text_string_to_metric_families(text.decode())}


@pytest.mark.parametrize("name", PROMISED)
def test_a_promised_metric_is_exposed(name: str) -> None:
    assert name in families(Metrics().render())


def test_two_processes_in_one_do_not_share_counts() -> None:
    one, other = Metrics(), Metrics()
    one.fallback.inc()
    assert one.registry.get_sample_value("wa_fallback_total") == 1
    assert other.registry.get_sample_value("wa_fallback_total") == 0


async def test_a_blocked_event_loop_is_measured() -> None:
    metrics = Metrics()
    async with loop_lag_probe(metrics, every_seconds=0.001):
        await eventually(lambda: metrics.registry.get_sample_value("wa_event_loop_lag_seconds_count"))
        time.sleep(0.06)  # noqa: ASYNC251 - blocking the loop is what is measured
        await eventually(lambda: slow(metrics) >= 1)


def slow(metrics: Metrics) -> float:
    within = metrics.registry.get_sample_value("wa_event_loop_lag_seconds_bucket", {"le": "0.05"}) or 0
    everything = metrics.registry.get_sample_value("wa_event_loop_lag_seconds_count") or 0
    return everything - within


async def test_a_process_without_http_serves_its_metrics_on_a_port() -> None:
    metrics = Metrics()
    metrics.worker_up.labels("jobs").set(1)
    with metrics_port(metrics, host="127.0.0.1", port=0) as port:
        async with httpx.AsyncClient() as client:
            response = await client.get(f"http://127.0.0.1:{port}/metrics")
    assert 'wa_worker_up{kind="jobs"} 1.0' in response.text
