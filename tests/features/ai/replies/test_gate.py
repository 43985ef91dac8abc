from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ai.replies.conclude import Answer, GiveUp, Silence
from app.ai.replies.gate import gate
from app.business.example_profile import example_profile
from app.business.schemas import BusinessProfile, Hours
from app.conversations.answering import Said
from app.conversations.turns import Reason
from app.whatsapp.content import Text
from tests.builders.rows import claimed

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ALWAYS = msgspec.structs.replace(example_profile(), hours=None, paused=False, answer_policy="everyone")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
CLOSED = msgspec.convert({"time_zone": "America/Bogota", "weekly": {day: [] for day in DAYS}, "exceptions": []}, Hours)


def profile(**members: Any) -> BusinessProfile:
    return msgspec.structs.replace(ALWAYS, **members)


def said(text: str = "hi", *, author: str = "customer", picture: str | None = None) -> Said:
    return Said(author, "text", text, NOW, picture=picture)


def test_a_question_to_an_open_business_goes_to_a_model() -> None:
    assert gate(claimed(), ALWAYS, NOW) is None


@pytest.mark.parametrize(
    ("turn", "given_profile", "reason"),
    [
        ({"control": "person"}, {}, Reason.HELD_BY_PERSON),
        ({"control": "nobody"}, {}, Reason.WAITING_FOR_PERSON),
        ({}, {"paused": True}, Reason.PAUSED),
        ({}, {"answer_policy": "nobody"}, Reason.POLICY_NOBODY),
        ({}, {"answer_policy": "approved"}, Reason.NOT_APPROVED),
        ({"questions": (said(""),)}, {}, Reason.NOTHING_TO_ANSWER),
        ({"questions": ()}, {}, Reason.NOTHING_TO_ANSWER),
    ],
)
def test_every_silence_has_its_reason(turn: dict[str, Any], given_profile: dict[str, Any], reason: Reason) -> None:
    assert gate(claimed(**turn), profile(**given_profile), NOW) == Silence(reason)


def test_who_is_approved_is_answered() -> None:
    assert gate(claimed(contact_approved=True), profile(answer_policy="approved"), NOW) is None


def test_a_picture_without_words_is_a_question() -> None:
    assert gate(claimed(questions=(said("", picture="a.jpg"),)), ALWAYS, NOW) is None


def test_a_turn_that_ended_its_process_several_times_is_given_up() -> None:
    assert gate(claimed(claims=3), ALWAYS, NOW) is None
    assert gate(claimed(claims=4), ALWAYS, NOW) == GiveUp(Reason.TOO_MANY_ATTEMPTS)


def test_outside_its_hours_the_business_says_so_once() -> None:
    closed = profile(hours=CLOSED, outside_hours_message="We are closed.")
    assert gate(claimed(), closed, NOW) == Answer((Text("We are closed."),), Reason.OUTSIDE_HOURS)
    told = (said("We are closed.", author="bot"), said("hello?"))
    assert gate(claimed(history=told), closed, NOW) == Silence(Reason.OUTSIDE_HOURS)
    since = (*told, said("A person: yes?", author="person"))
    assert isinstance(gate(claimed(history=since), closed, NOW), Answer)


def test_without_a_message_for_it_the_business_answers_outside_its_hours() -> None:
    assert gate(claimed(), profile(hours=CLOSED, outside_hours_message=""), NOW) is None


@given(
    control=st.sampled_from(["bot", "person", "nobody"]),
    approved=st.booleans(),
    policy=st.sampled_from(["everyone", "approved", "nobody"]),
    paused=st.booleans(),
    text=st.sampled_from(["", "hi"]),
    claims=st.integers(1, 6),
    is_closed=st.booleans(),
)
def test_a_model_is_asked_only_when_everything_allows_it(
    control: str, approved: bool, policy: str, paused: bool, text: str, claims: int, is_closed: bool
) -> None:
    turn = claimed(control=control, contact_approved=approved, questions=(said(text),), claims=claims)
    given_profile = profile(
        answer_policy=policy, paused=paused, hours=CLOSED if is_closed else None, outside_hours_message="Closed."
    )
    decision = gate(turn, given_profile, NOW)
    allowed = policy == "everyone" or (policy == "approved" and approved)
    may_answer = control == "bot" and allowed and not paused and bool(text) and claims <= 3
    assert (decision is None) == (may_answer and not is_closed)
    assert isinstance(decision, Answer) == (may_answer and is_closed)
