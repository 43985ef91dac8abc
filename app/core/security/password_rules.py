"""Which passwords may be chosen (ASVS 6.2): long, not common, not made of the person's own name.

What characters a password holds is its owner's choice. The list of common ones is on disk, so that nothing leaves this
machine: 39,064 of five characters or more, out of zxcvbn (MIT) and Django (BSD); see common_passwords.LICENSE.
"""

import gzip
import re
import unicodedata
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from typing import Final

from app.core.errors import InvalidInput

SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 256

# What a list of short passwords says about long ones: people lengthen them with digits and signs at either end, by
# writing them twice, or write letters as the signs that look alike.
_DECORATION: Final = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_LOOKALIKES: Final = str.maketrans("013457@$!", "oleastasi")
_ROWS: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
)
_OWN_WORDS: Final = frozenset({"mostrador", "whatsapp"})
_FEWEST_CHARACTERS: Final = 5
_SHORTEST_NAME: Final = 3


class WeakPassword(InvalidInput):
    """The password is too short, too long or too easy to guess; the text says which."""

    code = "weak_password"

    def __init__(self, message: str) -> None:
        super().__init__(message, field="password")


def check_new_password(password: str, *, username: str | None = None) -> None:
    """Refuse a password that is easy to guess, for a person of that name.

    Raises `WeakPassword` (field `password`).
    """
    if len(password) < SHORTEST_PASSWORD:
        raise WeakPassword(f"the password needs at least {SHORTEST_PASSWORD} characters")
    if len(password) > LONGEST_PASSWORD:
        raise WeakPassword(f"the password may have at most {LONGEST_PASSWORD} characters")
    plain = unicodedata.normalize("NFKC", password).casefold()
    if username is not None and _holds_name(plain, username.casefold()):
        raise WeakPassword("the password may not hold the username")
    if len(set(plain)) < _FEWEST_CHARACTERS:
        raise WeakPassword("the password is made of very few different characters")
    if _runs_along(plain):
        raise WeakPassword("the password runs along the alphabet, the digits or the keyboard")
    if _is_common(plain):
        raise WeakPassword("the password is one of the most common ones, or made of one")


def _holds_name(plain: str, username: str) -> bool:
    name = username.partition("@")[0]
    return len(name) >= _SHORTEST_NAME and name in plain


def _runs_along(plain: str) -> bool:
    """Tell whether most of it follows one of the rows, forwards or backwards."""
    steps = list(pairwise(plain))
    return any(2 * sum(_is_step(row, first, second) for first, second in steps) > len(steps) for row in _ROWS)


def _is_step(row: str, first: str, second: str) -> bool:
    return first + second in row or second + first in row


def _is_common(plain: str) -> bool:
    common = _common_passwords()
    forms = {_unit(form) for form in (plain, _core(plain), _core(plain.translate(_LOOKALIKES)))}
    return not forms.isdisjoint(_OWN_WORDS) or not forms.isdisjoint(common)


def _core(plain: str) -> str:
    """Return what is left without the digits and signs at both ends."""
    return _DECORATION.sub("", plain)


def _unit(text: str) -> str:
    """Return what a text repeats from its beginning to its end, or the text itself: `dragondragon` is `dragon`."""
    period = (text + text).find(text, 1)
    return text[:period]


@lru_cache(maxsize=1)
def _common_passwords() -> frozenset[str]:
    packed = resources.files("app.core.security").joinpath("common_passwords.txt.gz").read_bytes()
    return frozenset(gzip.decompress(packed).decode().split("\n"))
