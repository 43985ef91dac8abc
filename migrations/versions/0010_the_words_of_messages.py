"""the words of messages, to search them

Revision ID: 0010
Revises: 0009
"""

from alembic import op

from app.conversations import search_index

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    search_index.create(op.get_bind())


def downgrade() -> None:
    search_index.drop(op.get_bind())
