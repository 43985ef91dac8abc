"""Status webhooks: what Meta says about a message it accepted."""

from datetime import datetime, timedelta

import msgspec

from app.simulator.graph_errors import StatusError
from app.simulator.ledger import Received, Undelivered
from app.simulator.people import WINDOW, Customer
from app.simulator.wire import WireConversation, WireOrigin, WirePricing, WireStatus

__all__ = ["Report", "make_status", "report_again"]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What the statuses of one message have in common. `code` is the error of a failed one."""

    channel: str
    customer: Customer
    wamid: str
    tracker: str | None
    category: str
    code: int | None = None


def report_again(record: Received | Undelivered, customer: Customer) -> Report:
    """Return the report of a message that an earlier life of the simulator accepted."""
    return Report(
        channel=record.channel,
        customer=customer,
        wamid=record.wamid,
        tracker=record.tracker,
        category="utility" if isinstance(record, Received) and record.kind == "template" else "service",
        code=record.code if isinstance(record, Undelivered) else None,
    )


def make_status(report: Report, status: str, at: datetime) -> WireStatus:
    """Return a status of that name; prices and conversation come with `sent` and `delivered`, as Meta's do."""
    customer = report.customer
    is_priced = status in {"sent", "delivered"}
    return WireStatus(
        id=report.wamid,
        status=status,
        timestamp=str(int(at.timestamp())),
        recipient_id=customer.phone,
        # Meta leaves the user id out of `failed` for a message that was sent to a phone.
        recipient_user_id=None if status == "failed" and customer.phone else customer.user_id,
        biz_opaque_callback_data=report.tracker,
        conversation=_conversation(report, status, at) if is_priced else None,
        pricing=_pricing(report.category) if is_priced else None,
        errors=None if report.code is None else [StatusError.of(report.code)],
    )


def _conversation(report: Report, status: str, at: datetime) -> WireConversation:
    ends_at = at + WINDOW - timedelta(minutes=1)
    return WireConversation(
        id=f"{report.customer.user_id.partition('.')[2]}{report.channel[-6:]}",
        origin=WireOrigin(type=report.category),
        expiration_timestamp=str(int(ends_at.timestamp())) if status == "sent" else None,
    )


def _pricing(category: str) -> WirePricing:
    is_service = category == "service"
    return WirePricing(
        billable=not is_service,
        pricing_model="PMP",
        type="free_customer_service" if is_service else "regular",
        category=category,
    )
