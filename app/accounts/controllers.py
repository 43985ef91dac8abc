"""People over HTTP: coming in, one's own account, and looking after the others."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from app.accounts.api_keys import ApiKeys
from app.accounts.errors import InvalidRefreshToken
from app.accounts.people import People
from app.accounts.queries import person, team
from app.accounts.schemas import (
    ApiKey,
    CreatedApiKey,
    Credentials,
    Invitation,
    Link,
    LinkAcceptance,
    LinkDetails,
    LinkToken,
    Me,
    NewApiKey,
    NewPerson,
    PasswordChange,
    PasswordProof,
    PasswordReset,
    Person,
    RecoveryCodes,
    Refresh,
    RoleChange,
    SecondFactorBegun,
    SecondFactorCode,
    Session,
    SignedIn,
    TeamMember,
)
from app.accounts.second_factor import SecondFactor
from app.accounts.service import Accounts
from app.accounts.sessions import Issued, Sessions
from app.accounts.trail import Caller
from app.core.db import Database
from app.core.keyset import Cursor, Page
from app.core.security.actor import Actor
from app.core.security.guards import needs
from app.core.security.session_cookies import SessionCookies
from app.core.security.tokens import Access, InvalidToken

SignedInRequest = Request[Actor, Access, Any]
AnyRequest = Request[Any, Any, Any]


class AuthController(Controller):
    """Open to strangers: whoever comes brings a password, a refresh token or a one-time link."""

    path = "/api/auth"
    tags = ("Sign-in",)

    @post("/login", status_code=HTTP_200_OK, summary="Sign in")
    async def login(
        self,
        data: JSONBody[Credentials],
        request: AnyRequest,
        accounts: NamedDependency[Accounts],
        session_cookies: NamedDependency[SessionCookies],
    ) -> Response[SignedIn]:
        """Open a session with a username and a password, and a code for whoever has a second factor.

        Without the code, such a person gets 401 with the problem code `second_factor_required`; the same request is
        then sent again with it. After five failures for one account each further one answers 429 for a while, with
        `Retry-After`. `session: cookie` needs the panel's own origin and the header `X-Requested-With`.
        """
        if data.session == "cookie":
            session_cookies.check_panel(request.scope)
        return _answer(await accounts.sign_in(data, _caller(request)), session_cookies)

    @post("/refresh", status_code=HTTP_200_OK, summary="Continue a session")
    async def refresh(
        self,
        data: JSONBody[Refresh],
        request: AnyRequest,
        sessions: NamedDependency[Sessions],
        session_cookies: NamedDependency[SessionCookies],
    ) -> Response[SignedIn]:
        """Exchange a refresh token, of the body or of the cookie, for new tokens.

        Each works once. One that comes again ends the session, because somebody else has it too; for tabs that
        refresh at once and for lost answers, the same `nonce` gets the same tokens again within 30 seconds.
        """
        if data.refresh_token is not None:
            issued = await sessions.refresh(data.refresh_token, data.nonce, "token", _caller(request))
            return _answer(issued, session_cookies)
        token = session_cookies.refresh_token(request.scope)
        if token is None:
            raise InvalidRefreshToken
        session_cookies.check_panel(request.scope)
        return _answer(await sessions.refresh(token, data.nonce, "cookie", _caller(request)), session_cookies)

    @post("/links/look-up", status_code=HTTP_200_OK, summary="Whom a one-time link is for")
    async def look_up_link(self, data: JSONBody[LinkToken], people: NamedDependency[People]) -> LinkDetails:
        """Return whose password the link sets. Looking does not use it."""
        return await people.look_up(data.token)

    @post("/links/accept", status_code=HTTP_204_NO_CONTENT, summary="Choose a password by a one-time link")
    async def accept_link(
        self, data: JSONBody[LinkAcceptance], request: AnyRequest, people: NamedDependency[People]
    ) -> None:
        """Set the password, end the person's sessions, and use the link up. They sign in afterwards."""
        await people.accept(data.token, data.password, _caller(request))

    @get("/me", summary="Who am I")
    async def me(self, request: SignedInRequest, accounts: NamedDependency[Accounts]) -> Me:
        """Return the person who acts, as stored now, and everything they may do."""
        return await accounts.me(request.user)


