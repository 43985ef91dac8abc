"""The full-text index of messages, kept by the database itself in the unit of work that stores a message.

SQLite: an FTS5 table of words without their texts, and `message_positions`, which gives messages the whole numbers that
FTS5 speaks of, in the order of their arrival. PostgreSQL: a generated column of words and a GIN index on it. Both fold
case and accents, and both know a word by its beginning. Neither is a table of the metadata: nothing but the search asks
them.
"""

from typing import Final

import sqlalchemy as sa

from app.conversations.models import messages

__all__ = ["create", "drop", "is_part"]

_NAMES: Final = ("message_words", "message_positions", "ix_messages_words", "words")

CREATE: Final[dict[str, tuple[str, ...]]] = {
    "sqlite": (
        "CREATE TABLE message_positions (position INTEGER PRIMARY KEY, message_id CHAR(32) NOT NULL UNIQUE)",
        """
        CREATE VIRTUAL TABLE message_words USING fts5(
            text, content='', columnsize=0, detail=none, prefix='2 3 4', tokenize="unicode61 remove_diacritics 2")
        """,
        """
        CREATE TRIGGER messages_words_added AFTER INSERT ON messages WHEN new.text <> '' BEGIN
            INSERT INTO message_positions (message_id) VALUES (new.id);
            INSERT INTO message_words (rowid, text) VALUES (last_insert_rowid(), new.text);
        END
        """,
        """
        CREATE TRIGGER messages_words_removed AFTER DELETE ON messages WHEN old.text <> '' BEGIN
            INSERT INTO message_words (message_words, rowid, text)
                SELECT 'delete', position, old.text FROM message_positions WHERE message_id = old.id;
            DELETE FROM message_positions WHERE message_id = old.id;
        END
        """,
        """
        CREATE TRIGGER messages_words_changed AFTER UPDATE OF text ON messages WHEN old.text <> new.text BEGIN
            INSERT INTO message_words (message_words, rowid, text)
                SELECT 'delete', position, old.text FROM message_positions
                WHERE message_id = old.id AND old.text <> '';
            INSERT OR IGNORE INTO message_positions (message_id) VALUES (new.id);
            INSERT INTO message_words (rowid, text)
                SELECT position, new.text FROM message_positions WHERE message_id = new.id;
        END
        """,
        # What is there already, in the order of its ids: that of its arrival.
        "INSERT INTO message_positions (message_id) SELECT id FROM messages WHERE text <> '' ORDER BY id",
        """
        INSERT INTO message_words (rowid, text)
            SELECT p.position, m.text FROM message_positions p JOIN messages m ON m.id = p.message_id
            ORDER BY p.position
        """,
    ),
    "postgresql": (
        # Decomposed, so that accents can be dropped; then without all that is neither letter nor digit, by its code
        # points and not by the locale: the parser takes it for parts of words, hosts, paths and negative numbers.
        r"""
        CREATE FUNCTION message_words(text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
            SELECT to_tsvector('simple'::regconfig, lower(regexp_replace(
                regexp_replace(normalize($1, NFD), U&'[\0300-\036f]+', '', 'g'),
                U&'[\0001-/:-@[-`{-\00a9\00ab-\00b1\00b4\00b6-\00b8\00bb\00bf\00d7\00f7\2000-\206f\20a0-\2bff'
                '\3000-\303f\fe00-\fe6f\ff00-\ff0f\+01f000-\+01faff\+0e0000-\+0e007f]+', ' ', 'g')))
        $$
        """,
        "ALTER TABLE messages ADD COLUMN words tsvector GENERATED ALWAYS AS (message_words(text)) STORED",
        "CREATE INDEX ix_messages_words ON messages USING gin (words)",
    ),
}

DROP: Final[dict[str, tuple[str, ...]]] = {
    "sqlite": (
        "DROP TRIGGER messages_words_added",
        "DROP TRIGGER messages_words_removed",
        "DROP TRIGGER messages_words_changed",
        "DROP TABLE message_words",
        "DROP TABLE message_positions",
    ),
    "postgresql": ("ALTER TABLE messages DROP COLUMN words", "DROP FUNCTION message_words(text)"),
}


def create(connection: sa.Connection) -> None:
    """Make the index, of all that is there."""
    for statement in CREATE[connection.dialect.name]:
        connection.exec_driver_sql(statement)


def drop(connection: sa.Connection) -> None:
    for statement in DROP[connection.dialect.name]:
        connection.exec_driver_sql(statement)


def is_part(name: str | None) -> bool:
    """Tell whether a table, column or index of this name is the index's own, and no table of the metadata."""
    return name is not None and name.startswith(_NAMES)


@sa.event.listens_for(messages, "after_create")
def _with_the_table(_table: sa.Table, connection: sa.Connection, **_: object) -> None:
    create(connection)
