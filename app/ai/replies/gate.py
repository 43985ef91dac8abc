"""Who is answered, and when: the same rules for every transport. Pure; it fails closed."""

from datetime import datetime

from app.ai.replies.conclude import Answer, Decision, GiveUp, Silence
from app.business.hours import is_open
from app.business.schemas import BusinessProfile
from app.conversations.answering import MOST_CLAIMS, ClaimedTurn
from app.conversations.turns import Reason
from app.whatsapp.content import Text


def gate(turn: ClaimedTurn, profile: BusinessProfile, now: datetime) -> Decision | None:
    """Decide about a turn without asking a model; None means that a model may answer it."""
    if turn.claims > MOST_CLAIMS:
        return GiveUp(Reason.TOO_MANY_ATTEMPTS)
    if turn.control == "person":
        return Silence(Reason.HELD_BY_PERSON)
    if turn.control == "nobody":
        return Silence(Reason.WAITING_FOR_PERSON)
    if profile.paused:
        return Silence(Reason.PAUSED)
    if profile.answer_policy == "nobody":
        return Silence(Reason.POLICY_NOBODY)
    if profile.answer_policy == "approved" and not turn.contact_approved:
        return Silence(Reason.NOT_APPROVED)
    if not any(said.text or said.picture for said in turn.questions):
        return Silence(Reason.NOTHING_TO_ANSWER)
    if profile.outside_hours_message and not is_open(profile.hours, now):
        return _outside_hours(turn, profile)
    return None


def _outside_hours(turn: ClaimedTurn, profile: BusinessProfile) -> Decision:
    """Say so once, not after every message of somebody who keeps writing."""
    said_last = next((said.text for said in reversed(turn.history) if said.author != "customer"), None)
    if said_last == profile.outside_hours_message:
        return Silence(Reason.OUTSIDE_HOURS)
    return Answer((Text(profile.outside_hours_message),), Reason.OUTSIDE_HOURS)
