"""Table: one row for every attempt to reach a model, skipped ones included."""

import sqlalchemy as sa

from app.core.db import ExactDecimal, UtcDateTime, db_now, metadata

model_calls = sa.Table(
    "model_calls",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("turn_id", sa.Uuid(), nullable=False, index=True, doc="or an id of its own, of a try in the playground"),
    sa.Column("position", sa.Integer(), nullable=False, doc="order within the turn's claim"),
    sa.Column("token", sa.Integer(), nullable=False, doc="the turn's claim that made it"),
    sa.Column("provider", sa.String(40), nullable=False),
    sa.Column("model", sa.String(200)),
    sa.Column("outcome", sa.String(20), nullable=False, doc="answered | failed | skipped"),
    sa.Column("kind", sa.String(30), doc="of a failure: app.ai.llm.errors.ErrorKind; of a skip: its reason"),
    sa.Column("detail", sa.Text(), doc="the provider's words about a failure; never holds a key or a text"),
    sa.Column("http_status", sa.Integer()),
    sa.Column("milliseconds", sa.Integer(), nullable=False),
    sa.Column("tokens_in", sa.Integer()),
    sa.Column("tokens_cached", sa.Integer()),
    sa.Column("tokens_out", sa.Integer()),
    sa.Column("tokens_reasoning", sa.Integer()),
    sa.Column("cost_usd", ExactDecimal(), doc="null when the price is not known: never 0 for unknown"),
    sa.Column("at", UtcDateTime(), nullable=False, server_default=db_now(), index=True),
)
