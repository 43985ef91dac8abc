"""The table of the business profile, which has at most one row."""

import sqlalchemy as sa

from app.core.db import UtcDateTime, metadata

ONLY_ROW = 1

business_profiles = sa.Table(
    "business_profiles",
    metadata,
    sa.Column("id", sa.SmallInteger(), primary_key=True, autoincrement=False),
    sa.Column("profile", sa.JSON(), nullable=False, doc="a BusinessProfile"),
    sa.Column("version", sa.Integer(), nullable=False, doc="1 when first stored, one more each time"),
    sa.Column("updated_at", UtcDateTime(), nullable=False),
    sa.Column("updated_by", sa.Uuid(), doc="the user who stored it"),
    sa.CheckConstraint(f"id = {ONLY_ROW}", name="only_row"),
)
