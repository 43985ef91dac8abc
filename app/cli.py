"""The operator's commands: `mostrador --help`."""

import asyncio
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from app.core.errors import MostradorError
from settings import BadSettings, Settings, load

Answer = TypeVar("Answer")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mostrador")
def main() -> None:
    """Mostrador: an assistant answers your customers on WhatsApp, and people take over when it matters."""


@main.command()
def serve() -> None:
    """Start the web process. Without REDIS_URL it does everything itself."""
    _work("web")


@main.command()
def jobs() -> None:
    """Start a process that ingests, answers, delivers and runs jobs. Any number may run; they need REDIS_URL."""
    _work("jobs")


@main.command()
def scheduler() -> None:
    """Start the process that starts scheduled jobs. Needs REDIS_URL."""
    _work("scheduler")


@main.command("whatsapp-web")
def whatsapp_web() -> None:
    """Start the process with the browsers of linked phones. Needs REDIS_URL."""
    _work("whatsapp-web")


@main.command()
@click.option("--url", default="http://127.0.0.1:8003/simulator", show_default=True, help="Where the simulator is.")
@click.option("--customer", default="573001112233", show_default=True, help="The customer's phone number, digits only.")
@click.option("--name", default="Terminal", show_default=True, help="The customer's name, as WhatsApp would show it.")
def chat(url: str, customer: str, name: str) -> None:
    """Talk to the bot in the terminal, as a customer would on WhatsApp."""
    from app.simulator.chat import chat as talk

    sys.exit(_run(talk(url, customer=customer, name=name)))


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8004, show_default=True)
@click.option(
    "--webhook", default="http://127.0.0.1:8003/webhooks/whatsapp", show_default=True, help="Where webhooks go."
)
@click.option("--app-secret", required=True, envvar="WHATSAPP_APP_SECRET", help="Signs the webhooks.")
@click.option("--access-token", required=True, envvar="WHATSAPP_CLOUD_TOKEN", help="What calls must bring.")
@click.option(
    "--phone-id", "phone_ids", multiple=True, envvar="WHATSAPP_PHONE_ID", help="A number it knows; repeatable."
)
@click.option(
    "--ledger", type=click.Path(path_type=Path), default=None, help="JSON Lines file of what customers received."
)
def simulator(
    host: str,
    port: int,
    webhook: str,
    app_secret: str,
    access_token: str,
    phone_ids: tuple[str, ...],
    ledger: Path | None,
) -> None:
    """Play Meta on this machine: a Graph API that sends signed webhooks back."""
    from app.core.log import configure_logging
    from app.simulator.config import DEFAULT_NUMBER, SimulatedNumber, SimulatorConfig
    from app.simulator.server import serve as play

    configure_logging(log_format="console", level="info")
    numbers = tuple(SimulatedNumber(phone_number_id=phone_id) for phone_id in phone_ids) or (DEFAULT_NUMBER,)
    click.echo(f"The simulator listens on http://{host}:{port} and sends webhooks to {webhook}")
    play(
        SimulatorConfig(
            webhook_url=webhook,
            app_secret=app_secret,
            access_token=access_token,
            numbers=numbers,
            ledger_path=ledger,
            public_url=f"http://{host}:{port}/graph",
        ),
        host=host,
        port=port,
    )


@main.command("create-user")
@click.argument("username")
@click.option(
    "--role", type=click.Choice(["admin", "supervisor", "agent", "viewer"]), default="agent", show_default=True
)
@click.password_option(help="Asked for when not given.")
def create_user(username: str, role: Any, password: str) -> None:
    """Create an account."""
    settings = _settings()

    async def create() -> None:
        from app.accounts.service import create_user as create_account
        from app.audit.keys import sealed_by
        from app.core.db import Database
        from app.core.db.migrate import migrate
        from app.core.security.cipher import Cipher
        from app.core.security.passwords import Passwords

        options = sealed_by(Cipher([key.reveal() for key in settings.security.fernet_keys]))
        async with Database(settings.storage.database_url, options=options) as database, Passwords() as passwords:
            await migrate(database)
            await create_account(database, passwords, username=username, password=password, role=role)

    _run(create())
    click.echo(f"{username} may come in now, as {role}.")


