"""Linked phones over HTTP."""

from typing import Any
from uuid import UUID

import structlog
from litestar import Controller, Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation
from litestar.status_codes import HTTP_200_OK

from app.audit.requests import entry
from app.core.security.actor import Actor
from app.core.security.guards import needs
from app.core.security.tokens import Access
from app.core.wake import Wake
from app.whatsapp.web.consent import CONSENT_VERSION, NOTICE
from app.whatsapp.web.ledger import COMMANDS
from app.whatsapp.web.schemas import (
    PairingPhone,
    WebLink,
    WebNotice,
    WebPolicyChange,
    WebSessionDetails,
    WebSessionList,
    WebSessionToAdd,
)
from app.whatsapp.web.sessions import WebSession, WebSessions

log = structlog.get_logger()

_Sessions = NamedDependency[WebSessions]
_Wake = NamedDependency[SkipValidation[Wake]]
_Request = Request[Actor, Access, Any]

_SHOWN = 4  # digits of the linked phone


class WebSessionsController(Controller):
    path = "/api/whatsapp/web"
    tags = ("WhatsApp Web",)
    guards = (needs("channels:read"),)

    @get("/notice", summary="The risks of linking a phone")
    async def notice(self) -> WebNotice:
        """Return the notice that a person must accept before a session is added."""
        return WebNotice(version=CONSENT_VERSION, texts=NOTICE)

    @get("/sessions", summary="Linked phones")
    async def find(self, web_sessions: _Sessions) -> WebSessionList:
        """List the linked phones, with the state each is in."""
        return WebSessionList(items=[_details(one) for one in await web_sessions.all()])

    @get("/sessions/{channel_id:uuid}", summary="A linked phone")
    async def show(self, channel_id: FromPath[UUID], web_sessions: _Sessions) -> WebSessionDetails:
        """Return one linked phone. The live event `whatsapp_web_changed` says when to ask again."""
        return _details(await web_sessions.get(channel_id))

    @post("/sessions", guards=[needs("channels:manage")], summary="Add a phone to be linked")
    async def add(
        self, data: JSONBody[WebSessionToAdd], request: _Request, web_sessions: _Sessions
    ) -> WebSessionDetails:
        """Add a session, once a person has accepted its risks: who and when is kept, and stands in the audit trail.

        It is stopped: start it to see its code. Answers 422 when the notice has another version by now.
        """
        accepted = {"consent_version": data.consent_version}
        consent = entry(request, "whatsapp_web.consented", "channel", "", after=accepted)
        session = await web_sessions.add(
            data.name,
            data.consent_version,
            user_id=request.user.user_id,
            consent=consent,
            audit=entry(request, "channel.added", "channel", ""),
        )
        log.info("whatsapp_web.added", channel_id=str(session.channel_id), user_id=str(request.user.user_id))
        return _details(session)

    @get("/sessions/{channel_id:uuid}/link", guards=[needs("channels:manage")], summary="The code to link it")
    async def link(self, channel_id: FromPath[UUID], web_sessions: _Sessions) -> WebLink:
        """Return what to scan or type on the phone now."""
        session = await web_sessions.get(channel_id)
        return WebLink(
            state=session.state,
            qr=session.code,
            pairing_code=session.pairing_code,
            pairing_phone=session.pairing_phone if session.pairing_code else None,
            expires_at=session.code_expires_at,
        )

    @post(
        "/sessions/{channel_id:uuid}/start",
        status_code=HTTP_200_OK,
        guards=[needs("channels:manage")],
        summary="Start it",
    )
    async def start(
        self, channel_id: FromPath[UUID], request: _Request, web_sessions: _Sessions, wake: _Wake
    ) -> WebSessionDetails:
        """Start its browser: within seconds it shows a code, or is online if its phone is linked already."""
        audit = entry(request, "whatsapp_web.started", "channel", channel_id)
        session = await web_sessions.want(channel_id, "running", audit=audit)
        wake.notify(COMMANDS)
        return _details(session)

    @post(
        "/sessions/{channel_id:uuid}/stop",
        status_code=HTTP_200_OK,
        guards=[needs("channels:manage")],
        summary="Stop it",
    )
    async def stop(
        self, channel_id: FromPath[UUID], request: _Request, web_sessions: _Sessions, wake: _Wake
    ) -> WebSessionDetails:
        """Close its browser, once what it is sending has been sent. The phone stays linked; messages wait."""
        audit = entry(request, "whatsapp_web.stopped", "channel", channel_id)
        session = await web_sessions.want(channel_id, "stopped", audit=audit)
        wake.notify(COMMANDS)
        return _details(session)

    @post(
        "/sessions/{channel_id:uuid}/restart",
        status_code=HTTP_200_OK,
        guards=[needs("channels:manage")],
        summary="Restart its browser",
    )
    async def restart(
        self, channel_id: FromPath[UUID], request: _Request, web_sessions: _Sessions, wake: _Wake
    ) -> WebSessionDetails:
        """Open its page anew. Answers 409 when it is stopped."""
        audit = entry(request, "whatsapp_web.restarted", "channel", channel_id)
        session = await web_sessions.ask(channel_id, "restart", audit=audit)
        wake.notify(COMMANDS)
        return _details(session)

    @post(
        "/sessions/{channel_id:uuid}/logout",
        status_code=HTTP_200_OK,
        guards=[needs("channels:manage")],
        summary="Unlink the phone",
    )
    async def log_out(
        self, channel_id: FromPath[UUID], request: _Request, web_sessions: _Sessions, wake: _Wake
    ) -> WebSessionDetails:
        """Unlink the phone and forget its profile, its backup included. Answers 409 when it is stopped."""
        audit = entry(request, "whatsapp_web.logged_out", "channel", channel_id)
        session = await web_sessions.ask(channel_id, "logout", audit=audit)
        wake.notify(COMMANDS)
        return _details(session)

    @post(
        "/sessions/{channel_id:uuid}/code",
        status_code=HTTP_200_OK,
        guards=[needs("channels:manage")],
        summary="Show a fresh QR code",
    )
    async def refresh(
        self, channel_id: FromPath[UUID], request: _Request, web_sessions: _Sessions, wake: _Wake
    ) -> WebSessionDetails:
        """Ask WhatsApp for a fresh code, after it has stopped showing new ones. Answers 409 when none is shown."""
        audit = entry(request, "whatsapp_web.code_refreshed", "channel", channel_id)
        session = await web_sessions.ask(channel_id, "refresh_code", audit=audit)
        wake.notify(COMMANDS)
        return _details(session)

    @post(
        "/sessions/{channel_id:uuid}/pairing-code",
        status_code=HTTP_200_OK,
        guards=[needs("channels:manage")],
        summary="Link by a code to type",
    )
    async def pair(
        self,
        channel_id: FromPath[UUID],
        data: JSONBody[PairingPhone],
        request: _Request,
        web_sessions: _Sessions,
        wake: _Wake,
    ) -> WebSessionDetails:
        """Ask WhatsApp for a code that is typed on the phone instead of scanned. Answers 409 when none is shown."""
        audit = entry(request, "whatsapp_web.pairing_code_asked", "channel", channel_id)
        session = await web_sessions.ask(channel_id, "pair", phone=data.phone, audit=audit)
        wake.notify(COMMANDS)
        return _details(session)

    @put("/sessions/{channel_id:uuid}/policy", guards=[needs("channels:manage")], summary="How the phone behaves")
    async def set_policy(
        self, channel_id: FromPath[UUID], data: JSONBody[WebPolicyChange], request: _Request, web_sessions: _Sessions
    ) -> WebSessionDetails:
        """Change pace, quiet hours, groups, and who may be written to. It holds from the next message on."""
        before = (await web_sessions.get(channel_id)).policy
        audit = entry(request, "whatsapp_web.policy_changed", "channel", channel_id, before=before, after=data.policy)
        return _details(await web_sessions.set_policy(channel_id, data.policy, audit=audit))

    @get(
        "/sessions/{channel_id:uuid}/screenshot",
        guards=[needs("channels:manage")],
        media_type="image/png",
        summary="What the page showed when it failed",
    )
    async def screenshot(self, channel_id: FromPath[UUID], web_sessions: _Sessions) -> Response[bytes]:
        """Return a PNG of the page at its last failure; there may be customers on it. Answers 404 without one."""
        png = await web_sessions.screenshot(channel_id)
        return Response(png, media_type="image/png", headers={"cache-control": "no-store"})


def _details(session: WebSession) -> WebSessionDetails:
    return WebSessionDetails(
        id=session.channel_id,
        name=session.name,
        wanted=session.wanted,
        state=session.state,
        reason=session.reason,
        state_at=session.state_at,
        engine=session.engine,
        account_ends_with=session.account[-_SHOWN:] if session.account else None,
        linked_at=session.linked_at,
        last_seen_at=session.last_seen_at,
        memory_bytes=session.memory_bytes,
        restarts=session.restarts,
        screenshot_at=session.screenshot_at,
        backup_at=session.backup_at,
        policy=session.policy,
        consent_version=session.consent_version,
        consent_at=session.consent_at,
    )
