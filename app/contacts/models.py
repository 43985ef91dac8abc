"""Tables: people, and the identifiers WhatsApp has shown for them."""

import sqlalchemy as sa

from app.core.db import UtcDateTime, db_now, metadata

contacts = sa.Table(
    "contacts",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("name", sa.Text(), doc="as WhatsApp shows it: written by the customer, so never trusted"),
    sa.Column("folded_name", sa.Text(), doc="the name as it is searched: app.core.folding.fold"),
    sa.Column("phone", sa.String(20), doc="digits with country code; absent for people who hide it"),
    sa.Column("user_id", sa.String(150), doc="business-scoped user id (BSUID)"),
    sa.Column("approved", sa.Boolean(), nullable=False, server_default=sa.false()),
    sa.Column("marketing_stopped_at", UtcDateTime()),
    sa.Column("created_at", UtcDateTime(), nullable=False, server_default=db_now()),
)

contact_identifiers = sa.Table(
    "contact_identifiers",
    metadata,
    sa.Column("kind", sa.String(10), primary_key=True, doc="bsuid | lid | parent | phone"),
    sa.Column("value", sa.String(150), primary_key=True),
    sa.Column("contact_id", sa.Uuid(), sa.ForeignKey("contacts.id"), nullable=False, index=True),
)
