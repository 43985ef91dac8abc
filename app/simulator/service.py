"""Meta on this machine: takes what the business sends, lets customers write, and reports back by webhook.

Knows no HTTP of its own: `graph.py` and `control.py` are its doors, `deliveries.py` its way out.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import msgspec

from app.core.errors import NotFound
from app.core.http_client import HttpClient
from app.simulator.admission import Admission, AdmittedSend
from app.simulator.batches import Webhook
from app.simulator.clock import SimulatorClock
from app.simulator.config import SimulatedNumber, SimulatorConfig
from app.simulator.customer_messages import CustomerMessage, NumberChangeFromCustomer
from app.simulator.deliveries import Deliveries
from app.simulator.faults import Fault, FaultMenu
from app.simulator.graph_errors import GraphError
from app.simulator.incoming import compose, new_wamid
from app.simulator.ledger import Acknowledged, Ledger, Received, Reset, Undelivered, Wrote
from app.simulator.media import MediaStore
from app.simulator.pair_limit import PairLimit
from app.simulator.people import Customer, People, Phone
from app.simulator.reports import Report, make_status, report_again
from app.simulator.schemas import CustomerInput, TemplateVerdict, WrittenAnswer
from app.simulator.screen import show_again, show_received, show_written
from app.simulator.templates import Template, TemplateStore
from app.simulator.wire import WireStatus

__all__ = ["Simulator"]


class Simulator:
    """One Meta: numbers, customers, media, templates, faults, and the ledger.

    Use `async with simulator.running():` around its life; it posts webhooks only inside.
    """

    def __init__(self, config: SimulatorConfig, http: HttpClient | None = None) -> None:
        self.config = config
        self.clock = SimulatorClock()
        self.faults = FaultMenu(config.seed)
        self.people = People()
        self.media = MediaStore(self.clock.now)
        self.templates = TemplateStore()
        self.stopping = asyncio.Event()
        self._pair_limit = PairLimit(self.clock.now)
        self._numbers = {number.phone_number_id: number for number in config.numbers}
        self._own_http = http is None
        self._http = http or HttpClient(user_agent="facebookexternalua/1.0.0")
        self._deliveries = Deliveries(config, self._http, self.faults, self)
        self._admission = Admission(config, self.clock.now, self.people, self.media, self.templates)
        self._inboxes: dict[str, Phone] = {}
        self._read: set[str] = set()
        self.ledger = Ledger(config.ledger_path)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Simulator"]:
        """Post webhooks while inside; at the end stop, wait for the tasks and close the ledger."""
        self._restore()
        posting = asyncio.create_task(self._deliveries.run(), name="simulator.deliveries")
        try:
            yield self
        finally:
            self.stopping.set()
            posting.cancel()
            # Awaited, so that an error which ended it early is raised here instead of being lost.
            with suppress(asyncio.CancelledError):
                await posting
            if self._own_http:
                await self._http.aclose()
            self.ledger.close()

    # What customers do.

    def customer_writes(
        self, channel: str | None, customer: str, message: CustomerMessage, name: str | None = None
    ) -> WrittenAnswer:
        """Let a customer (phone or user id, made if unknown) write to a number (None: the first one).

        The webhook is on its way when this returns; the phone's tick says what became of it.

        Raises:
            NotFound: no such number.
            Conflict: the new number of `user_changed_number` is taken.

        """
        number = self.number(channel)
        sender = self.people.find_or_meet(customer, name)
        wire, text = compose(sender, message, self.clock.now(), self.media, self._file_url)
        contact = None if isinstance(message, NumberChangeFromCustomer) else sender.contact()
        record = Wrote(
            at=self.clock.now(),
            channel=number.phone_number_id,
            customer=sender.id,
            contact=sender.contact(),
            message=wire,
            text=text,
        )
        self.ledger.append(record)
        if isinstance(message, NumberChangeFromCustomer):
            sender = self.people.change_number(sender, message.phone)
        self._show_written(sender, record, message)
        self._deliveries.message(number.phone_number_id, sender.id, contact, wire)
        return WrittenAnswer(sender.id, wire.id, self.people.phone(sender).seq)

    def customer_reads(self, customer: Customer) -> None:
        """Let a customer open the chat: everything on the phone that was not read yet is reported as read."""
        for entry in self.ledger.received_by(customer.id):
            if "read" not in entry.statuses and entry.wamid not in self._read:
                self._read.add(entry.wamid)
                self._report(report_again(entry, customer), ("read",))

    def change(self, channel: str | None, field: str, value: msgspec.Raw) -> None:
        """Send a webhook of another field (raises NotFound for an unknown number)."""
        self._deliveries.change(self.number(channel), field, value)

    # What the business does.

    def number(self, phone_number_id: str | None) -> SimulatedNumber:
        if phone_number_id is None:
            return self.config.numbers[0]
        number = self._numbers.get(phone_number_id)
        if number is None:
            raise NotFound("this simulator has no such phone number id")
        return number

    def admit(self, number: SimulatedNumber, body: Mapping[str, object]) -> AdmittedSend:
        """Decide whether a body of the right shape would be accepted now (raises GraphError as Admission does)."""
        return self._admission.admit(number, body)

    def accept(self, send: AdmittedSend) -> str:
        """Accept a send: ledger, the customer's screen, statuses. Returns the message id.

        Raises:
            GraphError: 131056 when the pair limit is on and reached.

        """
        if self.config.pair_limit:
            self._pair_limit.spend(send.number.phone_number_id, send.customer.id)
        wamid = new_wamid(send.customer.phone or send.customer.user_id[-11:])
        failed = self.faults.strike("failed_status", send.customer.id)
        code = send.failure if failed is None else failed.code
        reports = self._planned(send.customer, code)
        if code is None:
            self._receive(send, wamid, reports)
        else:
            self.ledger.append(
                Undelivered(
                    at=self.clock.now(),
                    channel=send.number.phone_number_id,
                    to=send.customer.id,
                    wamid=wamid,
                    tracker=send.tracker,
                    code=code,
                )
            )
        report = Report(
            channel=send.number.phone_number_id,
            customer=send.customer,
            wamid=wamid,
            tracker=send.tracker,
            category=send.category,
            code=code,
        )
        self._report(report, reports)
        return wamid

    def mark_read(self, message_id: str, *, typing: bool) -> None:
        """Mark a customer's message, and the earlier ones, as read by the business.

        Raises:
            GraphError: 131009 when no customer sent that message.

        """
        phone = self._inboxes.get(message_id)
        message = None if phone is None else phone.find(message_id)
        if phone is None or message is None:
            raise GraphError(131009, "message_id is not the id of a message that a customer sent")
        phone.read_up_to(message)
        if typing:
            phone.show_typing(self.clock.now())

    # What people and tests do with the machine itself.

    def set_faults(self, faults: list[Fault], seed: int | None = None) -> None:
        """Put these faults in force instead of the present ones (raises InvalidInput for incomplete ones)."""
        self.faults.replace(faults, seed)
        self._deliveries.release_or_hold()

    def travel(self, by: timedelta) -> datetime:
        """Move the simulator's clock forward."""
        return self.clock.advance(by)

    def create_template(self, account: str, body: object) -> Template:
        """Take a template for review, which it passes at once; the webhook says so."""
        template = self.templates.create(account, body)
        answer = msgspec.structs.replace(template)
        self.judge_template(TemplateVerdict(template_id=template.id, event="APPROVED"))
        return answer

    def judge_template(self, verdict: TemplateVerdict) -> None:
        """Change a template's status and send `message_template_status_update` (raises NotFound)."""
        template = self.templates.find(verdict.template_id)
        if template is None:
            raise NotFound("this simulator has no such template")
        if verdict.event != "FLAGGED":
            template.status = "APPROVED" if verdict.event == "REINSTATED" else verdict.event
        value = {
            "event": verdict.event,
            "message_template_id": int(template.id),
            "message_template_name": template.name,
            "message_template_language": template.language,
            "reason": verdict.reason,
        }
        self._deliveries.change(
            self.config.numbers[0], "message_template_status_update", msgspec.Raw(msgspec.json.encode(value))
        )

    def reset(self) -> None:
        """Begin anew: no customers, media, templates, faults or ledger; the clock stays where it is."""
        self._deliveries.forget()
        self.ledger.append(Reset(at=self.clock.now()))
        self.people.clear()
        self.media.clear()
        self.templates.clear()
        self._pair_limit.clear()
        self._inboxes.clear()
        self._read.clear()
        self.set_faults([], self.config.seed)

    async def unless_stopping(self, waiting: Awaitable[None]) -> None:
        """Wait for that, or until the simulator stops: a waiting client must not keep it from ending."""
        wait = asyncio.ensure_future(waiting)
        stop = asyncio.ensure_future(self.stopping.wait())
        try:
            await asyncio.wait((wait, stop), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (wait, stop):
                task.cancel()
            await asyncio.gather(wait, stop, return_exceptions=True)

    async def idle(self) -> None:
        """Return when every webhook that is due or promised has been acknowledged."""
        await self._deliveries.idle()

    @property
    def promised_webhooks(self) -> int:
        """How many messages and statuses the product has not acknowledged yet."""
        return self._deliveries.promised

    # DeliveryListener

    def unix_time(self) -> int:
        return int(self.clock.now().timestamp())

    def acknowledged(self, webhook: Webhook) -> None:
        self.ledger.append(
            Acknowledged(
                at=self.clock.now(),
                attempts=webhook.attempts,
                sha256=hashlib.sha256(webhook.body).hexdigest(),
                messages=tuple(message_id for _, message_id in webhook.messages),
                statuses=webhook.statuses,
                body=webhook.body.decode("ascii") if self.config.keep_bodies else None,
            )
        )
        for customer_id, message_id in webhook.messages:
            self._tick_delivered(customer_id, message_id)

    # Helpers, in the order of their use above.

    def _file_url(self, media_id: str) -> str | None:
        if self.config.public_url is None:
            return None
        return f"{self.config.public_url.rstrip('/')}/files/{self.media.address(media_id)}"

    def _planned(self, customer: Customer, code: int | None) -> tuple[str, ...]:
        """Return the statuses that Meta will report."""
        if self.faults.strike("lost_statuses", customer.id) is not None:
            return ()
        if code is not None:
            return ("failed",)
        reads = customer.reads and self.config.pace.read_after_seconds is not None
        return ("sent", "delivered", "read") if reads else ("sent", "delivered")

    def _receive(self, send: AdmittedSend, wamid: str, statuses: tuple[str, ...]) -> None:
        entry = Received(
            at=self.clock.now(),
            seq=self.ledger.next_seq,
            channel=send.number.phone_number_id,
            to=send.customer.id,
            wamid=wamid,
            tracker=send.tracker,
            kind=send.kind,
            body=send.shown.text,
            content=msgspec.Raw(msgspec.json.encode(send.content)),
            statuses=statuses,
        )
        self.ledger.append(entry)
        show_received(self.people.phone(send.customer), entry, send.shown, send.reply_to)

    def _report(self, report: Report, statuses: tuple[str, ...]) -> None:
        pace = self.config.pace
        after_seconds = {
            "sent": pace.sent_after_seconds,
            "delivered": pace.delivered_after_seconds,
            "read": pace.read_after_seconds or 0.0,
            "failed": pace.sent_after_seconds,
        }
        for status in statuses:
            self._deliveries.status(report.channel, self._status_maker(report, status), after_seconds[status])

    def _status_maker(self, report: Report, status: str) -> Callable[[], WireStatus]:
        return lambda: make_status(report, status, self.clock.now())

    def _show_written(self, sender: Customer, record: Wrote, message: CustomerMessage | None = None) -> None:
        """Put what a customer did on their screen, and open the window of that number."""
        sender.last_wrote_at[record.channel] = record.at
        phone = self.people.phone(sender)
        show_written(phone, record, message)
        self._inboxes[record.message.id] = phone

    def _tick_delivered(self, customer_id: str, message_id: str) -> None:
        customer = self.people.find(customer_id)
        if customer is None:
            return
        phone = self.people.phone(customer)
        message = phone.find(message_id)
        if message is not None and message.tick == "sent":
            message.tick = "delivered"
            phone.touch(message)

    def _restore(self) -> None:
        """Bring back what the ledger file held, and promise again the webhooks that were never acknowledged.

        A Meta that crashed would go on as well, and a product that starts again beside it must get its due.
        """
        settled = {message for webhook in self.ledger.acknowledged for message in webhook.messages}
        told = {status for webhook in self.ledger.acknowledged for status in webhook.statuses}
        self._read |= {status.removesuffix(":read") for status in told if status.endswith(":read")}
        records: list[Wrote | Received | Undelivered] = [
            *self.ledger.wrote,
            *self.ledger.received,
            *self.ledger.undelivered,
        ]
        for record in sorted(records, key=lambda record: record.at):
            if record.channel not in self._numbers:
                continue
            if isinstance(record, Wrote):
                self._restore_written(record, is_settled=record.message.id in settled)
                continue
            customer = self.people.find_or_meet(record.to)
            statuses = record.statuses if isinstance(record, Received) else ("failed",)
            if isinstance(record, Received):
                show_received(self.people.phone(customer), record, show_again(record), None)
            untold = tuple(status for status in statuses if f"{record.wamid}:{status}" not in told)
            self._report(report_again(record, customer), untold)

    def _restore_written(self, record: Wrote, *, is_settled: bool) -> None:
        contact = record.contact
        known = CustomerInput(
            phone=contact.wa_id, user_id=contact.user_id, name=contact.profile.name, username=contact.profile.username
        )
        customer = self.people.meet(known)
        self._show_written(customer, record)
        if is_settled:
            self._tick_delivered(customer.id, record.message.id)
        else:
            self._deliveries.message(record.channel, customer.id, contact, record.message)
