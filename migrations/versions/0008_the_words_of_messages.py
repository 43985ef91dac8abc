"""the words of messages, to search them

Revision ID: 0008
Revises: 0007
"""

from alembic import op

from app.conversations import search_index

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    search_index.create(op.get_bind())


def downgrade() -> None:
    search_index.drop(op.get_bind())
