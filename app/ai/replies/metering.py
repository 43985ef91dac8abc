"""What answering costs and how models behave, as metrics."""

from collections.abc import Sequence

from app.ai.llm.attempts import Attempt
from app.ai.llm.router import Router
from app.core.metrics import Metrics

_BREAKER = {"closed": 0, "half_open": 1, "open": 2}


def count(metrics: Metrics, attempts: Sequence[Attempt]) -> None:
    """Count the attempts made for one turn. Skipped routes took no time and cost nothing."""
    called = [attempt for attempt in attempts if attempt.outcome != "skipped"]
    for attempt in called:
        metrics.llm_request_duration.labels(attempt.provider, attempt.model, attempt.kind or attempt.outcome).observe(
            attempt.milliseconds / 1000
        )
        metrics.llm_tokens.labels("input").inc(attempt.input_tokens)
        metrics.llm_tokens.labels("output").inc(attempt.output_tokens)
        if attempt.cost_usd is not None:
            metrics.llm_cost_usd.inc(float(attempt.cost_usd))
    if len(attempts) > 1 and attempts[-1].outcome == "answered":
        metrics.fallback.inc()


async def set_gauges(metrics: Metrics, router: Router) -> None:
    """Set what is only known when somebody asks: breakers, and what is left of the providers' budgets."""
    for status in await router.status():
        metrics.breaker_state.labels(status.provider).set(_BREAKER[status.breaker])
        if status.requests_per_minute:
            left = max(0, status.requests_per_minute - status.used_this_minute)
            metrics.llm_budget_remaining.labels(status.provider).set(left / status.requests_per_minute)
