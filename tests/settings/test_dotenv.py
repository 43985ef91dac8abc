"""The `.env` file: its syntax, its rank below the environment, its mistakes."""

from pathlib import Path

import pytest

from settings import BadSettings, dotenv, load


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("KEY=value", "value"),
        ("  KEY = value  ", "value"),
        ("export KEY=value", "value"),
        ("KEY=", ""),
        ("KEY= # a comment", ""),
        ("KEY=value # a comment", "value"),
        ("KEY=a#b", "a#b"),
        ("KEY=a b", "a b"),
        ("KEY=a=b=", "a=b="),
        ('KEY="a # b"', "a # b"),
        ("KEY='a \" b' # a comment", 'a " b'),
        ("KEY=it's", "it's"),
        (r'KEY="C:\new $HOME"', r"C:\new $HOME"),
    ],
)
def test_a_line_sets_a_key(line: str, value: str) -> None:
    assert dotenv.parse(line, name=".env") == ({"KEY": value}, [])


def test_comments_and_empty_lines_set_nothing() -> None:
    assert dotenv.parse("# KEY=value\n\n   \n#", name=".env") == ({}, [])


@pytest.mark.parametrize(
    "line", ["hunter2", "2KEY=hunter2", 'KEY="hunter2', 'KEY="hunter2" hunter2', "A B=hunter2", "KEY=#hunter2"]
)
def test_a_line_that_sets_nothing_is_named_by_its_number_and_not_repeated(line: str) -> None:
    values, problems = dotenv.parse(f"# first\n{line}", name=".env")

    assert values == {}
    assert problems == [".env line 2: is not KEY=value; correct it, or put # before it"]


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "my.env"
    file.write_text(f"\N{BYTE ORDER MARK}PORT=8100\nHOST=0.0.0.0\nDATA_DIR={tmp_path}\n", encoding="utf-8")

    settings = load({"PORT": "8200", "HOST": ""}, env_file=file)

    assert settings.server.port == 8200
    assert settings.server.host == "0.0.0.0"  # noqa: S104  # compared with, not bound to


def test_a_file_that_does_not_exist_sets_nothing(tmp_path: Path) -> None:
    assert load({"DATA_DIR": str(tmp_path)}, env_file=tmp_path / "none.env").server.port == 8003


def test_mistakes_of_the_file_are_listed_with_those_of_the_keys(tmp_path: Path) -> None:
    file = tmp_path / "my.env"
    file.write_text("no key\nPORT=many\n")

    with pytest.raises(BadSettings) as caught:
        load({"DATA_DIR": str(tmp_path)}, env_file=file)

    assert [problem.split(":")[0] for problem in caught.value.problems] == ["my.env line 1", "PORT"]


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "latin.env").write_bytes(b"KEY=\xf1")

    with pytest.raises(BadSettings, match=r"latin\.env: cannot be read \(it is not UTF-8 text\)"):
        load({"DATA_DIR": str(tmp_path)}, env_file=tmp_path / "latin.env")
    with pytest.raises(BadSettings, match="Is a directory"):
        load({"DATA_DIR": str(tmp_path)}, env_file=tmp_path)
