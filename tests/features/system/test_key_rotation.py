"""Keys are replaced while everything goes on, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from app.audit.keys import sealed_by
from app.core.db import Database
from app.core.ids import new_id
from app.core.security.cipher import Cipher, Undecryptable
from app.core.security.key_file import KeyFile
from app.system.encrypted import ENCRYPTED
from app.system.key_rotation import KeyRotation
from app.system.models import key_rings
from app.system.probes import SecretsProbe
from app.tables import metadata
from app.whatsapp.models import channels

SECRETS = channels.c.secrets


class Installation:
    """A database, a key file, and processes that use both."""

    def __init__(self, database: Database, path: Path, cipher: Cipher, file: KeyFile) -> None:
        self.database = database
        self.path = path
        self.cipher = cipher
        self.file = file

    def rotation(self, *, every_days: int = 0, keys: list[str] | None = None) -> KeyRotation:
        """Return the rotation of another process; with `keys` of one whose keys are those of FERNET_KEY."""
        file = None if keys else KeyFile(self.path)
        cipher = Cipher(keys or self.file.read(), source=file)
        return KeyRotation(self.database, cipher, ENCRYPTED, key_file=file, every_days=every_days)

    async def store(self, number: int, cipher: Cipher | None = None) -> None:
        for _ in range(number):
            async with self.database.write() as connection:
                ciphertext = (cipher or self.cipher).encrypt(b"a token")
                await connection.execute(
                    sa.insert(channels).values(
                        id=new_id(),
                        kind="cloud",
                        name="x",
                        source="panel",
                        phone_number_id=str(new_id()),
                        secrets=ciphertext,
                    )
                )

    async def ciphertexts(self) -> list[bytes]:
        async with self.database.read() as connection:
            return list((await connection.execute(sa.select(SECRETS).order_by(channels.c.id))).scalars())

    async def age(self, **past: float) -> None:
        """Let everything the rotation knows have happened so long ago."""
        async with self.database.write() as connection:
            now = await self.database.now(connection)
            await connection.execute(
                sa.update(key_rings).values(
                    first_seen_at=now - timedelta(**past),
                    finished_at=sa.case((key_rings.c.finished_at.is_(None), None), else_=now - timedelta(**past)),
                )
            )


@pytest.fixture(params=["sqlite", "postgresql"])
async def installation(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Installation]:
    url = f"sqlite:///{tmp_path}/m.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    path = tmp_path / "fernet_key"
    path.write_text(Fernet.generate_key().decode())
    file = KeyFile(path)
    cipher = Cipher(file.read(), source=file)
    async with Database(url, options=sealed_by(cipher)) as database:
        async with database.write() as connection:
            await connection.run_sync(metadata.create_all)
        yield Installation(database, path, cipher, file)


async def test_everything_is_under_the_newest_key_after_a_rotation(installation: Installation) -> None:
    await installation.store(250)  # more than two batches
    installation.file.add()
    rotation = installation.rotation()

    await rotation.run()

    newest = Cipher(installation.file.read()[:1])
    assert {newest.decrypt(one) for one in await installation.ciphertexts()} == {b"a token"}
    status = await rotation.status()
    assert (status.checked, status.renewed, status.undecryptable, status.key_count) == (250, 250, 0, 2)
    assert status.finished_at is not None


async def test_a_rotation_under_load_loses_nothing(installation: Installation) -> None:
    await installation.store(120)
    rotations = [installation.rotation() for _ in range(3)]
    installation.file.add()

    async def overwrite() -> None:
        """Store other secrets in the same rows, as people who edit channels do."""
        async with installation.database.read() as connection:
            ids = (await connection.execute(sa.select(channels.c.id))).scalars().all()
        for channel_id in ids[:40]:
            async with installation.database.write() as connection:
                await connection.execute(
                    sa.update(channels)
                    .where(channels.c.id == channel_id)
                    .values(secrets=installation.cipher.encrypt(b"changed"))
                )

    async def read() -> None:
        for _ in range(10):
            for ciphertext in await installation.ciphertexts():
                assert installation.cipher.decrypt(ciphertext) in {b"a token", b"changed"}

    await asyncio.gather(*(one.run() for one in rotations), overwrite(), installation.store(30), read(), read())

    newest = Cipher(installation.file.read()[:1])
    plain = [newest.decrypt(one) for one in await installation.ciphertexts()]
    assert (plain.count(b"changed"), len(plain)) == (40, 150)


async def test_what_somebody_stores_while_its_row_is_being_renewed_stays(postgres_url: str, tmp_path: Path) -> None:
    path = tmp_path / "fernet_key"
    path.write_text(Fernet.generate_key().decode())
    file = KeyFile(path)
    newer = Cipher(file.read(), source=file)

    class Overtaken(Cipher):
        """Lets another process store something else between reading a row and writing it back."""

        def renew(self, ciphertext: bytes) -> bytes | None:
            renewed = super().renew(ciphertext)
            with ThreadPoolExecutor(1) as apart:
                apart.submit(lambda: asyncio.run(_overwrite(postgres_url, newer.encrypt(b"changed")))).result()
            return renewed

    async with Database(postgres_url) as database:
        async with database.write() as connection:
            await connection.run_sync(metadata.create_all)
        installation = Installation(database, path, newer, file)
        await installation.store(1)
        file.add()
        await KeyRotation(database, Overtaken(file.read()), ENCRYPTED, key_file=None).run()

        assert [newer.decrypt(one) for one in await installation.ciphertexts()] == [b"changed"]


async def _overwrite(url: str, ciphertext: bytes) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("UPDATE channels SET secrets = $1", ciphertext)
    finally:
        await connection.close()


async def test_a_pass_that_was_cut_off_goes_on_where_it_was(installation: Installation) -> None:
    await installation.store(150)
    installation.file.add()
    await installation.rotation().run()
    async with installation.database.write() as connection:
        ids = (await connection.execute(sa.select(channels.c.id).order_by(channels.c.id))).scalars().all()
        await connection.execute(
            sa.update(key_rings).values(
                place="channels.secrets", after_id=str(ids[99]), checked=100, renewed=100, finished_at=None
            )
        )
    rotation = installation.rotation()

    await rotation.run()

    assert (await rotation.status()).checked == 150


async def test_old_keys_are_dropped_only_after_a_pass_that_found_nothing_under_them(
    installation: Installation,
) -> None:
    await installation.store(1)
    installation.file.add()
    rotation = installation.rotation()

    await rotation.run()
    await rotation.run()
    assert len(installation.file.read()) == 2, "a process may still be committing what it encrypted before"

    await installation.age(hours=2)
    await rotation.run()
    assert len(installation.file.read()) == 2, "it was decided to look once more"
    await rotation.run()
    assert len(installation.file.read()) == 1
    assert installation.cipher.decrypt((await installation.ciphertexts())[0]) == b"a token"


async def test_what_was_stored_under_an_old_key_meanwhile_keeps_it_alive(installation: Installation) -> None:
    old = Cipher(installation.file.read())
    await installation.store(1)
    installation.file.add()
    rotation = installation.rotation()
    await rotation.run()
    await installation.store(1, old)
    await installation.age(hours=2)

    await rotation.run()
    await rotation.run()

    assert len(installation.file.read()) == 2
    newest = Cipher(installation.file.read()[:1])
    assert [newest.decrypt(one) for one in await installation.ciphertexts()] == [b"a token"] * 2


async def test_a_key_of_the_file_gets_a_successor_when_it_is_old(installation: Installation) -> None:
    await installation.store(1)
    rotations = [installation.rotation(every_days=90) for _ in range(3)]
    await rotations[0].run()
    await installation.age(days=89)
    await rotations[0].run()
    assert len(installation.file.read()) == 1

    await installation.age(days=90)
    await asyncio.gather(*(one.run() for one in rotations))

    keys = installation.file.read()
    assert len(keys) == 2
    assert Cipher(keys[:1]).decrypt((await installation.ciphertexts())[0]) == b"a token"


async def test_zero_days_is_never(installation: Installation) -> None:
    rotation = installation.rotation(every_days=0)
    await rotation.run()
    await installation.age(days=5_000)

    await rotation.run()

    assert len(installation.file.read()) == 1


async def test_keys_of_the_environment_are_followed_and_never_changed(installation: Installation) -> None:
    await installation.store(3)
    new = Fernet.generate_key().decode()
    rotation = installation.rotation(every_days=1, keys=[new, *installation.file.read()])

    await rotation.run()
    await installation.age(days=30)
    await rotation.run()
    await rotation.run()

    assert [Cipher([new]).decrypt(one) for one in await installation.ciphertexts()] == [b"a token"] * 3
    assert len(installation.file.read()) == 1
    assert (await rotation.status()).renewed == 0, "the last pass says that the old key is unused"


async def test_what_cannot_be_decrypted_is_left_alone_and_shown_in_health(installation: Installation) -> None:
    await installation.store(2)
    lost = Cipher([Fernet.generate_key().decode()])
    await installation.store(1, lost)
    before = (await installation.ciphertexts())[2]
    rotation = installation.rotation()

    await rotation.run()

    assert (await rotation.status()).undecryptable == 1
    assert (await SecretsProbe(rotation).check()).status == "degraded"
    assert (await installation.ciphertexts())[2] == before
    with pytest.raises(Undecryptable):
        installation.cipher.decrypt(before)


async def test_health_is_well_once_the_lost_key_is_back(installation: Installation) -> None:
    lost = Fernet.generate_key().decode()
    await installation.store(1, Cipher([lost]))
    await installation.rotation().run()
    rotation = installation.rotation(keys=[*installation.file.read(), lost])

    await rotation.run()

    assert (await SecretsProbe(rotation).check()).status == "ok"


def test_every_column_of_ciphertext_is_re_encrypted() -> None:
    """A column of bytes is either a digest, a body as it came, or encrypted: a new one must be placed here."""
    plain = {
        "api_keys.key_hash",
        "audit_entries.hash",
        "audit_marks.hash",
        "audit_marks.mac",
        "events.payload",
        "inbound_events.body",
        "inbound_events.digest",
        "one_time_links.token_hash",
        "recovery_codes.code_hash",
        "refresh_tokens.nonce_hash",
        "refresh_tokens.token_hash",
        "sign_in_failures.name_hash",
    }
    found = {_name(column) for table in metadata.tables.values() for column in table.columns if _is_bytes(column)}

    assert found - plain == {_name(column) for column in ENCRYPTED}


def _is_bytes(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, sa.LargeBinary)


def _name(column: sa.Column[Any]) -> str:
    return f"{column.table.name}.{column.name}"
