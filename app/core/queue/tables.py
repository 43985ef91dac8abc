"""The table of scheduled jobs."""

import sqlalchemy as sa

from app.core.db.base import UtcDateTime, metadata

__all__ = ["scheduled_jobs"]

scheduled_jobs = sa.Table(
    "scheduled_jobs",
    metadata,
    sa.Column("name", sa.String(100), primary_key=True, doc="the job's name"),
    sa.Column("every_seconds", sa.Integer, nullable=False),
    sa.Column("next_run_at", UtcDateTime, nullable=False, index=True),
    sa.Column("last_started_at", UtcDateTime, nullable=True),
    sa.Column("last_finished_at", UtcDateTime, nullable=True),
    sa.Column("last_error", sa.String(500), nullable=True, doc="null when the last run went well"),
    sa.CheckConstraint("every_seconds > 0", name="every_seconds_positive"),
)
