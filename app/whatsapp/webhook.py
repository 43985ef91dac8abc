"""The public door: Meta's handshake, and webhooks in. Verify, store, answer; everything else happens after."""

import hmac
import time
from collections.abc import Sequence
from typing import Annotated, Any, cast
from uuid import UUID

import structlog
from litestar import Controller, MediaType, Request, Response, get
from litestar.di import NamedDependency
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.params import QueryParameter
from litestar.types import ASGIApp, Receive, Scope, Send
from litestar.types.asgi_types import HTTPResponseBodyEvent, HTTPResponseStartEvent

from app.core.errors import Forbidden, InvalidInput, MostradorError, Unauthenticated, Unavailable
from app.core.http.bodies import WEBHOOK_BODY_BYTES
from app.core.http.problems import problem_body
from app.core.metrics import Metrics
from app.whatsapp.channels import ChannelNotFound, Channels
from app.whatsapp.intake import Intake, RawEvent
from app.whatsapp.signature import verify

log = structlog.get_logger()

_PATH = "/webhooks/whatsapp"
_DEADLINE_SECONDS = 5.0  # Meta gives up after a few seconds and delivers again


class WebhookDoor:
    """What decides at the door.

    The secrets of `/webhooks/whatsapp` are those of the settings (one Meta app); those of
    `/webhooks/whatsapp/{channel_id}` are the channel's own. Never is a secret chosen by what a body says.
    """

    def __init__(
        self,
        intake: Intake,
        channels: Channels,
        metrics: Metrics,
        *,
        app_secrets: Sequence[str],
        verify_token: str | None,
    ) -> None:
        self._intake = intake
        self._channels = channels
        self._last_success = metrics.webhook_last_success
        self._duration = metrics.webhook_duration
        outcomes = ("stored", "duplicate", "bad_signature", "unavailable")
        self._requests = {outcome: metrics.webhook_requests.labels(outcome) for outcome in outcomes}
        self._app_secrets = tuple(app_secrets)
        self._verify_token = verify_token

    async def shake_hands(self, mode: str | None, token: str | None, channel_id: UUID | None) -> None:
        """Check Meta's handshake. Raises `Forbidden` unless mode and token are right."""
        expected = self._verify_token if channel_id is None else (await self._secrets(channel_id)).verify_token
        given = (token or "").encode()
        if mode != "subscribe" or not expected or not hmac.compare_digest(given, expected.encode()):
            raise Forbidden("the verify token is not the one that is configured here")

    async def receive(self, body: bytes, signature: str | None, channel_id: UUID | None) -> None:
        """Store a webhook; it is durable when this returns.

        Raises `Unauthenticated` for a missing or wrong signature, with nothing stored, and `Unavailable` when it could
        not be stored or checked: Meta delivers it again.
        """
        started = time.perf_counter()
        outcome = "unavailable"
        try:
            secrets = self._app_secrets if channel_id is None else (await self._secrets(channel_id)).app_secrets
            if not secrets:
                raise Unavailable("no app secret is configured, so no webhook can be checked: set WHATSAPP_APP_SECRET")
            if not verify(body, signature, secrets):
                outcome = "bad_signature"
                raise Unauthenticated("the signature is missing or wrong")
            is_new = await self._intake.save(RawEvent(body, channel_id), within_seconds=_DEADLINE_SECONDS)
            outcome = "stored" if is_new else "duplicate"
            self._last_success.set_to_current_time()
        finally:
            self._requests[outcome].inc()
            self._duration.observe(time.perf_counter() - started)

    async def _secrets(self, channel_id: UUID) -> Any:
        channel = await self._channels.get(channel_id)
        if channel.secrets is None:
            raise ChannelNotFound
        return channel.secrets


class WebhookLane(ASGIMiddleware):
    """Takes `POST /webhooks/whatsapp[/{channel_id}]` before the router does.

    Meta expects an answer within 250 ms whatever the load is, and three of four webhooks are statuses. Routing, request
    and response objects cost more than verifying and storing; this is the one place where that matters. `headers` are
    those of every answer.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, door: WebhookDoor, headers: Sequence[tuple[bytes, bytes]]) -> None:
        self._door = door
        self._headers = list(headers)
        self._taken = _start(200, [(b"content-length", b"0"), *headers])

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Answer 200 after the webhook is durable, 401 for a bad signature, 503 when Meta shall deliver it again."""
        path = scope["path"]
        if not path.startswith(_PATH) or scope.get("method") != "POST":
            await next_app(scope, receive, send)
            return
        try:
            channel_id = _channel_of(path)
            body = await _body(receive)
            await self._door.receive(body, _signature(scope), channel_id)
        except MostradorError as error:
            await self._refuse(send, error.status, problem_body(error))
        except Exception:
            log.exception("webhook.failed")
            await self._refuse(send, 500, problem_body(MostradorError("something went wrong: deliver again")))
        else:
            await send(self._taken)
            await send(_NO_BODY)

    async def _refuse(self, send: Send, status: int, body: bytes) -> None:
        headers = [(b"content-length", str(len(body)).encode()), (b"content-type", b"application/problem+json")]
        if status == 503:  # noqa: PLR2004 - HTTP: try again
            headers.append((b"retry-after", b"5"))
        await send(_start(status, [*headers, *self._headers]))
        await send({"type": "http.response.body", "body": body, "more_body": False})


_NO_BODY: HTTPResponseBodyEvent = {"type": "http.response.body", "body": b"", "more_body": False}


def _start(status: int, headers: list[tuple[bytes, bytes]]) -> HTTPResponseStartEvent:
    return {"type": "http.response.start", "status": status, "headers": headers}


class TooLarge(MostradorError):
    status = 413
    code = "too_large"


class Gone(MostradorError):
    """The sender left before its body was complete; nobody reads the answer."""

    status = 400
    code = "incomplete_body"


def _channel_of(path: str) -> UUID | None:
    rest = path[len(_PATH) :].strip("/")
    if not rest:
        return None
    try:
        return UUID(rest)
    except ValueError:
        raise ChannelNotFound from None


async def _body(receive: Receive) -> bytes:
    """Read the whole body. Raises `TooLarge` beyond 4 MiB, before more is read."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone("the body is not complete")
        part = cast("bytes", message.get("body", b""))
        size += len(part)
        if size > WEBHOOK_BODY_BYTES:
            raise TooLarge(f"a webhook has at most {WEBHOOK_BODY_BYTES} bytes")
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _signature(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"x-hub-signature-256":
            return value.decode("latin-1")
    return None


class WebhookController(Controller):
    path = _PATH
    tags = ("webhooks",)
    include_in_schema = False

    @get(["/", "/{channel_id:uuid}"], media_type=MediaType.TEXT)
    async def shake_hands(
        self,
        request: Request[Any, Any, Any],
        door: NamedDependency[WebhookDoor],
        mode: Annotated[str | None, QueryParameter(name="hub.mode")] = None,
        token: Annotated[str | None, QueryParameter(name="hub.verify_token")] = None,
        challenge: Annotated[str | None, QueryParameter(name="hub.challenge")] = None,
    ) -> Response[str]:
        """Answer Meta's handshake with its challenge, exactly as it came."""
        await door.shake_hands(mode, token, _channel_id(request))
        if challenge is None:
            raise InvalidInput("hub.challenge is missing", field="hub.challenge")
        return Response(challenge, media_type=MediaType.TEXT)


def _channel_id(request: Request[Any, Any, Any]) -> UUID | None:
    """Return the channel of the path; a parameter would be read from the query where the path has none."""
    channel_id: UUID | None = request.path_params.get("channel_id")
    return channel_id
