"""the words of messages, to search them, and indexes of what the inbox filters by

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

from app.conversations import search_index

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    search_index.create(op.get_bind())
    held = sa.text("control != 'bot'")
    recent = ["last_message_at", "id"]
    op.create_index("ix_conversations_held", "conversations", recent, sqlite_where=held, postgresql_where=held)
    op.create_index("ix_conversations_channel", "conversations", ["channel_id", *recent])


def downgrade() -> None:
    op.drop_index("ix_conversations_channel", "conversations")
    op.drop_index("ix_conversations_held", "conversations")
    search_index.drop(op.get_bind())
