"""Bases of everything the API takes and returns.

Subclasses repeat `frozen=True, kw_only=True`: msgspec does not inherit the second, and type checkers ask for the first.
"""

import msgspec


class Input(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client sends. A member that is not declared is an error, so that a misspelt one is never ignored."""


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """What a client receives: every declared member is present, `null` where there is nothing to say."""
