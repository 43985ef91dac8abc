"""Guessing passwords is slow: five failures an account in fifteen minutes."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

from app.core.errors import TooManyRequests

MOST_FAILURES: Final = 5
WINDOW_SECONDS: Final = 15 * 60
_MOST_ACCOUNTS: Final = 10_000


class SignInThrottle:
    """Counts failed sign-ins by account name, in this process, for at most 10,000 names.

    A try counts as failed from its beginning until it succeeds, so that many tries at once gain nothing. Names that
    belong to nobody are counted alike, so that the answer does not tell which names exist. `clock` is monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()

    def begin(self, username: str) -> None:
        """Count a try.

        Raises `TooManyRequests` when the account has had its share.
        """
        now = self._clock()
        tries = self._tries.setdefault(username, deque())
        self._tries.move_to_end(username)
        while tries and tries[0] <= now - WINDOW_SECONDS:
            tries.popleft()
        if len(tries) >= MOST_FAILURES:
            raise TooManyRequests(
                "too many failed sign-ins for this account: wait before the next try",
                retry_after_seconds=tries[0] + WINDOW_SECONDS - now,
            )
        tries.append(now)
        if len(self._tries) > _MOST_ACCOUNTS:
            self._tries.popitem(last=False)

    def succeeded(self, username: str) -> None:
        """Forget the account's failures."""
        self._tries.pop(username, None)

    def withdraw(self, username: str) -> None:
        """Take back the latest try: it was neither right nor wrong, because we could not look."""
        if tries := self._tries.get(username):
            tries.pop()
