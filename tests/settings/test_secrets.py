"""Secrets: generated for those who set none, refused in production when missing or weak."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from settings import BadSettings, load
from settings.generated import GeneratedSecrets, new_password, new_secret
from settings.strength import fernet_key_weakness, is_fernet_key, password_weakness, secret_weakness
from tests.settings.production import ADMIN_PASSWORD, FERNET_KEY, JWT_SECRET, production

ROOT = Path(__file__).parents[2]
PROCESSES = 16


def test_the_first_start_makes_secrets_that_only_this_user_can_read(tmp_path: Path) -> None:
    settings = load({"DATA_DIR": str(tmp_path / "data")})

    files = {file.name: file for file in (tmp_path / "data" / "secrets").iterdir()}
    assert set(files) == {
        "jwt_secret", "fernet_key", "admin_password", "simulator_app_secret", "simulator_verify_token"
    }  # fmt: skip
    assert {file.stat().st_mode & 0o777 for file in files.values()} == {0o600}
    assert (tmp_path / "data" / "secrets").stat().st_mode & 0o777 == 0o700
    assert secret_weakness(settings.security.jwt_secret.reveal()) is None
    assert is_fernet_key(settings.security.fernet_keys[0].reveal())
    assert password_weakness(settings.security.admin_password.reveal()) is None
    assert settings.whatsapp.app_secrets
    assert settings.whatsapp.verify_token is not None


def test_the_next_start_finds_the_same_secrets_and_prints_no_password(tmp_path: Path) -> None:
    first = load({"DATA_DIR": str(tmp_path)})
    second = load({"DATA_DIR": str(tmp_path)})

    assert first.security.admin_password_generated
    assert not second.security.admin_password_generated
    assert second.security.admin_password == first.security.admin_password
    assert second.security.jwt_secret == first.security.jwt_secret
    assert second.security.fernet_keys == first.security.fernet_keys
    assert second.whatsapp == first.whatsapp


def test_two_installations_share_no_secret(tmp_path: Path) -> None:
    one = load({"DATA_DIR": str(tmp_path / "one")}).security
    other = load({"DATA_DIR": str(tmp_path / "other")}).security

    assert one.jwt_secret != other.jwt_secret
    assert one.fernet_keys != other.fernet_keys
    assert one.admin_password != other.admin_password


def test_what_is_set_is_not_generated(tmp_path: Path) -> None:
    security = load(production(tmp_path)).security

    assert security.jwt_secret.reveal() == JWT_SECRET
    assert not security.admin_password_generated
    assert list(tmp_path.iterdir()) == []


def test_processes_that_start_together_agree_and_one_prints_the_password(tmp_path: Path) -> None:
    together = Barrier(PROCESSES)

    def start() -> tuple[str, bool]:
        secrets = GeneratedSecrets(tmp_path)
        together.wait(timeout=10)
        secret, created = secrets.get_or_create("admin_password", new_password)
        return secret.reveal(), created

    with ThreadPoolExecutor(PROCESSES) as pool:
        outcomes = [future.result() for future in [pool.submit(start) for _ in range(PROCESSES)]]

    assert len({value for value, _ in outcomes}) == 1
    assert sum(created for _, created in outcomes) == 1
    assert [file.name for file in (tmp_path / "secrets").iterdir()] == ["admin_password"]


def test_the_process_that_comes_second_takes_the_secret_of_the_first(tmp_path: Path) -> None:
    def make_too_late() -> str:
        GeneratedSecrets(tmp_path).get("jwt_secret", lambda: "of the first")
        return "of the second"

    secret, created = GeneratedSecrets(tmp_path).get_or_create("jwt_secret", make_too_late)

    assert (secret.reveal(), created) == ("of the first", False)
    assert [file.name for file in (tmp_path / "secrets").iterdir()] == ["jwt_secret"]


def test_an_emptied_secret_is_not_replaced_in_silence(tmp_path: Path) -> None:
    GeneratedSecrets(tmp_path).get("fernet_key", new_secret)
    (tmp_path / "secrets" / "fernet_key").write_text("\n")

    with pytest.raises(BadSettings, match="fernet_key is empty; restore it"):
        load({"DATA_DIR": str(tmp_path)})


def test_a_damaged_generated_key_is_refused(tmp_path: Path) -> None:
    load({"DATA_DIR": str(tmp_path)})
    (tmp_path / "secrets" / "jwt_secret").write_bytes(b"\xff\xfe")

    with pytest.raises(BadSettings, match="jwt_secret cannot be used"):
        load({"DATA_DIR": str(tmp_path)})


def test_a_secrets_directory_that_cannot_be_made_is_a_bad_setting(tmp_path: Path) -> None:
    (tmp_path / "secrets").touch()

    with pytest.raises(BadSettings, match=r"DATA_DIR: .*secrets"):
        load({"DATA_DIR": str(tmp_path)})


@pytest.mark.parametrize("key", ["JWT_SECRET", "FERNET_KEY", "ADMIN_PASSWORD"])
def test_production_does_not_start_without_a_secret_and_says_how_to_make_one(tmp_path: Path, key: str) -> None:
    with pytest.raises(BadSettings) as caught:
        load(production(tmp_path, **{key: ""}))

    (problem,) = caught.value.problems
    assert problem.startswith(f"{key}: is not set")
    assert "openssl rand" in problem
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("key", "weak"),
    [
        ("JWT_SECRET", JWT_SECRET[:31]),
        ("JWT_SECRET", "a" * 64),
        ("JWT_SECRET", "0123456789abcdef" * 4),
        ("JWT_SECRET", "abcdefghijklmnopqrstuvwxyz0123456789"),
        ("JWT_SECRET", "change-me-to-a-long-random-string-please-9f2c61d7"),
        ("JWT_SECRET", "MyJwtSecretForProduction-9f2c61d7e0b84a35"),
        ("FERNET_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("ADMIN_PASSWORD", "tabla-verde"),
        ("ADMIN_PASSWORD", "aaaaaaaaaaaaaaaa"),
        ("ADMIN_PASSWORD", "123456789012345"),
        ("ADMIN_PASSWORD", "Password2026!"),
        ("ADMIN_PASSWORD", "Contraseña2026"),
        ("ADMIN_PASSWORD", "mostrador2026"),
        ("ADMIN_PASSWORD", "x7" * 129),
        ("METRICS_TOKEN", "scrape"),
        ("WHATSAPP_APP_SECRET", "your_app_secret_here"),
        ("WHATSAPP_VERIFY_TOKEN", "verify"),
    ],
)
def test_production_refuses_a_weak_secret_without_repeating_it(tmp_path: Path, key: str, weak: str) -> None:
    with pytest.raises(BadSettings) as caught:
        load(production(tmp_path, **{key: weak}))

    (problem,) = caught.value.problems
    assert problem.startswith(f"{key}: ")
    assert weak not in problem


def test_development_takes_a_weak_secret_and_warns(tmp_path: Path) -> None:
    settings = load({"DATA_DIR": str(tmp_path), "ADMIN_PASSWORD": "hunter2"})

    assert settings.security.admin_password.reveal() == "hunter2"
    assert settings.warnings == (
        "ADMIN_PASSWORD is shorter than 12 characters: with APP_ENV=production it will be refused",
    )


def test_fernet_keys_are_kept_in_the_order_of_their_rotation(tmp_path: Path) -> None:
    older = "Zk0mW3rT8uXo1c5Rk7JmYpLw0HsBf2NaGe9xCiQvDz4="

    keys = load(production(tmp_path, FERNET_KEY=f"{FERNET_KEY},{older}")).security.fernet_keys

    assert [key.reveal() for key in keys] == [FERNET_KEY, older]


@pytest.mark.parametrize(
    "bad", ["short", FERNET_KEY[:-2], FERNET_KEY + "A", "not base64 at all, but 44 characters long!!!"]
)
def test_a_key_that_is_no_fernet_key_is_named_by_its_place(tmp_path: Path, bad: str) -> None:
    with pytest.raises(BadSettings) as caught:
        load(production(tmp_path, FERNET_KEY=f"{FERNET_KEY},{bad.replace(',', '')}"))

    (problem,) = caught.value.problems
    assert problem.startswith("FERNET_KEY: its part 2 is not 32 bytes")


def test_random_secrets_are_never_called_weak() -> None:
    for _ in range(500):
        assert secret_weakness(new_secret()) is None
        assert password_weakness(new_password()) is None
    assert secret_weakness(JWT_SECRET) is None
    assert fernet_key_weakness(FERNET_KEY) is None
    assert password_weakness(ADMIN_PASSWORD) is None


def test_no_secret_written_in_this_repository_works_in_production(tmp_path: Path) -> None:
    """S3 of the security checklist: whoever copies an example has not chosen a secret."""
    texts = [
        ROOT / "settings" / "example.env",
        ROOT / "compose.yaml",
        ROOT / "README.md",
        *(ROOT / "docs").rglob("*.md"),
    ]
    assignment = re.compile(r"\b(JWT_SECRET|FERNET_KEY|ADMIN_PASSWORD)\s*[=:]\s*[\"'`]?([^\s\"'`$]+)")
    examples = [
        found for path in texts if path.exists() for found in assignment.findall(path.read_text(encoding="utf-8"))
    ]

    for key, value in examples:
        with pytest.raises(BadSettings, match=key):
            load(production(tmp_path, **{key: value}))
