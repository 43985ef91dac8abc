import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.inbox.words import query_of, snippet


def shown(text: str, asked: str) -> str:
    """Return the snippet with what was asked for in brackets."""
    query = query_of(asked)
    assert query is not None
    return "".join(f"[{part.text}]" if part.marked else part.text for part in snippet(text, query))


@pytest.mark.parametrize(
    ("text", "asked", "expected"),
    [
        ("¿Cuándo abre la panadería?", "cuando", "¿[Cuándo] abre la panadería?"),
        ("¿Cuándo abre la panadería?", "PANADERIA cuándo", "¿[Cuándo] abre la [panadería]?"),
        ("panaderías", "panad", "[panaderías]"),
        ("pan panadería", "pan abre", "[pan] panadería"),
        ("mañana por la manana", "MANANA", "[mañana] por la [manana]"),
        ("an a b", "a", "an [a] b"),
        ("nada", "otro", "nada"),
        ("", "x", ""),
        ("não, João!", "joao", "não, [João]!"),
    ],
)
def test_what_was_asked_for_is_marked_whatever_its_case_and_accents(text: str, asked: str, expected: str) -> None:
    assert shown(text, asked) == expected


def test_a_long_text_is_cut_around_the_first_find_at_spaces() -> None:
    found = shown("uno " * 100 + "pedido " + "dos " * 100, "pedido")
    assert found.startswith("…uno ")
    assert "[pedido]" in found
    assert found.endswith("dos…")
    assert len(found) < 200


@pytest.mark.parametrize("text", ["", "  ", "¿?", "_", "-- /"])
def test_what_has_no_word_asks_for_nothing(text: str) -> None:
    assert query_of(text) is None


def test_only_so_many_words_are_asked_for() -> None:
    query = query_of(" ".join("abcdefghijklmnop"))
    assert query is not None
    assert len(query.words) == 10


@given(st.text(max_size=600), st.text(min_size=1, max_size=20))
def test_the_parts_join_to_a_piece_of_the_text(text: str, asked: str) -> None:
    query = query_of(asked)
    if query is None:
        return
    joined = "".join(part.text for part in snippet(text, query))
    assert joined in text or joined.strip("…") in text
