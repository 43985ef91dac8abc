"""What waits for each business number, and the webhooks it becomes: who travels with whom, and the signed bytes."""

from collections import deque
from collections.abc import Callable
from typing import TypeVar

import msgspec

from app.simulator.config import SimulatedNumber, SimulatorConfig
from app.simulator.wire import WireContact, WireMessage, WireMetadata, WireStatus, WireValue, encode_change, sign

__all__ = ["Batches", "Webhook"]


class Webhook(msgspec.Struct, kw_only=True):
    """A sealed webhook: these bytes are repeated as they are, so that every attempt is the same delivery.

    promises: how many entries of `messages`, `statuses` or other changes it settles when it is acknowledged.
    """

    body: bytes
    signature: str
    promises: int
    messages: tuple[tuple[str, str], ...] = ()
    statuses: tuple[str, ...] = ()
    attempts: int = 0
    is_fresh: bool = True

    @property
    def customer(self) -> str | None:
        """The customer whose message is in it; None for statuses and other changes."""
        return self.messages[0][0] if self.messages else None


class _Message(msgspec.Struct, frozen=True):
    customer: str
    contact: WireContact | None
    message: WireMessage


class _Queue:
    """What waits for one business number."""

    def __init__(self, number: SimulatedNumber) -> None:
        self.number = number
        self.metadata = WireMetadata(
            display_phone_number=number.display_phone_number, phone_number_id=number.phone_number_id
        )
        self.messages: deque[_Message] = deque()
        self.statuses: deque[WireStatus] = deque()


class Batches:
    """Messages and statuses in the order in which they came, by number; a busy number starves no other."""

    def __init__(self, config: SimulatorConfig, unix_time: Callable[[], int]) -> None:
        self._config = config
        self._unix_time = unix_time
        self._queues = {number.phone_number_id: _Queue(number) for number in config.numbers}

    def add_message(self, channel: str, customer: str, contact: WireContact | None, message: WireMessage) -> None:
        self._queues[channel].messages.append(_Message(customer, contact, message))

    def add_status(self, channel: str, status: WireStatus) -> bool:
        """Add a status and return whether a webhook is full of them."""
        statuses = self._queues[channel].statuses
        statuses.append(status)
        return len(statuses) >= self._config.statuses_per_webhook

    def take(self, *, only_full: bool) -> Webhook | None:
        """Return the next webhook, messages first; `only_full` leaves statuses that could get company."""
        for channel, queue in self._queues.items():
            webhook = self._take_from(queue, only_full=only_full)
            if webhook is not None:
                self._queues[channel] = self._queues.pop(channel)
                return webhook
        return None

    def of_change(self, number: SimulatedNumber, field: str, value: msgspec.Raw) -> Webhook:
        """Return a webhook of another field."""
        return self._webhook(number, value, 1, field=field)

    def clear(self) -> None:
        for queue in self._queues.values():
            queue.messages.clear()
            queue.statuses.clear()

    def _take_from(self, queue: _Queue, *, only_full: bool) -> Webhook | None:
        if queue.messages:
            entries = _up_to(self._config.messages_per_webhook, queue.messages)
            contacts = {entry.customer: entry.contact for entry in entries if entry.contact is not None}
            value = WireValue(
                messaging_product="whatsapp",
                metadata=queue.metadata,
                contacts=list(contacts.values()) or None,
                messages=[entry.message for entry in entries],
            )
            ids = tuple((entry.customer, entry.message.id) for entry in entries)
            return self._webhook(queue.number, value, len(entries), messages=ids)
        is_full = len(queue.statuses) >= self._config.statuses_per_webhook
        if queue.statuses and (is_full or not only_full):
            statuses = _up_to(self._config.statuses_per_webhook, queue.statuses)
            value = WireValue(messaging_product="whatsapp", metadata=queue.metadata, statuses=statuses)
            names = tuple(f"{status.id}:{status.status}" for status in statuses)
            return self._webhook(queue.number, value, len(statuses), statuses=names)
        return None

    def _webhook(
        self,
        number: SimulatedNumber,
        value: WireValue | msgspec.Raw,
        promises: int,
        *,
        field: str = "messages",
        messages: tuple[tuple[str, str], ...] = (),
        statuses: tuple[str, ...] = (),
    ) -> Webhook:
        body = encode_change(number.business_account_id, self._unix_time(), field, value)
        signature = sign(self._config.app_secret, body)
        return Webhook(body=body, signature=signature, promises=promises, messages=messages, statuses=statuses)


_Entry = TypeVar("_Entry")


def _up_to(most: int, queue: deque[_Entry]) -> list[_Entry]:
    return [queue.popleft() for _ in range(min(most, len(queue)))]
