"""Cuts a long text into messages that WhatsApp takes, where a careful person would cut it.

Preferred are the ends of paragraphs, then of lines, then of sentences, then of words. A cut never falls inside a
character as people see it (an emoji with its modifiers, a flag, a letter with its accents), and falls inside a web
address, a `*bold*` span or a code block only if that alone is longer than a message.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator

from app.whatsapp.content_rules import LONGEST_TEXT, utf16_length

__all__ = ["is_character_boundary", "split_text"]

_SHORTEST_LIMIT = 16
_INSEPARABLE = re.compile(
    r"```.*?```"
    r"|`[^`\n]+`"
    r"|https?://\S+"
    r"|(?<![\w*])\*(?=\S)[^*\n]+(?<=\S)\*(?![\w*])"
    r"|(?<![\w_])_(?=\S)[^_\n]+(?<=\S)_(?![\w_])"
    r"|(?<![\w~])~(?=\S)[^~\n]+(?<=\S)~(?![\w~])",
    re.DOTALL,
)
_BREAKS = (
    re.compile(r"\n[^\S\n]*\n\s*"),
    re.compile(r"\n\s*"),
    re.compile(r"(?<=[.!?\u2026])\s+|(?<=[.!?\u2026][\"')\]\u00bb\u201d])\s+|(?<=[\u3002\uff01\uff1f])"),
    re.compile(r"\s+"),
)
_ZERO_WIDTH_JOINER = "\u200d"
_EXTENDERS = ("\u200d", "\ufe0e", "\ufe0f", "\u20e3", "\u200c")


def split_text(text: str, *, limit: int = LONGEST_TEXT) -> list[str]:
    """Return the text in parts of at most `limit` characters, in order; nothing for a text without content.

    Length is counted in UTF-16 units, as for `content_rules.check`. White space at a cut and around the whole is
    dropped, everything else is kept: the parts joined are the text, white space aside.

    Raises:
        ValueError: `limit` is below 16.

    """
    if limit < _SHORTEST_LIMIT:
        raise ValueError(f"a limit of at least {_SHORTEST_LIMIT} is needed")
    return list(_parts(text.strip(), limit))


def is_character_boundary(text: str, at: int) -> bool:
    """Say whether a cut before `text[at]` leaves whole what people see as one character.

    The rules of Unicode Standard Annex 29 that matter in chats: combining marks, joined emoji, skin tones, variation
    selectors, keycaps, tag sequences, flags, Hangul syllables, CR LF.
    """
    if at <= 0 or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    if before == _ZERO_WIDTH_JOINER or _extends(after) or (before == "\r" and after == "\n"):
        return False
    if _is_flag_letter(before) and _is_flag_letter(after):
        return _flag_letters_before(text, at) % 2 == 0
    return not (_is_jamo(before) and _is_jamo(after))


def _parts(rest: str, limit: int) -> Iterator[str]:
    while rest:
        if utf16_length(rest) <= limit:
            yield rest
            return
        end, start = _cut(rest, limit)
        yield rest[:end].rstrip()
        rest = rest[start:].lstrip()


def _cut(text: str, limit: int) -> tuple[int, int]:
    """Return where the first part ends and where the next one starts."""
    reach = _reach(text, limit)
    spans = _inseparable(text, reach)
    for pattern in _BREAKS:
        # A paragraph or line that ends early is worth less than a full message: half of it must be used.
        least = reach // 2 if pattern is not _BREAKS[-1] else 0
        best = None
        for match in pattern.finditer(text, least, reach + 1):
            if least < match.start() <= reach and not _splits(spans, match.start()):
                best = match
        if best is not None and best.start() > 0:
            return best.start(), best.end()
    return _last_resort(text, reach, spans)


def _inseparable(text: str, reach: int) -> list[tuple[int, int]]:
    """Return the spans to keep whole, in order; one that no message could hold is not among them."""
    found = (match.span() for match in _INSEPARABLE.finditer(text, 0, 2 * reach))
    return [(start, end) for start, end in found if end - start <= reach]


def _last_resort(text: str, reach: int, spans: list[tuple[int, int]]) -> tuple[int, int]:
    """Cut between characters; within a single character only if it alone is longer than a message."""
    for at in range(reach, 0, -1):
        if is_character_boundary(text, at) and not _splits(spans, at):
            return at, at
    return reach, reach


def _reach(text: str, limit: int) -> int:
    """Return how many code points of the text fit into `limit` UTF-16 units."""
    head = text[:limit]
    if utf16_length(head) <= limit:
        return len(head)
    units = 0
    for count, character in enumerate(head):
        units += 2 if character > "\uffff" else 1
        if units > limit:
            return count
    return len(head)


def _splits(spans: list[tuple[int, int]], at: int) -> bool:
    nearest = bisect_left(spans, (at, 0)) - 1
    return nearest >= 0 and at < spans[nearest][1]


def _extends(character: str) -> bool:
    return (
        character in _EXTENDERS
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
        or unicodedata.category(character).startswith("M")
    )


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flag_letters_before(text: str, at: int) -> int:
    count = 0
    while count < at and _is_flag_letter(text[at - 1 - count]):
        count += 1
    return count


def _is_jamo(character: str) -> bool:
    return "\u1100" <= character <= "\u11ff"
