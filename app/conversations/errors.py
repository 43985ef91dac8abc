"""What can be wrong with a request about a conversation."""

from app.core.errors import Conflict, Forbidden, NotFound


class ConversationNotFound(NotFound):
    code = "conversation_not_found"

    def __init__(self) -> None:
        super().__init__("there is no such conversation")


class ControlHasChanged(Conflict):
    """Somebody else took or gave the conversation in the meantime."""

    code = "control_has_changed"

    def __init__(self, control: str) -> None:
        super().__init__(f"the conversation is now held by: {control}. Read it again, then decide.")


class NoteNotFound(NotFound):
    code = "note_not_found"

    def __init__(self) -> None:
        super().__init__("there is no such note in this conversation")


class NotYourNote(Forbidden):
    code = "not_your_note"

    def __init__(self) -> None:
        super().__init__("a note is deleted by whoever wrote it, or by a supervisor")


class CannedReplyNotFound(NotFound):
    code = "canned_reply_not_found"

    def __init__(self) -> None:
        super().__init__("there is no such canned reply")


class ShortcutTaken(Conflict):
    code = "shortcut_taken"

    def __init__(self) -> None:
        super().__init__("another canned reply has this shortcut")


class TurnNotReopened(Conflict):
    """A turn that was given up cannot be taken up again now; the text says why."""

    code = "turn_not_reopened"

    def __init__(self, why: str) -> None:
        super().__init__(f"the turn is not taken up again: {why}")
