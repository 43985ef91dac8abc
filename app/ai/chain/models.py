"""Table: the operator's order of the model routes, one row a role."""

import sqlalchemy as sa

from app.core.db import UtcDateTime, metadata

CHAT = "chat"
"""The only role there is: answering customers."""

model_chains = sa.Table(
    "model_chains",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("role", sa.String(20), nullable=False, unique=True, doc="what the models are asked for"),
    sa.Column("order", sa.Text(), nullable=False, doc="JSON: a list of app.ai.chain.schemas.RouteChoice"),
    sa.Column("version", sa.Integer(), nullable=False, doc="1 when first stored, one more each time"),
    sa.Column("updated_at", UtcDateTime(), nullable=False),
    sa.Column("updated_by", sa.Uuid(), doc="the user who stored it"),
)
