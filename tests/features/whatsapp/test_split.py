import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.whatsapp.content_rules import utf16_length
from app.whatsapp.split import is_character_boundary, split_text

FAMILY, FLAG, THUMB, ACCENT = (
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0001f1ea\U0001f1f8",
    "👍\U0001f3fd",
    "e\u0301",
)
PIECES = [
    "word ",
    "A sentence. ",
    "\n",
    "\n\n",
    FAMILY,
    FLAG,
    THUMB,
    ACCENT,
    "*bold words* ",
    "https://a.example/b?c=d ",
    "- x\n",
]

texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=12), max_size=60).map("".join)


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@given(text=texts, limit=st.integers(16, 120))
def test_the_parts_are_the_text_and_each_fits(text: str, limit: int) -> None:
    parts = split_text(text, limit=limit)

    assert squeezed("".join(parts)) == squeezed(text)
    assert all(0 < utf16_length(part) <= limit and part == part.strip() for part in parts)


@given(text=st.lists(st.sampled_from(PIECES), max_size=60).map("".join), limit=st.integers(40, 120))
def test_what_belongs_together_stays_together(text: str, limit: int) -> None:
    parts = split_text(text, limit=limit)

    for whole in (FAMILY, FLAG, THUMB, ACCENT, "*bold words*", "https://a.example/b?c=d"):
        assert sum(part.count(whole) for part in parts) == text.count(whole)


def test_a_short_text_is_one_part_and_an_empty_one_is_none() -> None:
    assert split_text(" Hola\n") == ["Hola"]
    assert split_text(" \n") == []


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "First one here.\nAnd more.\n\nSecond paragraph it is.",
            ["First one here.\nAnd more.", "Second paragraph it is."],
        ),
        ("First line of it all\nSecond line of it all", ["First line of it all", "Second line of it all"]),
        ("A sentence is here. Another one follows it.", ["A sentence is here.", "Another one follows it."]),
        ('He said "it is done." Then he left us.', ['He said "it is done."', "Then he left us."]),
        ("no end of words anywhere in this text", ["no end of words anywhere in", "this text"]),
        ("x" * 70, ["x" * 30, "x" * 30, "x" * 10]),
        ("see https://example.com/a/long/one now", ["see", "https://example.com/a/long/one", "now"]),
    ],
)
def test_cuts_are_where_a_person_would_make_them(text: str, parts: list[str]) -> None:
    assert split_text(text, limit=30) == parts


def test_a_code_block_is_kept_whole() -> None:
    code = "```\na = 1\nb = 2\n```"

    assert split_text("Some words before it.\n" + code, limit=30) == ["Some words before it.", code]


def test_length_is_counted_as_utf16_so_that_no_way_of_counting_is_exceeded() -> None:
    parts = split_text("\U0001f600" * 5000)

    assert [len(part) for part in parts] == [2048, 2048, 904]


def test_a_character_longer_than_a_message_is_cut_rather_than_lost() -> None:
    text = "e" + "\u0301" * 100

    assert "".join(split_text(text, limit=16)) == text


def test_flags_are_cut_in_pairs() -> None:
    assert [is_character_boundary(FLAG * 2, at) for at in range(5)] == [True, False, True, False, True]


def test_a_limit_that_no_message_could_have_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16"):
        split_text("x", limit=15)
