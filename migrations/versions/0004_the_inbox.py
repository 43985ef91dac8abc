"""the inbox: who looks after a conversation, whether it is open, notes, canned replies, names as they are searched

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

import app.core.db.base
from app.core.folding import fold

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "canned_replies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("shortcut", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("uses", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", app.core.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canned_replies")),
        sa.UniqueConstraint("shortcut", name=op.f("uq_canned_replies_shortcut")),
    )
    op.create_table(
        "notes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", app.core.db.base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_notes_conversation_id_conversations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )
    with op.batch_alter_table("notes", schema=None) as batch_op:
        batch_op.create_index("ix_notes_conversation", ["conversation_id", "id"], unique=False)

    with op.batch_alter_table("contacts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("folded_name", sa.Text(), nullable=True))

    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("assignee_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("closed_at", app.core.db.base.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("close_reason", sa.String(length=200), nullable=True))
        batch_op.create_index(
            "ix_conversations_assigned",
            ["assignee_id", "last_message_at", "id"],
            unique=False,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )
        batch_op.create_index(
            "ix_conversations_attention",
            ["last_message_at", "id"],
            unique=False,
            sqlite_where=sa.text("attention IS NOT NULL"),
            postgresql_where=sa.text("attention IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_conversations_open",
            ["last_message_at", "id"],
            unique=False,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )
        batch_op.create_index(
            "ix_conversations_unread",
            ["last_message_at", "id"],
            unique=False,
            sqlite_where=sa.text("unread > 0"),
            postgresql_where=sa.text("unread > 0"),
        )

    with op.batch_alter_table("outbound_messages", schema=None) as batch_op:
        batch_op.add_column(sa.Column("user_id", sa.Uuid(), nullable=True))
    fold_names(op.get_bind())


def fold_names(connection: sa.Connection) -> None:
    # The table as it was then: what the code names may have moved on.
    contacts = sa.table("contacts", sa.column("id", sa.Uuid()), sa.column("name"), sa.column("folded_name"))
    rows = connection.execute(sa.select(contacts.c.id, contacts.c.name).where(contacts.c.name.is_not(None))).all()
    if rows:
        connection.execute(
            sa.update(contacts).where(contacts.c.id == sa.bindparam("who")).values(folded_name=sa.bindparam("folded")),
            [{"who": row.id, "folded": fold(row.name)} for row in rows],
        )


def downgrade() -> None:
    # Not in batches, which on SQLite would make the tables anew and first delete what refers to them.
    for index in ("unread", "open", "attention", "assigned"):
        op.drop_index(f"ix_conversations_{index}", "conversations")
    op.drop_column("outbound_messages", "user_id")
    op.drop_column("conversations", "close_reason")
    op.drop_column("conversations", "closed_at")
    op.drop_column("conversations", "assignee_id")
    op.drop_column("contacts", "folded_name")
    with op.batch_alter_table("notes", schema=None) as batch_op:
        batch_op.drop_index("ix_notes_conversation")

    op.drop_table("notes")
    op.drop_table("canned_replies")
