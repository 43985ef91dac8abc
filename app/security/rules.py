"""What looks wrong, as data: which entries of the audit trail or which counts, and how many are too many."""

from collections.abc import Sequence
from typing import Final, Literal, get_args

import msgspec

from settings.watch import WatchSettings

Kind = Literal["sign_in_failed", "locked_out", "refresh_reused", "live_refused", "bad_signature", "audit_broken"]
Counted = Literal["live_refused", "bad_signature"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


class Rule(msgspec.Struct, frozen=True):
    """`kind` is suspicious when it happens `threshold` times or more within the window.

    It is counted in the audit trail by `actions`, or without them in the counts that processes keep.
    """

    kind: Kind
    threshold: int
    actions: tuple[str, ...] = ()
    is_always_urgent: bool = False


def rules(watch: WatchSettings) -> Sequence[Rule]:
    return (
        Rule("sign_in_failed", watch.sign_in_failed, ("accounts.sign_in_refused", "accounts.proof_refused")),
        Rule("locked_out", watch.locked_out, ("accounts.locked_out",)),
        Rule("refresh_reused", watch.refresh_reused, ("accounts.refresh_reused",)),
        Rule("live_refused", watch.live_refused),
        Rule("bad_signature", watch.bad_signature),
    )
