"""The audit trail shows what was done to it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from app.audit.errors import NoCipher
from app.audit.keys import sealed_by
from app.audit.models import audit_entries, audit_marks, signing_keys
from app.audit.queries import Wanted, page
from app.audit.schemas import AuditRecord
from app.audit.service import AuditEntry, record
from app.audit.verify import verify
from app.core.db import Database, db_now, metadata
from app.core.ids import new_id
from app.core.security.actor import Actor
from app.core.security.cipher import Cipher

c = audit_entries.c


async def _write(database: Database, *actions: str) -> None:
    for action in actions:
        async with database.write() as connection:
            await record(connection, AuditEntry(action, "thing", "1"))


async def _do(database: Database, *statements: sa.Executable) -> None:
    async with database.write() as connection:
        for statement in statements:
            await connection.execute(statement)


async def _entries(database: Database) -> Sequence[AuditRecord]:
    async with database.read() as connection:
        return (await page(connection, Wanted(), limit=100, before=None)).items


async def test_a_trail_that_nobody_touched_is_whole(database: Database) -> None:
    await _write(database, "a.done", "b.done", "c.done")

    verdict = await verify(database)

    assert (verdict.entries, verdict.is_whole) == (3, True)
    assert verdict.head.startswith("3:")


async def test_an_empty_trail_is_whole(database: Database) -> None:
    assert (await verify(database)).is_whole


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("action", "other.done"),
        ("target_id", "2"),
        ("outcome", "refused"),
        ("actor_name", "somebody"),
        ("address", "192.0.2.1"),
        ("after", '{"role":"viewer"}'),
        ("at", sa.text("'2020-01-01 00:00:00.000000'")),
        ("hash", bytes(32)),
    ],
)
async def test_an_altered_row_is_found(database: Database, column: str, value: Any) -> None:
    await _write(database, "a.done", "b.done", "c.done")

    await _do(database, sa.update(audit_entries).where(c.sequence == 2).values({column: value}))

    assert (await verify(database)).broken_at == 2


@pytest.mark.parametrize("sequence", [1, 2, 3])
async def test_a_deleted_row_is_found_wherever_it_stood(database: Database, sequence: int) -> None:
    await _write(database, "a.done", "b.done", "c.done")

    await _do(database, sa.delete(audit_entries).where(c.sequence == sequence))

    assert (await verify(database)).broken_at == sequence


async def test_two_rows_that_changed_places_are_found(database: Database) -> None:
    await _write(database, "a.done", "b.done", "c.done")

    await _do(
        database,
        *(
            sa.update(audit_entries).where(c.sequence == before).values(sequence=after)
            for before, after in ((2, 99), (3, 2), (99, 3))
        ),
    )

    assert (await verify(database)).broken_at == 2


async def test_a_row_that_was_put_in_is_found(database: Database) -> None:
    await _write(database, "a.done", "b.done")

    await _do(database, _forged_row(3))

    assert (await verify(database)).broken_at == 3


async def test_a_trail_cut_short_with_its_end_moved_back_is_found(database: Database) -> None:
    await _write(database, "a.done", "b.done", "c.done")
    async with database.read() as connection:
        second = (await connection.execute(sa.select(c.hash).where(c.sequence == 2))).scalar_one()

    await _do(
        database,
        sa.delete(audit_entries).where(c.sequence == 3),
        sa.update(audit_marks).values(sequence=2, hash=second),
    )

    verdict = await verify(database)
    assert not verdict.is_whole
    assert verdict.reason == "the mark that says where the trail ends is not ours"


async def test_a_trail_emptied_with_its_marks_is_found(database: Database) -> None:
    await _write(database, "a.done")

    await _do(database, sa.delete(audit_entries), sa.delete(audit_marks))

    # Emptied to the last row it looks new, which only an anchor can tell.
    assert (await verify(database)).is_whole
    assert not (await verify(database, anchor="1:" + "00" * 32)).is_whole


async def test_a_trail_without_its_mark_or_its_key_is_found(database: Database) -> None:
    await _write(database, "a.done")
    await _do(database, sa.delete(audit_marks))
    assert not (await verify(database)).is_whole

    await _do(database, sa.delete(signing_keys))
    assert not (await verify(database)).is_whole


async def test_a_database_put_back_to_an_older_state_is_found_by_its_anchor(database: Database) -> None:
    await _write(database, "a.done")
    async with database.read() as connection:
        old = (await connection.execute(sa.select(audit_marks))).one()
    await _write(database, "b.done")
    anchor = (await verify(database)).head

    await _do(
        database,
        sa.delete(audit_entries).where(c.sequence == 2),
        sa.update(audit_marks).values(sequence=old.sequence, hash=old.hash, mac=old.mac),
    )

    assert (await verify(database)).is_whole
    assert not (await verify(database, anchor=anchor)).is_whole


async def test_writers_at_the_same_time_keep_one_chain_without_gaps(database: Database) -> None:
    await asyncio.gather(*(_write(database, *[f"writer.{number}"] * 10) for number in range(8)))

    verdict = await verify(database)

    assert (verdict.entries, verdict.reason) == (80, None)


async def test_two_processes_of_one_installation_keep_one_chain(postgres_url: str) -> None:
    options = sealed_by(Cipher([Fernet.generate_key().decode()]))
    async with Database(postgres_url, options=options) as one, Database(postgres_url, options=options) as other:
        async with one.write() as connection:
            await connection.run_sync(metadata.create_all, tables=[audit_entries, audit_marks, signing_keys])
        await asyncio.gather(*(_write(half, "a.done", "b.done", "c.done") for half in (one, other) * 3))

        verdict = await verify(other)

    assert (verdict.entries, verdict.reason) == (18, None)


async def test_an_entry_is_stored_exactly_if_what_it_tells_about_is(database: Database) -> None:
    class Failed(Exception):
        pass

    async def fail() -> None:
        async with database.write() as connection:
            await record(connection, AuditEntry("a.done", "thing", "1"))
            raise Failed

    with pytest.raises(Failed):
        await fail()
    await _write(database, "b.done")

    assert [(one.sequence, one.action) for one in await _entries(database)] == [(1, "b.done")]
    assert (await verify(database)).is_whole


async def test_an_entry_says_who_where_and_what_without_secrets(database: Database) -> None:
    actor = Actor(user_id=new_id(), username="ana", role="admin", session_id=None, api_key_id=new_id())
    entry = AuditEntry(
        "channel.added",
        "channel",
        "7",
        actor,
        "192.0.2.7",
        before={"token": "", "app_secrets": ["canary-one"]},
        after={"name": "Main", "token": "canary-two", "nested": [{"new_password": "canary-three"}], "token_id": "7"},
    )
    async with database.write() as connection:
        await record(connection, entry)

    (one,) = await _entries(database)

    assert (one.actor_id, one.actor_name, one.actor_role) == (actor.user_id, "ana", "admin")
    assert (one.api_key_id, one.address, one.outcome) == (actor.api_key_id, "192.0.2.7", "ok")
    assert one.before == {"token": "", "app_secrets": "***"}
    assert one.after == {"name": "Main", "token": "***", "nested": [{"new_password": "***"}], "token_id": "7"}


async def test_a_database_opened_without_the_cipher_records_nothing(database: Database, tmp_path: Any) -> None:
    del database
    async with Database(f"sqlite:///{tmp_path}/plain.db") as plain, plain.write() as connection:
        with pytest.raises(NoCipher):
            await record(connection, AuditEntry("a.done", "thing", "1"))


async def test_another_key_ring_does_not_open_the_trail(database: Database, tmp_path: Any) -> None:
    await _write(database, "a.done")
    if database.dialect == "postgresql":
        pytest.skip("the file is enough")
    other = Database(f"sqlite:///{tmp_path}/m.db", options=sealed_by(Cipher([Fernet.generate_key().decode()])))

    verdict = await verify(other)
    await other.close()

    assert (verdict.entries, verdict.broken_at) == (0, None)
    assert verdict.reason == "the key of the audit trail cannot be decrypted: see FERNET_KEY"


def _forged_row(sequence: int) -> sa.Executable:
    return sa.insert(audit_entries).values(
        sequence=sequence,
        id=new_id(),
        at=db_now(),
        action="x.done",
        target_kind="thing",
        target_id="1",
        outcome="ok",
        hash=bytes(32),
    )
