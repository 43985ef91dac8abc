"""The table of the last check of each invariant."""

import sqlalchemy as sa

from app.core.db import UtcDateTime, metadata

invariant_checks = sa.Table(
    "invariant_checks",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True, doc="app.proof.invariants"),
    sa.Column("violations", sa.Integer(), nullable=False, doc="counted up to 1000"),
    sa.Column("examples", sa.Text(), nullable=False, doc="JSON: ids of some that violate it"),
    sa.Column("checked_at", UtcDateTime(), nullable=False),
    sa.Column("violated_since", UtcDateTime(), doc="first seen violated without a pause; null while it holds"),
)
