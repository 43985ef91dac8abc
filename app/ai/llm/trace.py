"""Attempts to reach models, as rows of their table."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.ai.llm.attempts import Attempt
from app.core.ids import new_id

__all__ = ["trace_rows"]


def trace_rows(attempts: Sequence[Attempt], *, turn_id: UUID, token: int) -> list[dict[str, Any]]:
    """Return the rows of the attempts that one claim (`token`) of a turn made, in order."""
    return [
        {
            "id": new_id(),
            "turn_id": turn_id,
            "position": position,
            "token": token,
            "provider": attempt.provider,
            "model": attempt.model,
            "outcome": attempt.outcome,
            "kind": attempt.kind or attempt.skipped,
            "detail": attempt.message or None,
            "http_status": attempt.http_status,
            "milliseconds": attempt.milliseconds,
            "tokens_in": attempt.input_tokens,
            "tokens_cached": attempt.cached_input_tokens,
            "tokens_out": attempt.output_tokens,
            "tokens_reasoning": attempt.reasoning_tokens,
            "cost_usd": attempt.cost_usd,
        }
        for position, attempt in enumerate(attempts)
    ]
