"""Proof and doctor for whoever sits at a terminal. Beside running processes: nothing is written, no lock is taken."""

from datetime import UTC, datetime, timedelta

import click

from app.audit.keys import sealed_by
from app.audit.verify import verify as verify_trail
from app.core.db import Database
from app.core.security.cipher import Cipher
from app.proof.schemas import Check, CheckStatus, Diagnosis, Ledger, Proof
from app.proof.service import Prover
from app.whatsapp.channels import Channels
from settings import Settings

_MARKS: dict[CheckStatus, tuple[str, str]] = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "broken": ("✗", "red")}


async def verify_audit(settings: Settings, anchor: str | None) -> bool:
    """Walk the audit trail, and say whether it is whole."""
    database = _database(settings)
    try:
        verdict = await verify_trail(database, anchor=anchor)
    finally:
        await database.close()
    whole = f"The audit trail is whole: {verdict.entries} entries, head {verdict.head}"
    click.echo(whole if verdict.is_whole else f"The audit trail is broken: {verdict.reason}.")
    return verdict.is_whole


async def verify(settings: Settings, hours: float) -> bool:
    """Make a proof of the last `hours`, print it, and say whether it holds."""
    database = _database(settings)
    try:
        cipher = Cipher([key.reveal() for key in settings.security.fernet_keys])
        prover = Prover(database, Channels(database, cipher))
        proof = await prover.prove(datetime.now(UTC) - timedelta(hours=hours), keep=False)
    finally:
        await database.close()
    _print_ledger(proof.ledger)
    _print_rest(proof)
    return proof.holds


def _database(settings: Settings) -> Database:
    cipher = Cipher([key.reveal() for key in settings.security.fernet_keys])
    # Not entered: that would ask for the lock of SQLite's one writer, and this only reads beside it.
    return Database(settings.storage.database_url, pool_size=2, options=sealed_by(cipher))


def _print_ledger(ledger: Ledger) -> None:
    click.echo(f"Messages received since {ledger.since:%Y-%m-%d %H:%M} UTC: {ledger.received}")
    for line in ledger.lines:
        reason = f" ({line.reason})" if line.reason else ""
        click.secho(
            f"  {line.count:>8}  {line.fate.replace('_', ' ')}{reason}",
            fg="red" if line.fate == "unexplained" else None,
        )
        if line.fate == "unexplained":
            click.echo("".join(f"            {example.message_id}\n" for example in line.examples), nl=False)
    webhooks = ledger.webhooks
    click.echo(
        f"Webhooks acknowledged: {webhooks.received} ({webhooks.read} read, {webhooks.pending} waiting,"
        f" {webhooks.dead} dead)"
    )


def _print_rest(proof: Proof) -> None:
    reading = proof.reading
    told = f"{reading.messages} messages and {reading.statuses} statuses in {reading.webhooks} webhooks"
    part = "" if reading.complete else ", the newest; there are more"
    if reading.missing:
        click.secho(f"Read once more: {told}{part}; MISSING here: {reading.missing}", fg="red")
        click.echo("".join(f"            webhook {event_id}\n" for event_id in reading.examples), nl=False)
    else:
        click.echo(f"Read once more: {told}{part}; all of them are here")
    for one in proof.invariants:
        if one.violations:
            click.secho(f"NOT TRUE: {one.about} {one.violations} contradict it ({one.name})", fg="red")
            click.echo("".join(f"            {example}\n" for example in one.examples), nl=False)
    if not any(one.violations for one in proof.invariants):
        click.echo(f"Invariants: all {len(proof.invariants)} hold")
    if proof.holds:
        click.secho("It holds: every message has a fate or waits for one.", fg="green")
    else:
        click.secho("It does not hold.", fg="red")


def show(diagnosis: Diagnosis) -> None:
    """Print what the doctor found, the worst first."""
    width = max(len(check.name) for check in diagnosis.checks)
    for check in diagnosis.checks:
        _print_check(check, width)
    count = {status: sum(check.status == status for check in diagnosis.checks) for status in _MARKS}
    click.echo(f"{count['broken']} broken, {count['warning']} to look at, {count['ok']} well")


def _print_check(check: Check, width: int) -> None:
    mark, colour = _MARKS[check.status]
    click.echo(f"{click.style(mark, fg=colour)} {check.name:<{width}}  {check.found}")
    if check.remedy:
        click.echo(f"  {'':<{width}}  → {check.remedy}")
