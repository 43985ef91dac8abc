"""Proofs and the doctor over HTTP."""

from datetime import datetime

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody
from litestar.status_codes import HTTP_200_OK

from app.core.security.guards import needs
from app.proof.doctor import Doctor
from app.proof.schemas import Diagnosis, InvariantList, Ledger, Proof, ProofToMake
from app.proof.service import Prover


class ProofController(Controller):
    path = "/api/system"
    tags = ("Proof",)
    guards = (needs("system:read"),)

    @get("/proof", summary="What became of every message")
    async def proof(
        self,
        prover: NamedDependency[Prover],
        since: FromQuery[datetime | None] = None,
        until: FromQuery[datetime | None] = None,
    ) -> Ledger:
        """Count the messages of that time (the last 24 hours unless given, at most 31 days) by what became of them.

        `unexplained` must be 0.
        """
        return await prover.ledger(since, until)

    @get("/invariants", summary="What must always be true")
    async def invariants(self, prover: NamedDependency[Prover]) -> InvariantList:
        """List every invariant with its last check; they are checked every five minutes."""
        return await prover.invariants()

    @post("/prove", status_code=HTTP_200_OK, summary="Prove it now")
    async def prove(self, data: JSONBody[ProofToMake], prover: NamedDependency[Prover]) -> Proof:
        """Count, read the acknowledged webhooks of that time once more, and check every invariant now.

        Takes seconds when there is much to read.
        """
        return await prover.prove(data.since, data.until)

    @get("/doctor", summary="What is wrong here, and what to do")
    async def doctor(self, doctor: NamedDependency[Doctor]) -> Diagnosis:
        """Look at configuration, database, queue, disk, clock, channels, model providers and backlog, worst first.

        Asks WhatsApp and the model providers, so it takes seconds.
        """
        return await doctor.examine()
