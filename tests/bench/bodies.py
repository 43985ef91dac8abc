"""Signed webhooks, written by hand so that making one costs the load generator microseconds."""

import hmac
import itertools
import time
from collections.abc import Iterator

from tests.bench.http_wire import post

APP_SECRET = "bench-app-secret-0123456789abcdef0123456789abcdef"
PATH = "/webhooks/whatsapp"
_HEAD = '{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{'
_NUMBER = '"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"%s"},'
_TAIL = '},"field":"messages"}]}]}'
_PRICING = '"pricing":{"billable":true,"pricing_model":"PMP","category":"service","type":"free_customer_service"}'


def signed(body: bytes) -> bytes:
    """Return the whole request that brings this body."""
    signature = hmac.digest(APP_SECRET.encode(), body, "sha256").hex()
    return post(PATH, body, {"user-agent": "facebookexternalua", "x-hub-signature-256": f"sha256={signature}"})


def message(number_id: str, customer: str, message_id: str, text: str) -> bytes:
    """Return the webhook of a customer's text."""
    contact = f'{{"profile":{{"name":"Customer {customer[-4:]}"}},"wa_id":"{customer}"}}'
    said = f'"timestamp":"{int(time.time())}","text":{{"body":"{text}"}},"type":"text"'
    item = f'{{"from":"{customer}","id":"{message_id}",{said}}}'
    return f'{_HEAD}{_NUMBER % number_id}"contacts":[{contact}],"messages":[{item}]{_TAIL}'.encode()


def status(number_id: str, customer: str, message_id: str, name: str, tracker: str) -> bytes:
    """Return the webhook of one delivery status."""
    return (
        f'{_HEAD}{_NUMBER % number_id}"statuses":[{{"id":"{message_id}","status":"{name}",'
        f'"timestamp":"{int(time.time())}","recipient_id":"{customer}","biz_opaque_callback_data":"{tracker}",'
        f"{_PRICING}}}]{_TAIL}"
    ).encode()


def unique_statuses(number_id: str, series: str) -> Iterator[bytes]:
    """Yield signed requests without end, no two alike: statuses of messages that nobody has sent.

    Most webhooks of a busy installation are statuses, and one that matches no message asks little of the ingest.
    """
    for count in itertools.count():
        yield signed(status(number_id, "573001112233", f"wamid.{series}.{count}", "delivered", ""))
