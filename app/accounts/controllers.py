"""Sign-in over HTTP."""

from typing import Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK

from app.accounts.schemas import Credentials, Person, SignedIn
from app.accounts.service import Accounts
from app.core.security.actor import Actor
from app.core.security.tokens import Access


class AuthController(Controller):
    path = "/api/auth"
    tags = ("Sign-in",)

    @post("/login", status_code=HTTP_200_OK, summary="Sign in")
    async def login(self, data: JSONBody[Credentials], accounts: NamedDependency[Accounts]) -> SignedIn:
        """Exchange a username and a password for an access token of ten minutes.

        Five failures for one account within fifteen minutes answer 429 with `Retry-After`.
        """
        return await accounts.sign_in(data.username, data.password)

    @get("/me", summary="Who am I")
    async def me(self, request: Request[Actor, Access, Any], accounts: NamedDependency[Accounts]) -> Person:
        """Return the signed-in person as stored now."""
        return await accounts.person(request.user)
