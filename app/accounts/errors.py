"""What can go wrong when people come in."""

from app.core.errors import Conflict, Unauthenticated


class WrongCredentials(Unauthenticated):
    """Unknown person, wrong password or disabled account: the answer is the same, so that nobody can list accounts."""

    code = "wrong_credentials"

    def __init__(self) -> None:
        super().__init__("the username or the password is wrong")


class AccountDisabled(Unauthenticated):
    """The account was disabled, or removed, after this token was issued."""

    code = "account_disabled"


class UsernameTaken(Conflict):
    code = "username_taken"
