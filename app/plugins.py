"""Settings become parts: every choice between one process and many, and between databases, is made here.

`Parts` builds everything without I/O; `running` opens what the process's role needs, and closes it in reverse.
"""

import asyncio
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.metadata import version
from operator import attrgetter
from typing import Literal, TypeVar

import structlog
from redis.asyncio import Redis

from app import reactions
from app.accounts import jobs as accounts_jobs
from app.accounts.api_keys import ApiKeys
from app.accounts.authentication import Authentication
from app.accounts.people import People
from app.accounts.second_factor import SecondFactor
from app.accounts.service import Accounts, ensure_first_admin
from app.accounts.sessions import SESSIONS, Sessions
from app.ai.chain.service import ModelChain
from app.ai.llm.clock import SystemClock
from app.ai.llm.redis_state import RedisState
from app.ai.llm.router import Router
from app.ai.llm.routes import configured_routes
from app.ai.llm.state import MemoryState, RouteState
from app.ai.playground.service import Playground
from app.ai.replies.metering import set_gauges
from app.ai.replies.service import TURNS, Replies
from app.audit.keys import sealed_by
from app.conversations.turns import Pace
from app.core.db import Database
from app.core.db.events import EVENTS, EventRelay
from app.core.db.migrate import HEAD, migrate
from app.core.dispatch import Dispatcher, Timing, each
from app.core.failpoints import reach
from app.core.http.limits import LimitRules
from app.core.http_client import HttpClient
from app.core.jobs import register
from app.core.memory import settle_memory
from app.core.metrics import Metrics, loop_lag_probe
from app.core.parts import Part, running
from app.core.queue.queues import JobQueues
from app.core.queue.schedule import SqlScheduleTable, tracked
from app.core.queue.scheduler import Scheduler
from app.core.security.cipher import Cipher
from app.core.security.key_file import KeyFile
from app.core.security.passwords import Passwords
from app.core.security.rate_limit import Limit, LocalRateLimiter, RateLimiter, RedisRateLimiter, TokenBuckets
from app.core.security.session_cookies import SessionCookies
from app.core.security.ssrf import OutsideRules
from app.core.security.tokens import AccessTokens
from app.core.wake import open_wake
from app.live.bus import InProcessBus, LiveBus
from app.live.door import LiveDoor
from app.live.redis_bus import RedisBus
from app.outbound.delivery import OUTBOX, Delivery
from app.outbound.files import Files
from app.proof import jobs as proof_jobs
from app.proof.doctor import Doctor
from app.proof.examinations import installation
from app.proof.outside import surroundings
from app.proof.probe import InvariantsProbe
from app.proof.service import Prover
from app.security import jobs as security_jobs
from app.security.counts import SecurityCounts
from app.security.detection import Detection
from app.security.rules import rules as security_rules
from app.security.service import Console
from app.simulator.config import DEFAULT_NUMBER, SimulatorConfig, StatusPace
from app.simulator.service import Simulator
from app.system import jobs as system_jobs
from app.system.backlog import DatabaseBacklog
from app.system.dispatch_metrics import DispatchMetrics
from app.system.encrypted import ENCRYPTED
from app.system.heartbeat import Heartbeat
from app.system.key_rotation import KeyRotation
from app.system.probes import (
    DatabaseProbe,
    DatabaseWriteProbe,
    DiskProbe,
    Draining,
    JobsProbe,
    MigrationsProbe,
    Probe,
    QueueProbe,
    RedisProbe,
    SecretsProbe,
)
from app.system.scrape import MetricsDoor
from app.system.service import Health
from app.whatsapp import jobs as whatsapp_jobs
from app.whatsapp.channels import Channels, ChannelSecrets, NewChannel
from app.whatsapp.graph import GraphClient
from app.whatsapp.ingest import Ingest
from app.whatsapp.intake import INBOX, Intake
from app.whatsapp.pacing import LocalPacer, Pacer
from app.whatsapp.pacing_redis import RedisPacer
from app.whatsapp.templates import Templates
from app.whatsapp.transports import build_transports
from app.whatsapp.web.sessions import WebSessions
from app.whatsapp.webhook import WebhookDoor
from settings import Settings

