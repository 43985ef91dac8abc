"""What can go wrong when people come in."""

from app.core.errors import Conflict, NotFound, Unauthenticated


class WrongCredentials(Unauthenticated):
    """Unknown person, wrong password or disabled account: the answer is the same, so that nobody can list accounts."""

    code = "wrong_credentials"

    def __init__(self) -> None:
        super().__init__("the username or the password is wrong")


class SecondFactorRequired(Unauthenticated):
    """The password was right; the same request is to be sent again with `code`."""

    code = "second_factor_required"

    def __init__(self) -> None:
        super().__init__("send the six digits of the authenticator, or a recovery code, as `code`")


class WrongSecondFactor(Unauthenticated):
    """The password was right and the code was not, or was used before."""

    code = "wrong_second_factor"

    def __init__(self) -> None:
        super().__init__("the code is wrong or was used before")


class InvalidRefreshToken(Unauthenticated):
    """Unknown, expired, used before, or its session has ended: it does not say which."""

    code = "invalid_refresh_token"

    def __init__(self) -> None:
        super().__init__("the session cannot be continued: sign in again")


class AccountDisabled(Unauthenticated):
    """The account was disabled, or removed, after this token was issued."""

    code = "account_disabled"


class UsernameTaken(Conflict):
    code = "username_taken"


class LastAdmin(Conflict):
    """Nobody could manage accounts any more."""

    code = "last_admin"

    def __init__(self) -> None:
        super().__init__("this is the last admin who can come in: make another one first")


class SecondFactorState(Conflict):
    """The second factor is on, off or not begun, and this needs it otherwise."""

    code = "second_factor_state"


class UserNotFound(NotFound):
    code = "user_not_found"


class SessionNotFound(NotFound):
    code = "session_not_found"


class ApiKeyNotFound(NotFound):
    code = "api_key_not_found"


class InvalidLink(NotFound):
    """Unknown, expired, used before or withdrawn: it does not say which."""

    code = "invalid_link"

    def __init__(self) -> None:
        super().__init__("this link is not valid, or not any more: ask an admin for another one")
