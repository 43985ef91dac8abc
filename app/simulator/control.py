"""The control API: customers, their phones, faults, time and the ledger, for people and tests.

Not a part of Meta. All that it takes are structs that refuse unknown members; errors are problem+json (RFC 9457).
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import msgspec

from app.core.errors import InvalidInput, MostradorError, NotFound
from app.simulator.doors import Answer, Asked, json_answer
from app.simulator.people import Customer
from app.simulator.schemas import (
    AcknowledgedPage,
    Change,
    ClockAnswer,
    ClockMove,
    Confirmation,
    ControlProblem,
    CustomerInput,
    FaultsInput,
    FaultsView,
    LedgerPage,
    NumberView,
    Progress,
    TemplateVerdict,
    Written,
)
from app.simulator.service import Simulator

__all__ = ["ControlDoor"]

LONGEST_WAIT_SECONDS = 60.0
_PAGE = 10_000

_Body = TypeVar("_Body")


class ControlDoor:
    """Answers calls to `/control/...`."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._endpoints: dict[tuple[str, str], Callable[[Asked], Awaitable[Answer]]] = {
            ("GET", "numbers"): self._numbers,
            ("GET", "customers"): self._customers,
            ("POST", "customers"): self._add_customer,
            ("POST", "messages"): self._write,
            ("GET", "phone"): self._phone,
            ("GET", "faults"): self._faults,
            ("POST", "faults"): self._set_faults,
            ("DELETE", "faults"): self._clear_faults,
            ("GET", "clock"): self._clock,
            ("POST", "clock"): self._move_clock,
            ("GET", "ledger"): self._ledger,
            ("GET", "acknowledged"): self._acknowledged,
            ("GET", "idle"): self._idle,
            ("POST", "changes"): self._change,
            ("POST", "templates"): self._judge_template,
            ("POST", "reset"): self._reset,
        }

    async def answer(self, asked: Asked) -> Answer:
        endpoint = self._endpoints.get((asked.method, "/".join(asked.parts)))
        if endpoint is None:
            return _problem(NotFound("there is no such endpoint in the simulator's control API"))
        try:
            return await endpoint(asked)
        except MostradorError as error:
            return _problem(error)

    async def _numbers(self, _asked: Asked) -> Answer:
        numbers = self._simulator.config.numbers
        return json_answer([msgspec.convert(number, NumberView, from_attributes=True) for number in numbers])

    async def _customers(self, _asked: Asked) -> Answer:
        return json_answer([customer.view() for customer in self._simulator.people])

    async def _add_customer(self, asked: Asked) -> Answer:
        return json_answer(self._simulator.people.meet(_read(asked, CustomerInput)).view(), 201)

    async def _write(self, asked: Asked) -> Answer:
        written = _read(asked, Written)
        customer = written.customer.removeprefix("+")
        answer = self._simulator.customer_writes(written.channel, customer, written.message, written.name)
        return json_answer(answer, 201)

    async def _phone(self, asked: Asked) -> Answer:
        """Messages that changed after `after`; waits up to `wait_seconds` until there are some."""
        customer = self._customer(asked)
        after = _whole(asked, "after")
        phone = self._simulator.people.phone(customer)
        if after > phone.seq:
            # The number is from before a restart or reset: show everything.
            after = 0
        await self._simulator.unless_stopping(phone.changed(after, _wait_seconds(asked)))
        return json_answer(phone.view(customer.id, after, self._simulator.clock.now()))

    async def _faults(self, _asked: Asked) -> Answer:
        return json_answer(FaultsView(self._simulator.faults.active()))

    async def _set_faults(self, asked: Asked) -> Answer:
        menu = _read(asked, FaultsInput)
        self._simulator.set_faults(menu.faults, menu.seed)
        return await self._faults(asked)

    async def _clear_faults(self, asked: Asked) -> Answer:
        self._simulator.set_faults([])
        return await self._faults(asked)

    async def _clock(self, _asked: Asked) -> Answer:
        return json_answer(ClockAnswer(self._simulator.clock.now()))

    async def _move_clock(self, asked: Asked) -> Answer:
        move = _read(asked, ClockMove)
        return json_answer(ClockAnswer(self._simulator.travel(timedelta(seconds=move.advance_seconds))))

    async def _ledger(self, asked: Asked) -> Answer:
        customer = asked.query.get("customer")
        entries = []
        for entry in self._simulator.ledger.received_by(customer, _whole(asked, "after")):
            entries.append(entry)
            if len(entries) == _PAGE:
                break
        return json_answer(LedgerPage(entries))

    async def _acknowledged(self, asked: Asked) -> Answer:
        after = _whole(asked, "after")
        page = self._simulator.ledger.acknowledged[after : after + _PAGE]
        return json_answer(AcknowledgedPage(page, after + len(page)))

    async def _idle(self, asked: Asked) -> Answer:
        """Answer when every webhook was acknowledged, or after `wait_seconds`; `promised` counts the open ones."""
        try:
            async with asyncio.timeout(_wait_seconds(asked)):
                await self._simulator.unless_stopping(self._simulator.idle())
        except TimeoutError:
            pass
        return json_answer(Progress(self._simulator.promised_webhooks))

    async def _change(self, asked: Asked) -> Answer:
        change = _read(asked, Change)
        self._simulator.change(change.channel, change.field, change.value)
        return json_answer(Confirmation(), 202)

    async def _judge_template(self, asked: Asked) -> Answer:
        self._simulator.judge_template(_read(asked, TemplateVerdict))
        return json_answer(Confirmation())

    async def _reset(self, _asked: Asked) -> Answer:
        self._simulator.reset()
        return json_answer(Confirmation())

    def _customer(self, asked: Asked) -> Customer:
        key = asked.query.get("customer", "").strip().removeprefix("+")
        customer = self._simulator.people.find(key)
        if customer is None:
            raise NotFound("there is no such customer; POST /control/customers makes one")
        return customer


def _read(asked: Asked, kind: type[_Body]) -> _Body:
    # A browser sends other types across origins without asking; this one makes it ask, and be refused.
    if asked.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise InvalidInput("send JSON with the header content-type: application/json")
    try:
        return msgspec.json.decode(asked.body, type=kind)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `")
        raise InvalidInput(text, path.removesuffix("`").removeprefix("$.") or None) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInput("the body is not valid JSON") from error


def _whole(asked: Asked, name: str) -> int:
    text = asked.query.get(name, "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 15):  # noqa: PLR2004 - no counter gets longer
        raise InvalidInput(f"{name} must be a whole number", name)
    return int(text)


def _wait_seconds(asked: Asked) -> float:
    text = asked.query.get("wait_seconds", "0")
    try:
        seconds = float(text)
    except ValueError as error:
        raise InvalidInput("wait_seconds must be a number", "wait_seconds") from error
    # Written so that not-a-number waits not at all.
    return min(seconds, LONGEST_WAIT_SECONDS) if seconds > 0 else 0.0


def _problem(error: MostradorError) -> Answer:
    problem = ControlProblem(
        title=type(error).__name__,
        status=error.status,
        code=error.code,
        detail=str(error),
        field=error.field if isinstance(error, InvalidInput) else None,
    )
    return Answer(error.status, msgspec.json.encode(problem), "application/problem+json")
