"""The phone on the panel's screen: simulated people, what they see and write, faults and time.

The panel's own door to the simulator, behind its sign-in. What a person writes here reaches the product as Meta would
bring it: by a signed webhook.
"""

from datetime import timedelta
from typing import Annotated, Final

import msgspec
from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency, Provide
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from app.conversations.service import let_time_pass
from app.core.db import Database
from app.core.db.events import EVENTS
from app.core.http import UPLOAD_BODY_BYTES
from app.core.security.guards import needs
from app.core.wake import Wake
from app.simulator.errors import CustomerNotFound, SimulatedFileNotFound, SimulatorOff
from app.simulator.people import Customer
from app.simulator.schemas import (
    ClockAnswer,
    ClockMove,
    CustomerInput,
    CustomerView,
    CustomerWrites,
    FaultsInput,
    FaultsView,
    NumberView,
    PhoneView,
    SimulatorView,
    WrittenAnswer,
)
from app.simulator.service import Simulator

LONGEST_WAIT_SECONDS: Final = 25

# The bytes have the type of the file; a type of the handler's own would win over it.
_BYTES = ResponseSpec(bytes, media_type="application/octet-stream", description="The file.", generate_examples=False)


def running(simulator: NamedDependency[Simulator | None]) -> Simulator:
    """Return the simulator of this process.

    Raises `SimulatorOff` where there is none.
    """
    if simulator is None:
        raise SimulatorOff
    return simulator


class SimulatorController(Controller):
    path = "/api/simulator"
    tags = ("Simulator",)
    guards = (needs("conversations:answer"),)
    dependencies = {"meta": Provide(running, sync_to_thread=False)}  # noqa: RUF012 - Litestar's own way to say it

    @get("/", summary="The simulator")
    async def state(self, meta: NamedDependency[Simulator]) -> SimulatorView:
        """Return its business numbers, its time and what it still owes. Answers 404 (`simulator_off`) without one."""
        numbers = [msgspec.convert(number, NumberView, from_attributes=True) for number in meta.config.numbers]
        return SimulatorView(numbers=numbers, now=meta.clock.now(), promised=meta.promised_webhooks)

    @get("/people", summary="Simulated people")
    async def people(self, meta: NamedDependency[Simulator]) -> list[CustomerView]:
        """List everybody who has a phone here, in the order they came."""
        return [customer.view() for customer in meta.people]

    @post("/people", summary="Make a simulated person")
    async def add_person(self, data: JSONBody[CustomerInput], meta: NamedDependency[Simulator]) -> CustomerView:
        """Make a person with a phone, or change the one who has that phone or user id."""
        return meta.people.meet(data).view()

    @get("/people/{person_id:str}/phone", summary="What a phone shows")
    async def phone(
        self,
        person_id: FromPath[str],
        meta: NamedDependency[Simulator],
        after: Annotated[int, QueryParameter(ge=0, le=2**53)] = 0,
        wait_seconds: Annotated[float, QueryParameter(ge=0, le=LONGEST_WAIT_SECONDS)] = 0,
    ) -> PhoneView:
        """Return the messages that changed after `after`, oldest first.

        Ask again with the `seq` of the answer. With `wait_seconds` the answer comes as soon as there is something new.
        A `seq` from before a reset shows everything.
        """
        customer = _find(meta, person_id)
        phone = meta.people.phone(customer)
        after = after if after <= phone.seq else 0
        await meta.unless_stopping(phone.changed(after, wait_seconds))
        return phone.view(customer.id, after, meta.clock.now())

    @post("/people/{person_id:str}/messages", summary="Write as a person", request_max_body_size=UPLOAD_BODY_BYTES)
    async def write(
        self, person_id: FromPath[str], data: JSONBody[CustomerWrites], meta: NamedDependency[Simulator]
    ) -> WrittenAnswer:
        """Send what a person does on the phone to the business, by a signed webhook; the tick says what became of it.

        `data` of a file is base64; without it a small sample of the kind is sent.
        """
        return meta.customer_writes(data.channel, _find(meta, person_id).id, data.message)

    @post("/people/{person_id:str}/read", status_code=HTTP_204_NO_CONTENT, summary="Open the chat as a person")
    async def read(self, person_id: FromPath[str], meta: NamedDependency[Simulator]) -> None:
        """Report everything on the phone as read, for people who do not read by themselves (`reads` is false)."""
        meta.customer_reads(_find(meta, person_id))

    @get("/media/{media_id:str}", summary="A file on a phone", responses={200: _BYTES})
    async def file(self, media_id: FromPath[str], meta: NamedDependency[Simulator]) -> Response[bytes]:
        """Return the bytes of a file that a person sent or received, as an attachment."""
        found = meta.media.find(media_id)
        if found is None:
            raise SimulatedFileNotFound
        return Response(
            found.content,
            media_type=found.mime_type,
            headers={
                "content-disposition": "attachment",
                "content-security-policy": "default-src 'none'; sandbox",
                "x-content-type-options": "nosniff",
            },
        )

    @get("/faults", summary="Faults in force")
    async def faults(self, meta: NamedDependency[Simulator]) -> FaultsView:
        """List what goes wrong between the product and this Meta, each with the count that is left."""
        return FaultsView(meta.faults.active())

    @put("/faults", summary="Put faults in force")
    async def set_faults(self, data: JSONBody[FaultsInput], meta: NamedDependency[Simulator]) -> FaultsView:
        """Put these faults in force instead of the present ones."""
        meta.set_faults(data.faults, data.seed)
        return FaultsView(meta.faults.active())

    @delete("/faults", summary="Clear the faults")
    async def clear_faults(self, meta: NamedDependency[Simulator]) -> None:
        """Let everything go well again; webhooks that were held are sent."""
        meta.set_faults([])

    @post("/clock", status_code=HTTP_200_OK, summary="Move the time forward")
    async def move_clock(
        self,
        data: JSONBody[ClockMove],
        meta: NamedDependency[Simulator],
        database: NamedDependency[Database],
        wake: NamedDependency[SkipValidation[Wake]],
    ) -> ClockAnswer:
        """Move this Meta's clock, for example by a day to close the 24-hour windows. It never goes back.

        The windows of the simulator's conversations close in the inbox too.
        """
        by = timedelta(seconds=data.advance_seconds)
        async with database.write() as connection:
            await let_time_pass(connection, "simulator", by)
        wake.notify(EVENTS)
        return ClockAnswer(meta.travel(by))

    @post("/reset", status_code=HTTP_204_NO_CONTENT, summary="Begin anew")
    async def reset(self, meta: NamedDependency[Simulator]) -> None:
        """Forget people, files, templates and faults of the simulator. The product keeps its conversations."""
        meta.reset()


def _find(meta: Simulator, person_id: str) -> Customer:
    customer = meta.people.find(person_id.removeprefix("+"))
    if customer is None:
        raise CustomerNotFound
    return customer
