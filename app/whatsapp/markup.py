"""Turns what language models write (Markdown and their habits) into what WhatsApp shows.

WhatsApp knows `*bold*`, `_italic_`, `~struck~`, code in backticks, `- ` lists and `> ` quotes, and no tables, headings,
links or rules. Every pattern is linear in the length of the text, because the text comes from outside.
"""

import re

__all__ = ["to_whatsapp_markup"]

_THINKING = re.compile(r"<(think|thinking)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_ROLE = re.compile(r"\A\s*(?:\*\*)?(?:assistant|asistente|assistente|bot|ai|ia)\s*:(?:\*\*)?\s*", re.IGNORECASE)
_DISCLAIMER = re.compile(
    r"(?:como (?:un |um )?modelo de (?:lenguaje|linguagem)|as an? (?:ai|artificial intelligence)?\s?language model)"
    r"(?: (?:de|da) (?:ia|inteligencia artificial|intelig\u00eancia artificial))?,\s*(\w?)",
    re.IGNORECASE,
)
_FENCED = re.compile(r"^```[^\n`]*\n(.*?)(?:^```[^\S\n]*$|\Z)", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`[^`\n]+`")
_ADDRESS = re.compile(r"https?://[^\s)>\]]+")
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\(<?([^()\s<>]*(?:\([^()\s]*\)[^()\s<>]*)*)>?(?:\s+\"[^\"\n]*\")?\)")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_HEADING = re.compile(r"^ {0,3}#{1,6}[^\S\n]+(.*)$")
_RULE = re.compile(r"^ {0,3}(?:-{3,}|\*{3,}|_{3,}|(?:- ){2,}-|(?:\* ){2,}\*)\s*$")
_BULLET = re.compile(r"^(\s*)[*+\u2022][^\S\n]+")
_DASHES = re.compile(r":?-+:?")
_BOLD_ITALIC = re.compile(r"\*\*\*(?=\S)([^*\n]+?)(?<=\S)\*\*\*")
_BOLD = re.compile(r"\*\*(?=\S)((?:[^*\n]|\*(?!\*))+?)(?<=\S)\*\*")
_ITALIC = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]+?)(?<=[^\s*])\*(?![\w*])")
_UNDERLINED = re.compile(r"(?<![\w_])__(?=\S)([^_\n]+?)(?<=\S)__(?![\w_])")
_STRUCK = re.compile(r"~~(?=\S)([^~\n]+?)(?<=\S)~~")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+.!|>~-])")
_BLANK_LINES = re.compile(r"\n{3,}")

# Stand-ins while other rules run; both lie in a private area of Unicode and are removed from the text that comes in.
_BOLD_MARK, _KEPT_MARK = "\ue000", "\ue001"
_KEPT = re.compile(_KEPT_MARK + r"(\d+)" + _KEPT_MARK)


def to_whatsapp_markup(markdown: str) -> str:
    """Return the text as WhatsApp shows it; code and addresses are kept letter by letter.

    Bold, italic, struck and headings are rewritten, `[words](address)` becomes `words: address`, a table becomes one
    line for each row, rules disappear. What a model must not show goes too: its thoughts, `Assistant:`, "As an AI
    language model,". Apply it once, to Markdown: in its own output `*bold*` would read as italic.
    """
    text = markdown.replace("\r\n", "\n").replace(_BOLD_MARK, "").replace(_KEPT_MARK, "").replace("\x00", "")
    text = _THINKING.sub("", text)
    text = _ROLE.sub("", text, count=1)
    text = _DISCLAIMER.sub(lambda match: match[1].upper(), text)
    kept: list[str] = []
    text = _FENCED.sub(lambda match: _keep(kept, f"```\n{match[1].rstrip()}\n```"), text)
    text = _CODE.sub(lambda match: _keep(kept, match[0]), text)
    text = _LINK.sub(lambda match: _link(match[1].strip(), match[2], kept), _BREAK.sub("\n", text))
    text = _ADDRESS.sub(lambda match: _keep(kept, match[0]), text)
    text = _ESCAPED.sub(lambda match: _keep(kept, match[1]), text)
    text = _spans("\n".join(_lines(text.split("\n"))))
    text = _BLANK_LINES.sub("\n\n", text).replace(_BOLD_MARK, "*")
    return _KEPT.sub(lambda match: kept[int(match[1])], text).strip()


def _keep(kept: list[str], piece: str) -> str:
    kept.append(piece)
    return f"{_KEPT_MARK}{len(kept) - 1}{_KEPT_MARK}"


def _link(words: str, address: str, kept: list[str]) -> str:
    shown = _keep(kept, address)
    return shown if not words or words == address else f"{words}: {shown}"


def _lines(lines: list[str]) -> list[str]:
    written = []
    headings: list[str] | None = None
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if headings is not None and _is_table_rule(line):
            continue
        if "|" in line and _is_table_rule(following):
            headings = _cells(line)
            continue
        if headings is not None and "|" in line:
            written.append(_row(headings, _cells(line)))
            continue
        headings = None
        if not _RULE.match(line):
            written.append(_line(line))
    return written


def _line(line: str) -> str:
    heading = _HEADING.match(line)
    if heading is None:
        return _BULLET.sub(r"\1- ", line)
    words = heading[1].strip().rstrip("#").replace("**", "").strip("*_ ")
    return f"{_BOLD_MARK}{words}{_BOLD_MARK}" if words else ""


def _is_table_rule(line: str) -> bool:
    return "|" in line and all(_DASHES.fullmatch(cell) for cell in _cells(line))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _row(headings: list[str], cells: list[str]) -> str:
    pairs = [
        f"{headings[number]}: {cell}" if number < len(headings) and headings[number] else cell
        for number, cell in enumerate(cells)
        if cell
    ]
    return "- " + ", ".join(pairs)


def _spans(text: str) -> str:
    text = _BOLD_ITALIC.sub(rf"{_BOLD_MARK}_\1_{_BOLD_MARK}", text)
    text = _BOLD.sub(rf"{_BOLD_MARK}\1{_BOLD_MARK}", text)
    text = _UNDERLINED.sub(r"_\1_", text)
    text = _ITALIC.sub(r"_\1_", text)
    return _STRUCK.sub(r"~\1~", text)
