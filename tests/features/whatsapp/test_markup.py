import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.whatsapp.markup import to_whatsapp_markup


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("**bold**", "*bold*"),
        ("*italic* and __italic__", "_italic_ and _italic_"),
        ("***both***", "*_both_*"),
        ("**a *b* c**", "*a _b_ c*"),
        ("~~gone~~", "~gone~"),
        ("# Title", "*Title*"),
        ("### **Title** ##", "*Title*"),
        ("[our shop](https://a.example/x_y_z)", "our shop: https://a.example/x_y_z"),
        ("[https://a.example](https://a.example)", "https://a.example"),
        ("[wiki](https://a.example/b_(c))", "wiki: https://a.example/b_(c)"),
        ('[t](https://a.example "title")', "t: https://a.example"),
        ("![photo](https://a.example/p.png)", "photo: https://a.example/p.png"),
        ("https://a.example/*x*/__y__", "https://a.example/*x*/__y__"),
        ("a\n\n---\n\nb", "a\n\nb"),
        ("* one\n+ two\n- three\n  * four", "- one\n- two\n- three\n  - four"),
        ("1. one\n2. two", "1. one\n2. two"),
        ("> quoted", "> quoted"),
        ("5 * 3 * 2 and 2*3*4", "5 * 3 * 2 and 2*3*4"),
        ("snake_case_name", "snake_case_name"),
        ("`a*b*c`", "`a*b*c`"),
        ("```python\nx = **y**\n```", "```\nx = **y**\n```"),
        (r"\*not bold\*", "*not bold*"),
        ("one<br>two", "one\ntwo"),
        (
            "| Service | Price |\n|---|---:|\n| Cut | 10 € |\n| **Dye** | |",
            "- Service: Cut, Price: 10 €\n- Service: *Dye*",
        ),
        ("a | b", "a | b"),
        ("<think>They ask for\n**hours**.</think>We open at 9.", "We open at 9."),
        ("We open at 9. <think>cut off", "We open at 9."),
        ("Assistant: Hello", "Hello"),
        ("**Asistente:** Hola", "Hola"),
        ("Como modelo de lenguaje, no puedo verlo.", "No puedo verlo."),
        ("As an AI language model, I cannot.", "I cannot."),
        ("a\n\n\n\nb", "a\n\nb"),
        ("", ""),
    ],
)
def test_markdown_reads_as_whatsapp_shows_it(markdown: str, shown: str) -> None:
    assert to_whatsapp_markup(markdown) == shown


@given(text=st.text())
def test_any_text_can_be_rewritten(text: str) -> None:
    shown = to_whatsapp_markup(text)

    assert "\x00" not in shown
    assert "\ue001" not in shown


@given(words=st.lists(st.text("abc áé", min_size=1, max_size=8), min_size=1, max_size=5))
def test_plain_words_stay_as_they_are(words: list[str]) -> None:
    text = " ".join(words).strip()

    assert to_whatsapp_markup(text) == text


@pytest.mark.parametrize(
    "piece", ["*a", "**a ", "[", "[a](", "`", "<think>", "|", "| - ", " ", "__a", "\\", "\n", "# a"]
)
def test_hostile_text_takes_no_longer_than_its_length(piece: str) -> None:
    def cpu_seconds(text: str) -> float:
        started = time.process_time()
        to_whatsapp_markup(text)
        return time.process_time() - started

    assert cpu_seconds(piece * 40_000) < 2
