"""The customers and what each of them sees on the phone."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from app.core.errors import Conflict, InvalidInput
from app.simulator.schemas import CustomerInput, CustomerView, PhoneMessage, PhoneView
from app.simulator.wire import WireContact, WireProfile

__all__ = ["Customer", "People", "Phone", "digits"]

WINDOW = timedelta(hours=24)
TYPING_LASTS = timedelta(seconds=25)
# The screen and the messages that can be marked as read or reacted to; older ones live in the ledger.
MESSAGES_KEPT = 2000


def digits(number: str) -> str:
    """Return a phone number as webhooks carry it: digits only."""
    return "".join(character for character in number if character in "0123456789")


class Customer(msgspec.Struct, kw_only=True):
    """A person. `id` is the phone, or the business-scoped user id of one who hides it.

    last_wrote_at: by phone number id of the business: each number has its own 24 h window.
    """

    id: str
    phone: str | None
    user_id: str
    name: str
    username: str | None = None
    reads: bool = True
    reachable: bool = True
    last_wrote_at: dict[str, datetime] = {}

    def window_is_open(self, channel: str, now: datetime) -> bool:
        """Whether free-form messages may be sent: 24 h from the customer's last message to this number."""
        wrote_at = self.last_wrote_at.get(channel)
        return wrote_at is not None and now - wrote_at < WINDOW

    def contact(self) -> WireContact:
        profile = WireProfile(name=self.name, username=self.username)
        return WireContact(profile=profile, wa_id=self.phone, user_id=self.user_id)

    def view(self) -> CustomerView:
        return CustomerView(
            id=self.id,
            phone=self.phone,
            user_id=self.user_id,
            name=self.name,
            username=self.username,
            reads=self.reads,
            reachable=self.reachable,
            last_wrote_at=max(self.last_wrote_at.values(), default=None),
        )


class Phone:
    """The chat with the business on one customer's phone. Change numbers count up from 1."""

    def __init__(self) -> None:
        self._messages: deque[PhoneMessage] = deque()
        self._by_id: dict[str, PhoneMessage] = {}
        self._typing_until: datetime | None = None
        self._waiters: set[asyncio.Future[None]] = set()
        self.seq = 0

    def show(self, message: PhoneMessage) -> None:
        """Put a message on the screen; one from the business ends its typing."""
        if not message.mine:
            self._typing_until = None
        self._messages.append(message)
        self._by_id[message.id] = message
        if len(self._messages) > MESSAGES_KEPT:
            self._by_id.pop(self._messages.popleft().id, None)
        self.touch(message)

    def find(self, message_id: str) -> PhoneMessage | None:
        return self._by_id.get(message_id)

    def touch(self, message: PhoneMessage | None = None) -> None:
        """Say that this message (None: only the typing line) has changed."""
        self.seq += 1
        if message is not None:
            message.changed = self.seq
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    def show_typing(self, now: datetime) -> None:
        """Show that the business is typing, until its answer or for 25 s."""
        self._typing_until = now + TYPING_LASTS
        self.touch()

    def read_up_to(self, message: PhoneMessage) -> None:
        """Show this message, and the customer's earlier ones, as read by the business (as Meta does)."""
        for earlier in self._messages:
            if earlier.mine and earlier.tick != "read":
                earlier.tick = "read"
                self.touch(earlier)
            if earlier is message:
                return

    def view(self, customer: str, after: int, now: datetime) -> PhoneView:
        return PhoneView(
            customer=customer,
            seq=self.seq,
            typing=self._typing_until is not None and now < self._typing_until,
            messages=[message for message in self._messages if message.changed > after],
        )

    async def changed(self, after: int, wait_seconds: float) -> None:
        """Return when something has changed after that number, at the latest after `wait_seconds`."""
        if self.seq > after or wait_seconds <= 0:
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            async with asyncio.timeout(wait_seconds):
                await waiter
        except TimeoutError:
            return
        finally:
            self._waiters.discard(waiter)


class People:
    """All customers, found by phone or by business-scoped user id."""

    def __init__(self) -> None:
        self._customers: dict[str, Customer] = {}
        self._by_user_id: dict[str, Customer] = {}
        self._phones: dict[str, Phone] = {}

    def __iter__(self) -> Iterator[Customer]:
        return iter(self._customers.values())

    def find(self, key: str) -> Customer | None:
        return self._customers.get(key) or self._by_user_id.get(key)

    def find_or_meet(self, key: str, name: str | None = None) -> Customer:
        """Return the customer with this phone or user id, made if unknown."""
        known = self.find(key)
        if known is None:
            is_phone = key.isascii() and key.isdigit()
            asked = CustomerInput(phone=key, name=name) if is_phone else CustomerInput(user_id=key, name=name)
            return self.meet(asked)
        if name is not None:
            known.name = name
        return known

    def meet(self, asked: CustomerInput) -> Customer:
        """Make a customer, or change the one with that phone or user id.

        Raises:
            InvalidInput: neither phone nor user id.
            Conflict: the phone belongs to a customer with another user id.

        """
        key = asked.phone or asked.user_id
        if key is None:
            raise InvalidInput("a customer needs a phone or a user_id", "phone")
        user_id = asked.user_id or _user_id(key)
        known = self.find(key)
        if known is not None and asked.user_id is not None and known.user_id != asked.user_id:
            raise Conflict("that phone belongs to a customer with another user id")
        customer = Customer(
            id=key if known is None else known.id,
            phone=asked.phone,
            user_id=user_id if known is None else known.user_id,
            name=asked.name or (known.name if known is not None else f"Customer {user_id[-4:]}"),
            username=asked.username,
            reads=asked.reads,
            reachable=asked.reachable,
            last_wrote_at={} if known is None else known.last_wrote_at,
        )
        self._customers[customer.id] = customer
        self._by_user_id[customer.user_id] = customer
        return customer

    def change_number(self, customer: Customer, phone: str) -> Customer:
        """Give the customer a new phone; with it comes a new business-scoped user id, and the chat moves along."""
        if self.find(phone) is not None:
            raise Conflict("that phone belongs to another customer")
        phone_view = self.phone(customer)
        del self._customers[customer.id]
        del self._by_user_id[customer.user_id]
        del self._phones[customer.id]
        moved = self.meet(
            CustomerInput(phone=phone, name=customer.name, reads=customer.reads, reachable=customer.reachable)
        )
        moved.last_wrote_at = customer.last_wrote_at
        self._phones[moved.id] = phone_view
        return moved

    def phone(self, customer: Customer) -> Phone:
        phone = self._phones.get(customer.id)
        if phone is None:
            phone = self._phones[customer.id] = Phone()
        return phone

    def clear(self) -> None:
        for phone in self._phones.values():
            phone.touch()
        self._customers.clear()
        self._by_user_id.clear()
        self._phones.clear()


def _user_id(key: str) -> str:
    """Return a business-scoped user id that is always the same for this phone."""
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % 10**18
    return f"US.{number:018d}"
