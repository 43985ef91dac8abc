"""The answerer that needs no model, no key and no network: it quotes what the business says of itself."""

from typing import NoReturn

from app.ai.knowledge.offline import answer_offline
from app.ai.llm.chat import ChatReply, ChatRequest, Grounding, UserMessage
from app.ai.llm.provider import HttpCall, Provider, Target

__all__ = ["PROVIDER"]


def _answer(request: ChatRequest) -> ChatReply:
    grounding = request.grounding or Grounding(passages=())
    question = next((message.text for message in reversed(request.messages) if isinstance(message, UserMessage)), "")
    found = answer_offline(
        grounding.passages, question, language=grounding.language, business_name=grounding.business_name
    )
    return ChatReply(text=found.text, finish="stop", model="offline", unanswered=not found.is_answer)


def _build(_request: ChatRequest, _target: Target) -> HttpCall:
    return _never()


def _parse(_body: bytes) -> ChatReply:
    return _never()


def _never() -> NoReturn:
    raise AssertionError("the offline answerer is asked, not called")


PROVIDER = Provider(
    name="offline", build=_build, parse=_parse, root=lambda _: "offline:", is_local=True, answer=_answer
)
