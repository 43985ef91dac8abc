"""Tables: providers that were added in the panel, and the operator's order of all model routes, one row a role."""

import sqlalchemy as sa

from app.core.db import UtcDateTime, db_now, metadata

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

model_providers = sa.Table(
    "model_providers",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("provider", sa.String(40), nullable=False, doc="a key of app.ai.llm.providers.registry"),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("base_url", sa.String(500), doc="null is the provider's own address"),
    sa.Column("api_key", sa.LargeBinary(), doc="ciphertext; bound to base_url: who changes that loses it"),
    sa.Column("requests_per_minute", sa.Integer()),
    sa.Column("requests_per_day", sa.Integer()),
    sa.Column("created_at", UtcDateTime(), nullable=False, server_default=db_now()),
    sa.Column("updated_at", UtcDateTime(), nullable=False, server_default=db_now()),
    sa.UniqueConstraint("provider", "model"),
)
