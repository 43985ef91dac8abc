"""Alembic's entry: runs in the unit of work that app.core.db.migrate has opened."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

from app.conversations.search_index import is_part
from app.core.db.base import db_now
from app.tables import metadata


def render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write defaults so that the one migration runs on both databases, not in the words of the one it was made on."""
    default = getattr(item, "arg", None)
    if kind == "server_default" and isinstance(default, db_now):
        return "app.core.db.base.db_now()"
    if kind == "server_default" and isinstance(default, sa.sql.elements.False_):
        return "sa.false()"
    return False


def is_of_the_metadata(_item: Any, name: str | None, _kind: str, _reflected: bool, _compared: Any) -> bool:
    return not is_part(name)


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    render_item=render,
    include_object=is_of_the_metadata,
    transaction_per_migration=False,
)
# No context.begin_transaction(): the unit of work commits, or nothing is changed.
context.run_migrations()
