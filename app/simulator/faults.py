"""The fault menu: what may go wrong between the product and Meta, how often, and for whom.

Each kind draws from its own random stream, so the same seed gives the same faults however the kinds interleave.
"""

from random import Random
from typing import Annotated, Literal, get_args

import msgspec

from app.core.errors import InvalidInput
from app.simulator.graph_errors import GRAPH_ERRORS

__all__ = ["Fault", "FaultKind", "FaultMenu"]

FaultKind = Literal[
    # Sends that are not accepted.
    "error",
    "server_error",
    "drop_before_accept",
    # Sends that are accepted, although the caller does not learn it.
    "timeout_after_accept",
    "server_error_after_accept",
    "drop_after_accept",
    # Sends that take their time, whatever their end.
    "slow",
    # Webhooks.
    "duplicate_webhook",
    "reorder_webhooks",
    "late_webhook",
    "hold_webhooks",
    # Statuses of accepted messages.
    "lost_statuses",
    "failed_status",
]

_NEEDS_CODE: tuple[FaultKind, ...] = ("error", "failed_status")
_NEEDS_SECONDS: tuple[FaultKind, ...] = ("slow", "late_webhook")


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line of the menu.

    probability: how often it strikes.
    count: how many times at most; None is without end.
    code: Graph error code of `error` and `failed_status` (a key of GRAPH_ERRORS).
    status: HTTP status in place of the usual one (`error`, `server_error`, `server_error_after_accept`).
    seconds: duration of `slow` and `late_webhook`; how long a lone reordered webhook waits for others.
    copies: how many more times a duplicated webhook arrives.
    customer: phone or user id of the only customer it strikes; None is everyone. Webhooks of statuses, which many
        customers share, are struck only by faults for everyone.
    """

    kind: FaultKind
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    count: Annotated[int, msgspec.Meta(ge=1)] | None = None
    code: int | None = None
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    seconds: Annotated[float, msgspec.Meta(ge=0, le=86_400)] | None = None
    copies: Annotated[int, msgspec.Meta(ge=1, le=10)] = 1
    customer: str | None = None


class FaultMenu:
    """Faults in force. The first line of a kind that strikes is the one that counts."""

    def __init__(self, seed: int = 1) -> None:
        self._seed = seed
        self._lines: dict[FaultKind, list[_Line]] = {}
        self._streams: dict[FaultKind, Random] = {}

    def replace(self, faults: list[Fault], seed: int | None = None) -> None:
        """Put these faults in force instead of the present ones and start the random streams again.

        Raises:
            InvalidInput: a fault lacks what its kind needs.

        """
        for fault in faults:
            _check(fault)
        self._seed = self._seed if seed is None else seed
        self._streams.clear()
        self._lines = {}
        for fault in faults:
            self._lines.setdefault(fault.kind, []).append(_Line(fault))

    def add(self, fault: Fault) -> None:
        """Put one more fault in force (raises InvalidInput as `replace` does)."""
        _check(fault)
        self._lines.setdefault(fault.kind, []).append(_Line(fault))

    def active(self) -> list[Fault]:
        """Return the faults in force, each with the count that is left."""
        return [line.left() for lines in self._lines.values() for line in lines if not line.is_spent()]

    def strike(self, kind: FaultKind, customer: str | None = None) -> Fault | None:
        """Return the fault of this kind that strikes now, and use it up by one; None when all goes well."""
        for line in self._lines.get(kind, ()):
            if line.is_meant_for(customer) and not line.is_spent() and self._stream(kind).random() < line.probability:
                line.struck += 1
                return line.fault
        return None

    def stream(self, kind: FaultKind) -> Random:
        """Return the random stream of a kind, for choices that belong to it."""
        return self._stream(kind)

    def _stream(self, kind: FaultKind) -> Random:
        stream = self._streams.get(kind)
        if stream is None:
            # Text seeds are hashed the same way in every process, unlike hash() of a tuple.
            stream = self._streams[kind] = Random(f"{self._seed}:{kind}")  # noqa: S311 - faults, not secrets
        return stream


class _Line:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.struck = 0

    @property
    def probability(self) -> float:
        return self.fault.probability

    def is_spent(self) -> bool:
        return self.fault.count is not None and self.struck >= self.fault.count

    def is_meant_for(self, customer: str | None) -> bool:
        return self.fault.customer is None or self.fault.customer == customer

    def left(self) -> Fault:
        if self.fault.count is None:
            return self.fault
        return msgspec.structs.replace(self.fault, count=self.fault.count - self.struck)


def _check(fault: Fault) -> None:
    if fault.kind not in get_args(FaultKind):
        raise InvalidInput(f"there is no fault {fault.kind!r}", "kind")
    if fault.kind in _NEEDS_CODE and fault.code not in GRAPH_ERRORS:
        raise InvalidInput(f"{fault.kind} needs a code that Graph knows", "code")
    if fault.kind in _NEEDS_SECONDS and fault.seconds is None:
        raise InvalidInput(f"{fault.kind} needs seconds", "seconds")