@main.command("rotate-keys")
def rotate_keys() -> None:
    """Make a new key for stored secrets; running processes use it at once and encrypt everything anew."""
    settings = _settings()
    from cryptography.fernet import Fernet

    from app.core.security.cipher import Cipher
    from app.core.security.key_file import KeyFile

    path = settings.security.fernet_key_file
    if path is None:
        click.echo("The keys are those of FERNET_KEY, which only you can change. Put this one before them:")
        click.echo(f"FERNET_KEY={Fernet.generate_key().decode()},<what it has now>")
        click.echo("Restart all processes. GET /api/system/keys says when the old ones are unused and can go.")
        return
    file = KeyFile(path)
    try:
        file.add()
        newest = Cipher(file.read()).fingerprints[0]
    except (MostradorError, OSError) as error:
        _refuse(str(error))
    click.echo(f"The key {newest} encrypts from now on. Within minutes a running process encrypts everything anew;")
    click.echo("GET /api/system/keys says how far it is. Keys that nothing uses any more are dropped by themselves.")


@main.command()
@click.option("--audit", is_flag=True, help="Only walk the chain of the audit trail.")
@click.option("--anchor", help="<sequence>:<hash> of an earlier verification, or of the log's daily audit.anchored.")
@click.option("--hours", type=click.FloatRange(0.01, 31 * 24), default=24.0, show_default=True, help="How far back.")
def verify(audit: bool, anchor: str | None, hours: float) -> None:
    """Prove that every message has a fate, every webhook was stored and every invariant holds; exit 1 if not."""
    settings = _settings()
    if settings.storage.sqlite_path is not None and not settings.storage.sqlite_path.exists():
        _refuse(f"there is no database at {settings.storage.sqlite_path}")
    from app.proof.terminal import verify as prove
    from app.proof.terminal import verify_audit

    whole = _run(verify_audit(settings, anchor))
    holds = audit or _run(prove(settings, hours))
    sys.exit(0 if whole and holds else 1)


@main.command()
def doctor() -> None:
    """Say what is wrong with this installation and what to do about it; exit 1 if something is broken."""
    settings = _settings()
    from app.plugins import Parts
    from app.proof.terminal import show

    async def examine() -> bool:
        parts = Parts(settings, "web")  # built and not opened: this may run beside the processes
        try:
            diagnosis = await parts.doctor.examine()
        finally:
            await parts.close()
        show(diagnosis)
        return diagnosis.status != "broken"

    sys.exit(0 if _run(examine()) else 1)


@main.command()
@click.argument("process", type=click.Choice(["web", "jobs", "scheduler", "whatsapp-web"]), default="web")
def health(process: str) -> None:
    """Say whether a process on this machine is well; exit 1 if not. For container health checks."""
    settings = _settings()
    from app.system.checks import process_is_well

    well = _run(process_is_well(settings, process))
    click.echo("ok" if well else f"the {process} process is not well")
    sys.exit(0 if well else 1)


@main.command()
def openapi() -> None:
    """Print the OpenAPI document, to generate clients from."""
    import msgspec

    from app.asgi import create_app
    from app.core.openapi import openapi_document
    from app.plugins import Parts

    document = openapi_document(create_app(Parts(_settings(), "web")))
    click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())


def _work(process: str) -> None:
    """Become that process, so that signals reach it and its exit status is ours."""
    os.execv(sys.executable, [sys.executable, "-m", "workers", process])  # noqa: S606 - our own module, no shell


def _settings() -> Settings:
    try:
        settings = load()
    except BadSettings as error:
        _refuse(str(error))
    for warning in settings.warnings:
        click.secho(f"Warning: {warning}", fg="yellow", err=True)
    return settings


def _run(work: Coroutine[Any, Any, Answer]) -> Answer:
    try:
        return asyncio.run(work)
    except MostradorError as error:
        _refuse(str(error))


def _refuse(reason: str) -> NoReturn:
    click.echo(reason, err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
