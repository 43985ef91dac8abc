"""What health says of the invariants."""

from datetime import timedelta

from app.core.db import Database
from app.proof.service import CHECK_SECONDS, Prover
from app.system.schemas import Finding

_OVERDUE = timedelta(seconds=3 * CHECK_SECONDS)


class InvariantsProbe:
    """Asks for the last check. A violated invariant is degraded, as is a check that is long overdue."""

    name = "invariants"

    def __init__(self, prover: Prover, database: Database) -> None:
        self._prover = prover
        self._database = database

    async def check(self) -> Finding:
        items = (await self._prover.invariants()).items
        violated = [one.name for one in items if one.violations]
        if violated:
            return Finding("degraded", f"Not true here: {', '.join(violated)}.")
        checked = [one.checked_at for one in items if one.checked_at is not None]
        async with self._database.read() as connection:
            now = await self._database.now(connection)
        if checked and now - max(checked) > _OVERDUE:
            return Finding("degraded", "The invariants were last checked long ago: does the scheduler run?")
        return Finding("ok")
