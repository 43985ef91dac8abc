"""What a simulator is told when it is made."""

from pathlib import Path
from typing import Literal

import msgspec

__all__ = ["DEFAULT_NUMBER", "Retries", "SimulatedNumber", "SimulatorConfig", "StatusPace"]


class SimulatedNumber(msgspec.Struct, frozen=True, kw_only=True):
    """A business number that this Meta knows. `display_phone_number` is digits, as webhooks carry it."""

    phone_number_id: str = "100000000000001"
    display_phone_number: str = "15550001111"
    verified_name: str = "Mostrador"
    business_account_id: str = "200000000000001"


DEFAULT_NUMBER = SimulatedNumber()


class StatusPace(msgspec.Struct, frozen=True, kw_only=True):
    """When each status of an accepted message is due, in seconds after it was accepted.

    `read_after_seconds=None` means that customers never open the chat.
    """

    sent_after_seconds: float = 0.0
    delivered_after_seconds: float = 0.0
    read_after_seconds: float | None = 0.0


class Retries(msgspec.Struct, frozen=True, kw_only=True):
    """How a webhook that was not answered with 200 comes again, with growing delay (Meta: for up to 7 days)."""

    timeout_seconds: float = 10.0
    first_delay_seconds: float = 0.5
    factor: float = 2.0
    longest_delay_seconds: float = 3600.0
    give_up_after_attempts: int = 200

    def delay_seconds(self, attempts: int) -> float:
        """Return the pause after that many failed attempts."""
        # The exponent is bounded so that a long outage cannot overflow the power.
        return min(self.first_delay_seconds * self.factor ** min(attempts - 1, 32), self.longest_delay_seconds)


class SimulatorConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The product's address and the secrets both sides share, and how this Meta behaves.

    webhook_url: where signed webhooks are posted.
    app_secret: key of `X-Hub-Signature-256`.
    access_token: the Bearer that Graph calls must carry.
    ledger_path: JSON Lines file; None keeps the ledger in memory only.
    public_url: address of the Graph endpoints, for download addresses in webhooks; None leaves those out there and
        derives the ones in answers from the request.
    statuses_per_webhook, messages_per_webhook: how many at most travel together.
    status_linger_seconds: how long due statuses wait for others to share their webhook; 0 is the same loop tick.
    webhook_connections: webhooks under way at the same time; 1 makes their order deterministic.
    window_refusal: whether a closed 24 h window shows in the answer or in a later `failed` status (Meta does both).
    pair_limit: whether 131056 comes after 45 messages to one customer (refilled by one every 6 s).
    keep_bodies: whether acknowledged webhooks are kept with their body, or only with ids and hash.
    """

    webhook_url: str
    app_secret: str
    access_token: str
    numbers: tuple[SimulatedNumber, ...] = (DEFAULT_NUMBER,)
    ledger_path: Path | None = None
    public_url: str | None = None
    pace: StatusPace = StatusPace()
    retries: Retries = Retries()
    statuses_per_webhook: int = 50
    messages_per_webhook: int = 1
    status_linger_seconds: float = 0.0
    webhook_connections: int = 8
    window_refusal: Literal["answer", "status"] = "answer"
    pair_limit: bool = False
    keep_bodies: bool = True
    seed: int = 1