class OwnAccountController(Controller):
    """What people do with their own account. API keys may not."""

    path = "/api/auth"
    tags = ("Sign-in",)
    guards = (needs("self:manage"),)

    @post("/logout", status_code=HTTP_204_NO_CONTENT, summary="Sign out")
    async def logout(
        self,
        request: SignedInRequest,
        sessions: NamedDependency[Sessions],
        session_cookies: NamedDependency[SessionCookies],
    ) -> Response[None]:
        """End this session: its tokens are worth nothing from now on, and its live connections close."""
        actor = request.user
        await sessions.end(actor.user_id, _session(actor), "signed_out", actor=actor, caller=_caller(request))
        return _gone(session_cookies)

    @post("/logout-everywhere", status_code=HTTP_204_NO_CONTENT, summary="Sign out everywhere")
    async def logout_everywhere(
        self,
        request: SignedInRequest,
        sessions: NamedDependency[Sessions],
        session_cookies: NamedDependency[SessionCookies],
    ) -> Response[None]:
        """End all of one's sessions, this one included."""
        actor = request.user
        await sessions.end_all(actor.user_id, "signed_out", actor=actor, caller=_caller(request))
        return _gone(session_cookies)

    @get("/sessions", summary="My sessions")
    async def sessions(self, request: SignedInRequest, sessions: NamedDependency[Sessions]) -> list[Session]:
        """Return one's sessions that can still be used."""
        return await sessions.find(request.user.user_id, current=request.user.session_id)

    @delete("/sessions/{session_id:uuid}", summary="End a session of mine")
    async def end_session(
        self, session_id: FromPath[UUID], request: SignedInRequest, sessions: NamedDependency[Sessions]
    ) -> None:
        """End one of one's sessions, on a device that was lost for instance."""
        actor = request.user
        await sessions.end(actor.user_id, session_id, "revoked", actor=actor, caller=_caller(request))

    @post("/password", status_code=HTTP_204_NO_CONTENT, summary="Change my password")
    async def change_password(
        self, data: JSONBody[PasswordChange], request: SignedInRequest, accounts: NamedDependency[Accounts]
    ) -> None:
        """Replace one's password, and end one's other sessions."""
        await accounts.change_password(
            request.user, current=data.current_password, new=data.new_password, caller=_caller(request)
        )

    @post("/second-factor", status_code=HTTP_200_OK, summary="Begin a second factor")
    async def begin_second_factor(
        self,
        data: JSONBody[PasswordProof],
        request: SignedInRequest,
        accounts: NamedDependency[Accounts],
        second_factor: NamedDependency[SecondFactor],
    ) -> SecondFactorBegun:
        """Make a secret for an authenticator. It counts once it is confirmed; begun again, the earlier one is void."""
        await accounts.prove(request.user, data.password, _caller(request))
        return await second_factor.begin(request.user, _caller(request))

    @post("/second-factor/confirm", status_code=HTTP_200_OK, summary="Turn the second factor on")
    async def confirm_second_factor(
        self, data: JSONBody[SecondFactorCode], request: SignedInRequest, second_factor: NamedDependency[SecondFactor]
    ) -> RecoveryCodes:
        """Take the first code of the authenticator, and return ten recovery codes, shown this once."""
        return await second_factor.confirm(request.user, data.code, _caller(request))

    @post("/second-factor/disable", status_code=HTTP_204_NO_CONTENT, summary="Turn the second factor off")
    async def disable_second_factor(
        self,
        data: JSONBody[PasswordProof],
        request: SignedInRequest,
        accounts: NamedDependency[Accounts],
        second_factor: NamedDependency[SecondFactor],
    ) -> None:
        """Forget the authenticator and the recovery codes."""
        await accounts.prove(request.user, data.password, _caller(request))
        await second_factor.disable(request.user, _caller(request))


