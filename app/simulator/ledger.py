"""The judge's book: what each customer received, what they wrote, and which webhooks were acknowledged.

Append-only, in memory and in a JSON Lines file. Each line is handed to the operating system before the call that
caused it is answered, so it survives `kill -9` of the simulator. Lines are told apart by their member `record`.
"""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from app.simulator.wire import WireContact, WireMessage

__all__ = ["Acknowledged", "Ledger", "Received", "Reset", "Undelivered", "Wrote", "read_ledger"]


class _Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="record", omit_defaults=True):
    """`at` is the simulator's time."""

    at: datetime


class Received(_Record, frozen=True, kw_only=True, tag="received"):
    """A message that reached a customer.

    seq: counts what all customers received, from 1.
    channel: phone number id of the business number; to: phone or user id of the customer.
    tracker: `biz_opaque_callback_data`; body: the text a person reads; content: the member named by `kind`, as sent.
    statuses: the statuses that Meta will report (none if a fault loses them).
    """

    seq: int
    channel: str
    to: str
    wamid: str
    tracker: str | None = None
    kind: str
    body: str
    content: msgspec.Raw
    statuses: tuple[str, ...] = ()


class Undelivered(_Record, frozen=True, kw_only=True, tag="undelivered"):
    """A message that was accepted, and of which Meta later says `failed` with `code`: the customer has nothing."""

    channel: str
    to: str
    wamid: str
    tracker: str | None = None
    code: int


class Wrote(_Record, frozen=True, kw_only=True, tag="wrote"):
    """What a customer wrote, as its webhook carries it."""

    channel: str
    customer: str
    contact: WireContact
    message: WireMessage
    text: str


class Acknowledged(_Record, frozen=True, kw_only=True, tag="acknowledged"):
    """A webhook that was answered with 200, after that many attempts.

    messages: ids of the customer messages in it; statuses: `<wamid>:<status>` of the statuses in it.
    """

    attempts: int
    sha256: str
    messages: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    body: str | None = None


class Reset(_Record, frozen=True, kw_only=True, tag="reset"):
    """All lines before this one are void."""


Record = Received | Undelivered | Wrote | Acknowledged | Reset

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Record).decode


class Ledger:
    """Opened once; an existing file is read back first (`records` gives what it held)."""

    def __init__(self, path: Path | None = None) -> None:
        self.received: list[Received] = []
        self.undelivered: list[Undelivered] = []
        self.wrote: list[Wrote] = []
        self.acknowledged: list[Acknowledged] = []
        self._file: int | None = None
        if path is not None:
            self._open(path)

    @property
    def next_seq(self) -> int:
        return len(self.received) + 1

    def append(self, record: Record) -> None:
        """Add a record; when this returns, the operating system has it."""
        if self._file is not None:
            # One small write into the page cache, without fsync: the book must outlive our process, not the machine.
            os.write(self._file, _encode(record) + b"\n")
        self._remember(record)

    def received_by(self, customer: str | None = None, after: int = 0) -> Iterator[Received]:
        """Yield what this customer (None: everyone) received after the entry `after`, oldest first."""
        # Entries are numbered from 1 without gaps, so the place in the list is known.
        for entry in self.received[max(after, 0) :]:
            if customer is None or entry.to == customer:
                yield entry

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            _cut_broken_line(path)
            for record in read_ledger(path):
                self._remember(record)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def _remember(self, record: Record) -> None:
        match record:
            case Received():
                self.received.append(record)
            case Undelivered():
                self.undelivered.append(record)
            case Wrote():
                self.wrote.append(record)
            case Acknowledged():
                self.acknowledged.append(record)
            case Reset():
                for records in (self.received, self.undelivered, self.wrote, self.acknowledged):
                    records.clear()


def read_ledger(path: Path) -> Iterator[Record]:
    """Yield the records of a ledger file, also while its simulator writes; a line that is still half is left out."""
    with path.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                yield _decode(line)


def _cut_broken_line(path: Path) -> None:
    """Remove a last line that a killed process left half written."""
    content = path.read_bytes()
    if content and not content.endswith(b"\n"):
        os.truncate(path, content.rfind(b"\n") + 1)
