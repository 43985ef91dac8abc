"""Tables: the chain of audit entries, where it begins and ends, and the keys that sign."""

import sqlalchemy as sa

from app.core.db import UtcDateTime, db_now, metadata

audit_entries = sa.Table(
    "audit_entries",
    metadata,
    sa.Column("sequence", sa.BigInteger(), primary_key=True, autoincrement=False, doc="1, 2, 3, ... without gaps"),
    sa.Column("id", sa.Uuid(), nullable=False, unique=True),
    sa.Column("at", UtcDateTime(), nullable=False, index=True),
    sa.Column("action", sa.String(64), nullable=False, doc="`<thing>.<what happened to it>`"),
    sa.Column("target_kind", sa.String(32), nullable=False),
    sa.Column("target_id", sa.String(200), nullable=False),
    sa.Column("outcome", sa.String(8), nullable=False, doc="ok | refused"),
    sa.Column("actor_id", sa.Uuid(), doc="null: the system itself, or somebody who could not be known"),
    sa.Column("actor_name", sa.String(64)),
    sa.Column("actor_role", sa.String(16)),
    sa.Column("api_key_id", sa.Uuid(), doc="set when the actor came with an API key"),
    sa.Column("address", sa.String(64)),
    sa.Column("before", sa.Text(), doc="redacted JSON; text, because the hash is over these very characters"),
    sa.Column("after", sa.Text()),
    sa.Column("hash", sa.LargeBinary(32), nullable=False, doc="HMAC-SHA256 over the previous hash and this row"),
    sa.Index("ix_audit_entries_action", "action", "sequence"),
    sa.Index("ix_audit_entries_action_at", "action", "at"),
    sa.Index("ix_audit_entries_actor_id", "actor_id", "sequence"),
    sa.Index("ix_audit_entries_target", "target_kind", "target_id", "sequence"),
)

audit_marks = sa.Table(
    "audit_marks",
    metadata,
    sa.Column("name", sa.String(8), primary_key=True, doc="head: the newest entry; start: the last one retired"),
    sa.Column("sequence", sa.BigInteger(), nullable=False),
    sa.Column("hash", sa.LargeBinary(32), nullable=False, doc="the hash of the entry of that sequence"),
    sa.Column("mac", sa.LargeBinary(32), nullable=False, doc="HMAC-SHA256 over this row: rows cut off at an end show"),
)

signing_keys = sa.Table(
    "signing_keys",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True, doc="the key id that signed documents name"),
    sa.Column("purpose", sa.String(32), nullable=False, unique=True),
    sa.Column("secret", sa.LargeBinary(), nullable=False, doc="ciphertext of 32 random bytes"),
    sa.Column("created_at", UtcDateTime(), nullable=False, server_default=db_now()),
)