class TeamController(Controller):
    path = "/api/team"
    tags = ("Conversations",)
    guards = (needs("conversations:read"),)

    @get("/", summary="Who works here")
    async def find(self, database: NamedDependency[Database]) -> list[TeamMember]:
        """List everybody who may come in now, by name: whom a conversation can be assigned to."""
        async with database.read() as connection:
            return await team(connection)


class PeopleController(Controller):
    path = "/api/users"
    tags = ("People",)
    guards = (needs("accounts:read"),)

    @get("/", summary="People")
    async def people(
        self,
        people: NamedDependency[People],
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        cursor: FromQuery[str | None] = None,
    ) -> Page[Person]:
        """List everybody who may, might or might once come in, the one made last first."""
        return await people.find(limit=limit, cursor=Cursor.decode(cursor) if cursor is not None else None)

    @get("/{user_id:uuid}", summary="A person")
    async def person(self, user_id: FromPath[UUID], people: NamedDependency[People]) -> Person:
        return await people.one(user_id)

    @post("/", guards=[needs("accounts:manage")], summary="Create a person")
    async def create(
        self, data: JSONBody[NewPerson], request: SignedInRequest, people: NamedDependency[People]
    ) -> Person:
        """Create a person with a password chosen for them; an invitation is better, because then only they know it."""
        return await people.create(
            username=data.username,
            password=data.password,
            role=data.role,
            actor=request.user,
            caller=_caller(request),
        )

    @post("/invitations", guards=[needs("accounts:manage")], summary="Invite a person")
    async def invite(
        self, data: JSONBody[Invitation], request: SignedInRequest, people: NamedDependency[People]
    ) -> Link:
        """Create a person who chooses a password by a one-time link, good for 72 hours. Sending it is yours to do."""
        return await people.invite(username=data.username, role=data.role, actor=request.user, caller=_caller(request))

    @post("/{user_id:uuid}/reset-password", guards=[needs("accounts:manage")], summary="Let a person choose anew")
    async def reset_password(
        self,
        user_id: FromPath[UUID],
        data: JSONBody[PasswordReset],
        request: SignedInRequest,
        people: NamedDependency[People],
    ) -> Link:
        """Make a one-time link, good for 72 hours; earlier ones of this person end. It renews invitations as well."""
        return await people.reset(
            user_id, remove_factor=data.remove_second_factor, actor=request.user, caller=_caller(request)
        )

    @put("/{user_id:uuid}/role", guards=[needs("accounts:manage")], summary="Change a person's role")
    async def change_role(
        self,
        user_id: FromPath[UUID],
        data: JSONBody[RoleChange],
        request: SignedInRequest,
        people: NamedDependency[People],
    ) -> Person:
        """Give a person another role. Answers 409 for the last admin."""
        return await people.change_role(user_id, data.role, actor=request.user, caller=_caller(request))

    @post(
        "/{user_id:uuid}/disable",
        status_code=HTTP_200_OK,
        guards=[needs("accounts:manage")],
        summary="Let a person in no more",
    )
    async def disable(
        self, user_id: FromPath[UUID], request: SignedInRequest, people: NamedDependency[People]
    ) -> Person:
        """End a person's sessions and links, and let their API keys rest. Answers 409 for the last admin."""
        return await people.disable(user_id, actor=request.user, caller=_caller(request))

    @post(
        "/{user_id:uuid}/enable",
        status_code=HTTP_200_OK,
        guards=[needs("accounts:manage")],
        summary="Let a person in again",
    )
    async def enable(
        self, user_id: FromPath[UUID], request: SignedInRequest, people: NamedDependency[People]
    ) -> Person:
        """Let a person in again, with the password and the API keys they had."""
        return await people.enable(user_id, actor=request.user, caller=_caller(request))

    @get("/{user_id:uuid}/sessions", guards=[needs("accounts:manage")], summary="A person's sessions")
    async def sessions(
        self,
        user_id: FromPath[UUID],
        request: SignedInRequest,
        people: NamedDependency[People],
        sessions: NamedDependency[Sessions],
    ) -> list[Session]:
        """Return a person's sessions that can still be used."""
        await people.one(user_id)
        return await sessions.find(user_id, current=request.user.session_id)

    @delete("/{user_id:uuid}/sessions", guards=[needs("accounts:manage")], summary="End all of a person's sessions")
    async def end_sessions(
        self,
        user_id: FromPath[UUID],
        request: SignedInRequest,
        people: NamedDependency[People],
        sessions: NamedDependency[Sessions],
    ) -> None:
        """Sign a person out everywhere."""
        await people.one(user_id)
        await sessions.end_all(user_id, "revoked", actor=request.user, caller=_caller(request))

    @delete(
        "/{user_id:uuid}/sessions/{session_id:uuid}",
        guards=[needs("accounts:manage")],
        summary="End a person's session",
    )
    async def end_session(
        self,
        user_id: FromPath[UUID],
        session_id: FromPath[UUID],
        request: SignedInRequest,
        sessions: NamedDependency[Sessions],
    ) -> None:
        await sessions.end(user_id, session_id, "revoked", actor=request.user, caller=_caller(request))


