"""`settings/example.env` is complete, true, and starts as it is."""

import re
from itertools import pairwise
from pathlib import Path

from settings import dotenv, known_keys, load

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "settings" / "example.env"


def _documented() -> dict[str, str]:
    values, problems = dotenv.parse(EXAMPLE.read_text(encoding="utf-8"), name=EXAMPLE.name)
    assert not problems
    return dict(values)


def _keys_of_compose() -> set[str]:
    return set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text(encoding="utf-8")))


def test_every_key_that_is_read_is_documented_and_every_documented_key_is_read() -> None:
    assert set(_documented()) == known_keys() | _keys_of_compose()


def test_no_key_is_documented_twice() -> None:
    keys = re.findall(r"^([A-Z_]+)=", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)

    assert sorted(keys) == sorted(set(keys))


def test_every_key_stands_under_a_comment() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()

    assert [line for before, line in pairwise(lines) if "=" in line and not before] == []


def test_the_example_means_the_same_as_nothing_configured(tmp_path: Path) -> None:
    load({"DATA_DIR": str(tmp_path)})

    assert load({"DATA_DIR": str(tmp_path)}, env_file=EXAMPLE) == load({"DATA_DIR": str(tmp_path)})