log = structlog.get_logger()

Role = Literal["web", "jobs", "scheduler", "whatsapp-web"]
Item = TypeVar("Item")
VERSION = version("mostrador")

_WEBHOOK_BURST_SECONDS = 10
_RELAY_GATHER_SECONDS = 0.05  # an answered message makes seven events, and who looks at a screen sees no wait so short
_REDIS_ANSWER_SECONDS = 1.0  # a message waits for Redis: better to fall back to this process's own knowledge


class Parts:
    """Everything one process is made of. `embedded` means that this web process does all the work itself."""

    def __init__(self, settings: Settings, role: Role) -> None:
        self.settings = settings
        self.role = role
        self.embedded = settings.storage.redis_url is None
        self._redis = _redis(settings.storage.redis_url)
        self._storage()
        self._limits()
        self._people()
        self._whatsapp()
        self._assistant()
        self._pipeline()
        self._jobs()
        self._watching()

    def _storage(self) -> None:
        storage = self.settings.storage
        self.media_dir = storage.data_dir / "media"
        self.metrics = Metrics()
        security = self.settings.security
        self.key_file = None if security.fernet_key_file is None else KeyFile(security.fernet_key_file)
        self.cipher = Cipher([key.reveal() for key in security.fernet_keys], source=self.key_file)
        self.database = Database(
            storage.database_url, pool_size=storage.database_pool_size, options=sealed_by(self.cipher)
        )
        self.wake = open_wake(storage.redis_url)
        self.live: LiveBus = InProcessBus() if storage.redis_url is None else RedisBus(storage.redis_url)
        self.http = HttpClient(user_agent=f"Mostrador/{VERSION}")
        # For every address that a user, or somebody else's answer, can set.
        self.outside_rules = OutsideRules()
        self.outside_http = HttpClient(
            user_agent=f"Mostrador/{VERSION}",
            address_guard=self.outside_rules.allows_address,
            target_guard=self.outside_rules.allows_target,
        )

    def _limits(self) -> None:
        limits = self.settings.security.rate_limits
        shared = self._redis if limits.redis_enabled else None
        self.rate_limiter: RateLimiter = LocalRateLimiter() if shared is None else RedisRateLimiter(shared)
        self.limit_rules = LimitRules(
            api=Limit(limits.api_requests, limits.window_seconds),
            sign_in=Limit(limits.auth_requests, limits.auth_window_seconds),
            system=Limit(limits.system_requests, limits.system_window_seconds),
        )
        self.webhook_buckets = TokenBuckets(
            per_second=limits.webhook_per_second, burst=limits.webhook_per_second * _WEBHOOK_BURST_SECONDS
        )

    def _people(self) -> None:
        self.passwords = Passwords()
        self.tokens = AccessTokens(self.settings.security.jwt_secret.reveal())
        self.sessions = Sessions(
            self.database,
            self.tokens,
            self.wake,
            self.metrics,
            secret=self.settings.security.jwt_secret.reveal(),
        )
        self.authentication = Authentication(self.database, self.tokens, self.wake)
        self.session_cookies = SessionCookies(self.settings.server.public_url)
        self.second_factor = SecondFactor(self.database, self.cipher)
        self.accounts = Accounts(self.database, self.passwords, self.sessions, self.second_factor, self.metrics)
        self.people = People(self.database, self.passwords, self.sessions, public_url=self.settings.server.public_url)
        self.api_keys = ApiKeys(self.database, self.sessions)
        self.live_door = LiveDoor(
            self.live,
            self.authentication,
            self.metrics,
            origins=frozenset({*self.settings.server.cors_origins, self.settings.server.public_url}),
            cookies=self.session_cookies,
            changes=lambda: self.wake.subscribe(SESSIONS),
        )

    def _whatsapp(self) -> None:
        whatsapp = self.settings.whatsapp
        self.simulator = _simulator(self.settings) if whatsapp.simulator and self.role == "web" else None
        self.channels = Channels(self.database, self.cipher, _configured_channels(self.settings))
        self.web_sessions = WebSessions(self.database, self.channels, self.cipher)
        self.graph = GraphClient(self.http, self.outside_http)
        self.transports = build_transports(self.http, self.database, self.wake)
        self.templates = Templates(self.channels, self.graph)
        self.pacer: Pacer = LocalPacer() if self._redis is None else RedisPacer(self._redis)
        self.intake = Intake(self.database, self.wake)
        self.webhook_door = WebhookDoor(
            self.intake,
            self.channels,
            self.metrics,
            app_secrets=[secret.reveal() for secret in whatsapp.app_secrets],
            verify_token=whatsapp.verify_token.reveal() if whatsapp.verify_token else None,
        )

    def _assistant(self) -> None:
        state: RouteState = (
            MemoryState(SystemClock()) if self._redis is None else RedisState(self._redis, SystemClock())
        )
        self.router = Router(
            configured_routes(self.settings.ai), client=self.http, outside=self.outside_http, state=state
        )
        self.chain = ModelChain(
            self.database, self.router, self.settings.ai, cipher=self.cipher, rules=self.outside_rules
        )
        self.playground = Playground(self.database, self.chain, self.router, self.metrics)

    def _pipeline(self) -> None:
        whatsapp = self.settings.whatsapp
        pace = Pace(whatsapp.turn_quiet_seconds, whatsapp.turn_max_wait_seconds)
        arrivals = reactions.Arrivals(pace)
        self.ingest = Ingest(self.database, self.channels, arrivals.take, arrivals.forget)
        self.replies = Replies(
            self.database,
            self.router,
            self.channels,
            self.transports,
            self.metrics,
            pace=pace,
            media_dir=self.media_dir,
        )
        files = Files(self.database, self.media_dir)
        self.delivery = Delivery(
            self.database,
            self.channels,
            self.transports,
            self.pacer,
            files,
            self.metrics,
            tell=partial(self.wake.notify, OUTBOX),
            failover_after=self.settings.whatsapp.failover_after,
        )

    def _jobs(self) -> None:
        self.key_rotation = KeyRotation(
            self.database,
            self.cipher,
            ENCRYPTED,
            key_file=self.key_file,
            every_days=self.settings.security.watch.fernet_rotation_days,
        )
        watch = self.settings.security.watch
        self.console = Console(security_rules(watch), watch, VERSION)
        self.detection = Detection(self.database, self.console.rules, watch)
        table = SqlScheduleTable(self.database)
        context = whatsapp_jobs.JobContext(
            database=self.database, channels=self.channels, graph=self.graph, media_dir=self.media_dir
        )
        jobs = [*whatsapp_jobs.jobs(context), *system_jobs.jobs(self.database, self.media_dir, self.key_rotation)]
        jobs += accounts_jobs.jobs(self.database)
        jobs += security_jobs.jobs(self.database, self.detection, retention_days=watch.retention_days)
        self.prover = Prover(self.database, self.channels)
        jobs += proof_jobs.jobs(self.prover)
        schedules = [*whatsapp_jobs.SCHEDULES, *system_jobs.SCHEDULES, *accounts_jobs.SCHEDULES]
        schedules += [*security_jobs.SCHEDULES, *proof_jobs.SCHEDULES]
        scheduled = {schedule.name for schedule in schedules}
        registry = register(tracked(job, table) if job.name in scheduled else job for job in jobs)
        self.queues = JobQueues(registry, redis_url=self.settings.storage.redis_url)
        self.worker = self.queues.worker()
        self.scheduler = Scheduler(schedules, table=table, jobs=self.queues)
        relay = EventRelay(self.database, reactions.EVENTS, reactions.Reactions(self.live, self.queues).react)
        self.dispatchers = self._dispatchers(relay)

    def _dispatchers(self, relay: EventRelay) -> list[Part]:
        """Return the stages of the message path. Each wakes the next; whatever is missed is found within a second."""
        observer = DispatchMetrics(self.metrics)
        quiet_seconds = self.settings.whatsapp.turn_quiet_seconds
        return [
            Dispatcher(
                "ingest",
                wake=self.wake.subscribe(INBOX),
                claim=self.ingest.claim,
                handle=self._then(self.ingest.handle, EVENTS, later=(TURNS, quiet_seconds)),
                batch_size=200,
                observer=observer,
            ),
            Dispatcher(
                "answer",
                wake=self.wake.subscribe(TURNS),
                claim=self.replies.claim,
                handle=self._then(each(self.replies.handle), OUTBOX, EVENTS),
                extend=self.replies.extend,
                concurrency=100,
                observer=observer,
            ),
            Dispatcher(
                "deliver",
                wake=self.wake.subscribe(OUTBOX),
                claim=self.delivery.claim,
                handle=self._then(each(self.delivery.handle), EVENTS),
                identify=attrgetter("attempt_id"),
                concurrency=100,
                observer=observer,
            ),
            Dispatcher(
                "relay",
                wake=self.wake.subscribe(EVENTS),
                claim=relay.claim,
                handle=relay.relay,
                batch_size=500,
                timing=Timing(gather_seconds=_RELAY_GATHER_SECONDS),
                observer=observer,
            ),
        ]

    def _then(
        self,
        handle: Callable[[Sequence[Item]], Awaitable[None]],
        *topics: str,
        later: tuple[str, float] | None = None,
    ) -> Callable[[Sequence[Item]], Awaitable[None]]:
        """Return `handle` followed by wake-ups of `topics`, and of another topic once its seconds have passed."""

        async def handle_and_tell(items: Sequence[Item]) -> None:
            await handle(items)
            for topic in topics:
                self.wake.notify(topic)
            if later is not None:
                topic, seconds = later
                asyncio.get_running_loop().call_later(seconds, self.wake.notify, topic)

        return handle_and_tell

    def _watching(self) -> None:
        counts = SecurityCounts(self.database, self.metrics)
        self.heartbeat = Heartbeat(self.database, self.role, version=VERSION, flush=counts.flush)
        self.draining = Draining()
        disk = DiskProbe(self.settings.storage.data_dir)
        waiting: list[Probe] = [QueueProbe(lambda: self.working)] if self._redis is None else []
        if self._redis is not None:
            waiting = [RedisProbe(self._redis), JobsProbe(self.database)]
        migrations, secrets = MigrationsProbe(self.database, frozenset({HEAD})), SecretsProbe(self.key_rotation)
        invariants = InvariantsProbe(self.prover, self.database)
        self.health = Health(
            probes=[DatabaseProbe(self.database), *waiting, disk, secrets, invariants],
            ready=[
                DatabaseWriteProbe(self.heartbeat),
                migrations,
                disk,
                self.draining,
            ],
            backlog=DatabaseBacklog(self.database),
            database=self.database,
            metrics=self.metrics,
            version=VERSION,
            gauges=[partial(set_gauges, self.metrics, self.router), partial(self.prover.set_gauges, self.metrics)],
        )
        self.doctor = self._doctor(migrations, disk, secrets)
        token = self.settings.server.metrics_token
        self.metrics_door = MetricsDoor(self.authentication, metrics_token=token.reveal() if token else None)
        self.working = False

    def _doctor(self, migrations: Probe, disk: Probe, secrets: Probe) -> Doctor:
        probes = [
            (migrations, "Restart the processes of this version: they bring the schema up to date."),
            (disk, f"Make room where {self.settings.storage.data_dir} lies."),
            (secrets, "Put the lost key back into FERNET_KEY, behind the newest."),
        ]
        if self._redis is not None:
            probes.append((RedisProbe(self._redis), "Start Redis, or correct REDIS_URL; nothing is lost meanwhile."))
        inside = installation(self.settings, self.database, probes, self.prover)
        outside = surroundings(
            self.database, self.channels, self.graph, self.http, self.router, self.settings.server.public_url
        )
        return Doctor([*inside, *outside])

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Parts"]:
        """Open what this process needs; at the end stop in reverse, so that nothing loses what it still needs.

        The web process without Redis runs the dispatchers, the worker and the scheduler itself. Worker processes start
        those of their kind on top.
        """
        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            stack.push_async_callback(self.close)
            await enter(self.database)
            await migrate(self.database)
            await enter(self.wake)
            await enter(self.live)
            await enter(self.passwords)
            await self._first_admin()
            await self.channels.open()
            await enter(self.chain)
            await enter(self.queues)
            await enter(self.intake)
            await enter(self.replies)
            await enter(self.delivery)
            await enter(self.heartbeat)
            await enter(loop_lag_probe(self.metrics))
            if self.simulator is not None:
                await enter(self.simulator.running())
            if self.role == "web" and self.embedded:
                await enter(running([self.worker, self.scheduler, *self.dispatchers]))
                self.working = True
            self.metrics.worker_up.labels(self.role).set(1)
            settle_memory()
            yield self
            self.draining.begin()
            reach("stop.begun")

    async def _first_admin(self) -> None:
        security = self.settings.security
        await ensure_first_admin(
            self.database,
            self.passwords,
            username=security.admin_username,
            password=security.admin_password.reveal(),
        )

    async def close(self) -> None:
        """Close what was opened by being used, the parts that `running` opens excepted."""
        await self.database.close()
        await self.http.aclose()
        await self.outside_http.aclose()
        if self._redis is not None:
            await self._redis.aclose()