class ApiKeysController(Controller):
    path = "/api/api-keys"
    tags = ("API keys",)
    guards = (needs("api_keys:manage"),)

    @get("/", summary="API keys")
    async def keys(
        self,
        api_keys: NamedDependency[ApiKeys],
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        cursor: FromQuery[str | None] = None,
    ) -> Page[ApiKey]:
        """List everybody's keys, the one made last first, revoked and expired ones included."""
        return await api_keys.find(limit=limit, cursor=Cursor.decode(cursor) if cursor is not None else None)

    @post("/", summary="Make an API key")
    async def create(
        self, data: JSONBody[NewApiKey], request: SignedInRequest, api_keys: NamedDependency[ApiKeys]
    ) -> CreatedApiKey:
        """Make a key that acts for you within its scopes. This answer is the only place that shows it."""
        return await api_keys.create(data, actor=request.user, caller=_caller(request))

    @delete("/{key_id:uuid}", summary="Revoke an API key")
    async def revoke(
        self, key_id: FromPath[UUID], request: SignedInRequest, api_keys: NamedDependency[ApiKeys]
    ) -> None:
        """End a key for good. It is refused everywhere within a second."""
        await api_keys.revoke(key_id, actor=request.user, caller=_caller(request))


def _caller(request: AnyRequest) -> Caller:
    return Caller(
        address=request.client.host if request.client is not None else None,
        user_agent=request.headers.get("user-agent"),
    )


def _session(actor: Actor) -> UUID:
    if actor.session_id is None:
        raise InvalidToken("this needs a session, not an API key")
    return actor.session_id


def _answer(issued: Issued, cookies: SessionCookies) -> Response[SignedIn]:
    in_cookies = issued.kind == "cookie"
    body = SignedIn(
        access_token=None if in_cookies else issued.access.token,
        token_type="Bearer",  # noqa: S106 - the name of the scheme (RFC 6750)
        expires_in=issued.access.expires_in_seconds,
        refresh_token=None if in_cookies else issued.refresh_token,
        refresh_expires_in=issued.refresh_seconds,
        session_id=issued.session_id,
        user=person(issued.user),
    )
    if not in_cookies:
        return Response(body)
    return Response(
        body,
        cookies=cookies.give(
            access_token=issued.access.token,
            access_seconds=issued.access.expires_in_seconds,
            refresh_token=issued.refresh_token,
            refresh_seconds=issued.refresh_seconds,
        ),
    )


def _gone(cookies: SessionCookies) -> Response[None]:
    return Response(None, status_code=HTTP_204_NO_CONTENT, cookies=cookies.take_back())
