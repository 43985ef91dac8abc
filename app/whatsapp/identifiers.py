"""How WhatsApp names people: phone numbers and business-scoped user ids (BSUID).

A person may be known by a phone number, by a user id, or by both; since 2026 either may be absent. A user id looks like
`US.13491208655302741918`, one of a parent business like `US.ENT.11815799212886844830`; both are taken as they come.
Source: Meta, "Business-scoped user IDs" (2026-08-11).
"""

import msgspec

__all__ = ["LONGEST_IDENTIFIER", "Recipient", "identifier", "phone_digits"]

LONGEST_IDENTIFIER = 512
"""Longer names are not WhatsApp's; it also keeps every identifier within what a database index can hold."""

_PHONE_NOISE = str.maketrans("", "", " ()-.\u00a0")
_SHORTEST_PHONE, _LONGEST_PHONE = 5, 15


class Recipient(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who a message goes to: `phone` (digits of E.164 without `+`), `user_id` (BSUID), or both; the phone wins."""

    phone: str | None = None
    user_id: str | None = None


def phone_digits(written: str | None) -> str | None:
    """Return the digits of an international phone number, or `None` if it is not one.

    Takes what Meta and people write (`16505551234`, `+1 (650) 555-1234`): 5 to 15 digits (ITU-T E.164), country code
    first.
    """
    if not written:
        return None
    digits = written if written.isdigit() else written.translate(_PHONE_NOISE).removeprefix("+")
    if digits.isascii() and digits.isdigit() and _SHORTEST_PHONE <= len(digits) <= _LONGEST_PHONE:
        return digits
    return None


def identifier(value: str | None) -> str | None:
    """Return an identifier as it came, or `None` for one that is empty or longer than any that WhatsApp issues."""
    return value if value and len(value) <= LONGEST_IDENTIFIER else None
