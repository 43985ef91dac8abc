"""The typed readers: what they take, what they refuse, and that no secret is ever shown."""

import copy
import logging
from pathlib import Path

import pytest

from settings.env import BadSettings, Reader, Secret


def _refused(reader: Reader) -> str:
    assert len(reader.problems) == 1
    return reader.problems[0]


@pytest.mark.parametrize("given", ["", "  ", "\t"])
def test_a_key_without_a_value_takes_its_default(given: str) -> None:
    reader = Reader({"KEY": given})

    assert reader.text("KEY", "default") == "default"
    assert reader.whole_number("KEY", 7, minimum=1, maximum=9) == 7
    assert reader.boolean("KEY", default=True)
    assert reader.secret("KEY") is None
    assert reader.texts("KEY") == ()
    assert not reader.problems


def test_white_space_around_a_value_does_not_belong_to_it() -> None:
    reader = Reader({"TEXT": " value\n", "LIST": " a, b ,,c "})

    assert reader.text("TEXT", "") == "value"
    assert reader.texts("LIST") == ("a", "b", "c")


@pytest.mark.parametrize("given", ["x", "-1", "+5", "1_0", "5.0", "0", "11", "٣", "99999999999999999999"])
def test_a_whole_number_outside_its_bounds_or_in_another_form_is_refused(given: str) -> None:
    reader = Reader({"KEY": given})

    assert reader.whole_number("KEY", 7, minimum=1, maximum=10) == 7
    assert _refused(reader) == f'KEY: "{given}" is not a whole number from 1 to 10; write one, such as 7'


@pytest.mark.parametrize(("given", "seconds"), [("0", 0), ("4", 4), ("2.5", 2.5), (".5", 0.5), ("300", 300)])
def test_seconds_may_have_decimals(given: str, seconds: float) -> None:
    assert Reader({"KEY": given}).seconds("KEY", 1, maximum=300) == seconds


@pytest.mark.parametrize("given", ["-1", "4s", "2,5", "1e3", "nan", "inf", "300.1", "."])
def test_seconds_in_another_form_are_refused(given: str) -> None:
    reader = Reader({"KEY": given})

    assert reader.seconds("KEY", 4, maximum=300) == 4
    assert "a number of seconds from 0 to 300" in _refused(reader)


@pytest.mark.parametrize(
    ("given", "meant"), [("true", True), ("YES", True), ("1", True), ("on", True), ("False", False), ("0", False)]
)
def test_a_boolean_may_be_said_in_the_usual_ways(given: str, meant: bool) -> None:
    assert Reader({"KEY": given}).boolean("KEY", default=not meant) is meant


def test_a_boolean_in_other_words_is_refused() -> None:
    reader = Reader({"KEY": "maybe"})

    assert reader.boolean("KEY", default=True)
    assert _refused(reader) == 'KEY: "maybe" is neither yes nor no; write true or false'


def test_a_choice_is_found_in_any_case_and_its_refusal_lists_all() -> None:
    assert Reader({"KEY": "JSON"}).choice("KEY", "console", ("console", "json")) == "json"

    reader = Reader({"KEY": "xml"})
    assert reader.choice("KEY", "console", ("console", "json")) == "console"
    assert _refused(reader) == 'KEY: "xml" is not known; write console or json'


def test_a_path_is_absolute_and_knows_the_home_directory() -> None:
    reader = Reader({"HOME_PATH": "~/data", "RELATIVE": "data"})

    assert reader.path("HOME_PATH", "") == Path.home() / "data"
    assert reader.path("RELATIVE", "") == Path.cwd() / "data"


@pytest.mark.parametrize("given", ["~nobody-of-this-name/data", "a\x00b", "a\nb"])
def test_a_path_that_means_nothing_is_refused(given: str) -> None:
    reader = Reader({"KEY": given})

    assert reader.path("KEY", "data") == Path.cwd() / "data"
    assert _refused(reader).startswith("KEY: is not the path")


def test_a_url_loses_the_slash_at_its_end() -> None:
    assert Reader({"KEY": "https://a.example/base/"}).url("KEY", None) == "https://a.example/base"


@pytest.mark.parametrize(
    "given",
    [
        "a.example",
        "ftp://a.example",
        "https://",
        "https:///path",
        "https://a.example:port",
        "https://a.example:99999",
        "https://[::1",
        "https://a.example/x y",
        "https://a.example?key=hunter2",
        "https://a.example#hunter2",
        "https://user:hunter2@a.example",
    ],
)
def test_a_url_in_another_form_is_refused_without_being_repeated(given: str) -> None:
    reader = Reader({"KEY": given})

    assert reader.url("KEY", None) is None
    assert _refused(reader).startswith("KEY: is not a plain address")
    assert "hunter2" not in _refused(reader)


def test_a_url_with_credentials_is_taken_where_they_belong() -> None:
    given = "redis://user:password@cache.example:6379/0?protocol=3"

    assert Reader({"KEY": given}).url("KEY", None, schemes=("redis",), credentials=True) == given


def test_a_secret_is_shown_by_reveal_alone(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret("hunter2")

    logging.getLogger().warning("%s %r", secret, [secret])
    shown = [str(secret), repr(secret), f"{secret}", f"{secret!r:>20}", repr({"key": (secret,)}), caplog.text]

    assert not [text for text in shown if "hunter2" in text]
    assert secret.reveal() == "hunter2"


def test_secrets_are_equal_when_their_values_are() -> None:
    assert Secret("ñandú") == copy.copy(Secret("ñandú"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


def test_a_secret_with_a_control_character_is_refused_without_being_repeated() -> None:
    reader = Reader({"KEY": "hunter2\nX-Header: 1"})

    reader.secret("KEY")

    assert "control character" in _refused(reader)
    assert "hunter2" not in _refused(reader)


def test_bad_settings_say_how_many_and_give_each_a_line() -> None:
    assert str(BadSettings(["A: x; y"])) == "1 setting needs your attention:\n  A: x; y"
    assert str(BadSettings(["A: x", "B: y"])) == "2 settings need your attention:\n  A: x\n  B: y"
