"""Write the next migration: `.venv/bin/python -m tests.new_migration "what it does"`."""

import asyncio
import sys
import tempfile

from app.core.db import Database
from app.core.db.migrate import HEAD, migrate, new_revision


async def main(message: str) -> None:
    number = f"{int(HEAD) + 1:04d}"
    with tempfile.TemporaryDirectory() as directory:
        async with Database(f"sqlite:///{directory}/empty.db") as database:
            await migrate(database)
            async with database.write() as connection:
                await connection.run_sync(new_revision, message, number)
    print(f"Read migrations/versions/{number}_*.py, run `make format`, and set HEAD in app/core/db/migrate.py")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
