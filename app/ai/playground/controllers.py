"""Trying the assistant over HTTP."""

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK

from app.ai.playground.schemas import Instructions, Question, TriedAnswers
from app.ai.playground.service import Playground, preview
from app.business.schemas import BusinessProfile
from app.core.security.guards import needs


class PlaygroundController(Controller):
    path = "/api"
    tags = ("Playground",)

    @post("/ai/playground", status_code=HTTP_200_OK, guards=[needs("models:manage")], summary="Compare models")
    async def ask(self, data: JSONBody[Question], playground: NamedDependency[Playground]) -> TriedAnswers:
        """Put a question to up to four routes at once, with the instructions that customers' questions get.

        Nothing is sent to anybody. The calls cost what they cost, whatever limits the routes have, and count as such.
        Answers 404 for a route or a conversation that is not there.
        """
        return await playground.ask(data)

    @post(
        "/business/instructions-preview",
        status_code=HTTP_200_OK,
        guards=[needs("business:read")],
        summary="What models would be told",
    )
    async def preview_instructions(self, data: JSONBody[BusinessProfile]) -> Instructions:
        """Return the instructions that a draft of the profile would give to models. Stores nothing."""
        return preview(data)
