"""What a search asks for, and where a text says it."""

import re
import unicodedata
from typing import Final

import msgspec

_WORD: Final = re.compile(r"[^\W_]+")
_MOST_WORDS = 10
_SHORTEST_BEGINNING = 2
_BEFORE, _AROUND = 40, 180


class Query(msgspec.Struct, frozen=True):
    """Folded words that all have to be there; of the last one, if it is no single letter, the beginning is enough."""

    words: tuple[str, ...]

    @property
    def open_end(self) -> bool:
        return len(self.words[-1]) >= _SHORTEST_BEGINNING

    def matches(self, word: str) -> bool:
        """Tell whether a folded word is one of those asked for."""
        return word in self.words or (self.open_end and word.startswith(self.words[-1]))


class Part(msgspec.Struct, frozen=True):
    """A piece of a text, and whether it was asked for."""

    text: str
    marked: bool


def query_of(text: str) -> Query | None:
    """Return what `text` asks for, its first ten words; None where there is no word in it."""
    words = _WORD.findall(_folded(text)[0])[:_MOST_WORDS]
    return Query(tuple(words)) if words else None


def snippet(text: str, query: Query) -> list[Part]:
    """Return the piece of `text` around the first word that was asked for, in parts whose texts join to it."""
    marks = _marks(text, query)
    start = max(0, marks[0][0] - _BEFORE) if marks else 0
    end = min(len(text), start + _AROUND)
    start, end = _whole_words(text, start, end)
    parts: list[Part] = [Part("…", marked=False)] if start > 0 else []
    at = start
    for first, last in marks:
        if first >= end:
            break
        if first > at:
            parts.append(Part(text[at:first], marked=False))
        parts.append(Part(text[first : min(last, end)], marked=True))
        at = min(last, end)
    if at < end:
        parts.append(Part(text[at:end], marked=False))
    return [*parts, Part("…", marked=False)] if end < len(text) else parts


def _marks(text: str, query: Query) -> list[tuple[int, int]]:
    """Return where in `text` the words stand that were asked for."""
    folded, places = _folded(text)
    return [
        (places[word.start()], places[word.end() - 1] + 1)
        for word in _WORD.finditer(folded)
        if query.matches(word.group())
    ]


def _whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """Move the ends of a piece to the next space, where there is one near."""
    if start > 0:
        space = text.find(" ", start, start + _BEFORE // 2)
        start = space + 1 if space >= 0 else start
    if end < len(text):
        space = text.rfind(" ", end - _BEFORE // 2, end)
        end = space if space >= 0 else end
    return start, end


def _folded(text: str) -> tuple[str, list[int]]:
    """Return the text in lower case without accents, as the index has it, and where each of its letters comes from.

    Canonical decomposition only: the databases leave ligatures and wide letters as they are.
    """
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text):
        for piece in unicodedata.normalize("NFD", letter.lower()):
            if not unicodedata.combining(piece):
                letters.append(piece)
                places.append(place)
    return "".join(letters), places