@asynccontextmanager
async def open_parts(settings: Settings, role: Role) -> AsyncIterator[Parts]:
    """Build and open the parts of one process."""
    async with Parts(settings, role).running() as parts:
        yield parts


def _redis(url: str | None) -> Redis | None:
    if url is None:
        return None
    return Redis.from_url(url, socket_timeout=_REDIS_ANSWER_SECONDS, socket_connect_timeout=_REDIS_ANSWER_SECONDS)


def _configured_channels(settings: Settings) -> list[NewChannel]:
    """Return the channels that the settings make: the Cloud API's of the environment, and the simulator's."""
    whatsapp = settings.whatsapp
    secrets = tuple(secret.reveal() for secret in whatsapp.app_secrets)
    verify_token = whatsapp.verify_token.reveal() if whatsapp.verify_token else None
    found: list[NewChannel] = []
    if whatsapp.cloud_token is not None and whatsapp.phone_id is not None:
        found.append(
            NewChannel(
                name="WhatsApp Cloud API",
                source="environment",
                phone_number_id=whatsapp.phone_id,
                business_account_id=whatsapp.business_account_id,
                graph_url=whatsapp.graph_url,
                api_version=whatsapp.api_version,
                secrets=ChannelSecrets(whatsapp.cloud_token.reveal(), secrets, verify_token),
            )
        )
    if whatsapp.simulator:
        found.append(
            NewChannel(
                name="Simulator",
                source="simulator",
                phone_number_id=DEFAULT_NUMBER.phone_number_id,
                business_account_id=DEFAULT_NUMBER.business_account_id,
                graph_url=f"{settings.server.public_url}/simulator/graph",
                api_version=whatsapp.api_version,
                secrets=ChannelSecrets(simulator_token(settings), secrets, verify_token),
            )
        )
    return found


def _simulator(settings: Settings) -> Simulator:
    """Return the Meta of this machine, which posts its webhooks to this very process."""
    own_url = settings.server.public_url
    return Simulator(
        SimulatorConfig(
            webhook_url=f"{own_url}/webhooks/whatsapp",
            app_secret=settings.whatsapp.app_secrets[0].reveal(),
            access_token=simulator_token(settings),
            ledger_path=settings.storage.data_dir / "simulator" / "ledger.jsonl",
            public_url=f"{own_url}/simulator/graph",
            pace=StatusPace(sent_after_seconds=0.2, delivered_after_seconds=0.6, read_after_seconds=1.5),
        )
    )


def simulator_token(settings: Settings) -> str:
    """Return the access token that the simulator wants: derived, so that every process of an installation knows it."""
    secret = settings.whatsapp.app_secrets[0].reveal().encode()
    return hmac.new(secret, b"simulator access token", "sha256").hexdigest()
