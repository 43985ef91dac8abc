"""From an environment to settings: defaults, every problem at once, rules between keys."""

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings import BadSettings, Settings, known_keys, load
from tests.settings.production import production


def _load(tmp_path: Path, **environ: str) -> Settings:
    return load({"DATA_DIR": str(tmp_path), **environ})


def _problems(tmp_path: Path, **environ: str) -> tuple[str, ...]:
    with pytest.raises(BadSettings) as caught:
        _load(tmp_path, **environ)
    return caught.value.problems


def _keys(problems: tuple[str, ...]) -> list[str]:
    return [problem.partition(":")[0] for problem in problems]


def test_nothing_configured_is_one_process_on_this_machine_with_the_simulator(tmp_path: Path) -> None:
    settings = _load(tmp_path)

    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8003)
    assert settings.server.public_url == "http://127.0.0.1:8003"
    assert settings.server.environment == "development"
    assert settings.server.log_format == "console"
    assert settings.storage.database_url == f"sqlite:///{tmp_path}/mostrador.db"
    assert settings.storage.sqlite_path == tmp_path / "mostrador.db"
    assert settings.storage.redis_url is None
    assert settings.ai.fallback_order == ()
    assert settings.whatsapp.simulator
    assert (settings.whatsapp.turn_quiet_seconds, settings.whatsapp.turn_max_wait_seconds) == (4, 20)
    assert settings.warnings == ()


def test_the_environment_of_this_process_is_read_when_none_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("PORT=8111\nLOG_LEVEL=debug\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LOG_LEVEL", "error")

    settings = load()

    assert settings.server.port == 8111
    assert settings.server.log_level == "error"


def test_all_bad_keys_are_listed_at_once(tmp_path: Path) -> None:
    problems = _problems(
        tmp_path,
        APP_ENV="staging",
        HOST="http://here",
        PORT="70000",
        PUBLIC_URL="here",
        CORS_ORIGINS="*",
        TRUSTED_PROXIES="*",
        ALLOWED_HOSTS="https://desk.example.com",
        RATE_LIMIT_API_REQUESTS="0",
        LOG_FORMAT="xml",
        LOG_LEVEL="loud",
        DATABASE_URL="mysql://db/name",
        DATABASE_POOL_SIZE="1",
        REDIS_URL="http://cache",
        RATE_LIMIT_ENABLED="perhaps",
        FERNET_KEY="short",
        ADMIN_USERNAME="a b",
        AI_FALLBACK_ORDER="gemini,chatgpt",
        GEMINI_BASE_URL="gemini",
        WHATSAPP_PHONE_ID="+57 300",
        WHATSAPP_GRAPH_URL="graph",
        WHATSAPP_API_VERSION="26",
        SIMULATOR="perhaps",
        TURN_QUIET_SECONDS="soon",
        TURN_MAX_WAIT_SECONDS="later",
    )

    assert set(_keys(problems)) == {
        "APP_ENV", "HOST", "PORT", "PUBLIC_URL", "CORS_ORIGINS", "TRUSTED_PROXIES", "LOG_FORMAT", "LOG_LEVEL",
        "ALLOWED_HOSTS", "RATE_LIMIT_API_REQUESTS",
        "DATABASE_URL", "DATABASE_POOL_SIZE", "REDIS_URL", "RATE_LIMIT_ENABLED", "FERNET_KEY", "ADMIN_USERNAME",
        "AI_FALLBACK_ORDER", "GEMINI_BASE_URL", "WHATSAPP_PHONE_ID", "WHATSAPP_CLOUD_TOKEN", "WHATSAPP_GRAPH_URL",
        "WHATSAPP_API_VERSION", "SIMULATOR", "TURN_QUIET_SECONDS", "TURN_MAX_WAIT_SECONDS",
    }  # fmt: skip
    assert all("write" in problem or "copy" in problem for problem in problems)


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = _load(tmp_path)

    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.server.port = 1  # type: ignore[misc]  # what is tested


def test_settings_can_be_printed_without_telling_a_secret(tmp_path: Path) -> None:
    settings = load(
        production(
            tmp_path,
            DATABASE_URL="postgresql://mostrador:hunter2@db/mostrador",
            REDIS_URL="redis://:hunter2@cache:6379",
            GEMINI_API_KEY="hunter2",
            WHATSAPP_CLOUD_TOKEN="hunter2",
            WHATSAPP_PHONE_ID="106540352242922",
            WHATSAPP_APP_SECRET="6f1d0c9e72b84a53",
        )
    )

    text = repr(settings)
    assert settings.storage.redis_url == "redis://:hunter2@cache:6379"
    assert "hunter2" not in text
    assert settings.security.jwt_secret.reveal() not in text
    assert settings.security.admin_password.reveal() not in text


@pytest.mark.parametrize(
    ("host", "public_url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8003"),  # noqa: S104  # read, not bound to
        ("::", "http://127.0.0.1:8003"),
        ("::1", "http://[::1]:8003"),
        ("counter.example", "http://counter.example:8003"),
    ],
)
def test_the_public_address_follows_from_where_the_server_listens(tmp_path: Path, host: str, public_url: str) -> None:
    assert _load(tmp_path, HOST=host).server.public_url == public_url


def test_the_panel_may_use_the_usual_local_models_on_a_laptop_and_none_in_production(tmp_path: Path) -> None:
    usual = ("http://127.0.0.1:11434", "http://127.0.0.1:1234")
    named = "http://models.lan:8080,http://10.0.0.7:11434"
    assert _load(tmp_path).ai.local_servers == usual
    assert load(production(tmp_path)).ai.local_servers == ()
    assert load(production(tmp_path, AI_LOCAL_SERVERS=named)).ai.local_servers == tuple(named.split(","))
    assert _keys(_problems(tmp_path, AI_LOCAL_SERVERS="models.lan")) == ["AI_LOCAL_SERVERS"]


def test_production_logs_json_and_has_no_simulator(tmp_path: Path) -> None:
    settings = load(production(tmp_path))

    assert settings.server.is_production
    assert settings.server.log_format == "json"
    assert not settings.whatsapp.simulator
    assert settings.whatsapp.app_secrets == ()
    assert settings.whatsapp.verify_token is None


@pytest.mark.parametrize("key", ["PUBLIC_URL", "WHATSAPP_GRAPH_URL"])
def test_production_speaks_https_except_with_itself(tmp_path: Path, key: str) -> None:
    with pytest.raises(BadSettings, match=f"{key}.*https://"):
        load(production(tmp_path, **{key: "http://counter.example"}))

    load(production(tmp_path, **{key: "http://127.0.0.1:9000"}))
    load(production(tmp_path, **{key: "https://counter.example"}))


@pytest.mark.parametrize(
    "origin", ["panel.example", "https://panel.example/", "https://panel.example/x", "https://*.example", "null"]
)
def test_an_origin_is_exact_or_refused(tmp_path: Path, origin: str) -> None:
    assert _keys(_problems(tmp_path, CORS_ORIGINS=f"https://a.example,{origin}")) == ["CORS_ORIGINS"]


def test_several_origins_and_proxies_are_taken(tmp_path: Path) -> None:
    server = _load(
        tmp_path, CORS_ORIGINS="https://a.example, http://localhost:5173", TRUSTED_PROXIES="10.0.0.2,172.18.0.0/16"
    ).server

    assert server.cors_origins == ("https://a.example", "http://localhost:5173")
    assert server.trusted_proxies == ("10.0.0.2", "172.18.0.0/16")


@pytest.mark.parametrize("proxy", ["*", "0.0.0.0/0", "::/0", "proxy"])
def test_nobody_is_trusted_as_a_proxy_by_everybody(tmp_path: Path, proxy: str) -> None:
    assert _keys(_problems(tmp_path, TRUSTED_PROXIES=proxy)) == ["TRUSTED_PROXIES"]


class TestDatabase:
    @pytest.mark.parametrize(
        "given",
        [
            "postgresql://mostrador:hunter2@db:5432/mostrador",
            "postgresql:///mostrador?host=/run/postgresql",
        ],
    )
    def test_postgresql_is_taken_as_given(self, tmp_path: Path, given: str) -> None:
        storage = _load(tmp_path, DATABASE_URL=given).storage

        assert storage.database_url == given
        assert not storage.is_sqlite
        assert storage.sqlite_path is None

    def test_the_old_scheme_of_postgresql_is_understood(self, tmp_path: Path) -> None:
        assert _load(tmp_path, DATABASE_URL="postgres://db/name").storage.database_url == "postgresql://db/name"

    def test_a_relative_sqlite_file_becomes_absolute(self, tmp_path: Path) -> None:
        assert _load(tmp_path, DATABASE_URL="sqlite:///a/b.db").storage.sqlite_path == Path.cwd() / "a" / "b.db"

    @pytest.mark.parametrize(
        "given",
        [
            "sqlite://",
            "sqlite:///",
            "sqlite:///:memory:",
            "sqlite:///a.db?mode=ro",
            "sqlite:///~nobody-of-this-name/a.db",
            "postgresql+asyncpg://u:hunter2@db/name",
            "postgresql://u:hunter2@db",
            "postgresql://u:hunter2@db:port/name",
            "mysql://u:hunter2@db/name",
            "name",
        ],
    )
    def test_other_addresses_are_refused_without_being_repeated(self, tmp_path: Path, given: str) -> None:
        (problem,) = _problems(tmp_path, DATABASE_URL=given)

        assert problem.startswith("DATABASE_URL: ")
        assert "hunter2" not in problem

    def test_separate_workers_need_postgresql(self, tmp_path: Path) -> None:
        (problem,) = _problems(tmp_path, REDIS_URL="redis://cache")

        assert problem.startswith("DATABASE_URL: REDIS_URL is for separate worker processes")

    def test_postgresql_and_redis_go_together(self, tmp_path: Path) -> None:
        storage = _load(tmp_path, DATABASE_URL="postgresql://db/name", REDIS_URL="rediss://:p@cache:6380/1").storage

        assert storage.redis_url == "rediss://:p@cache:6380/1"

    def test_the_data_directory_is_made_for_this_user_alone(self, tmp_path: Path) -> None:
        _load(tmp_path, DATA_DIR=str(tmp_path / "new" / "data"))

        assert (tmp_path / "new" / "data").stat().st_mode & 0o777 == 0o700

    def test_a_data_directory_that_cannot_be_is_listed_with_the_rest(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()

        problems = _problems(tmp_path, DATA_DIR=str(tmp_path / "file"), PORT="x")

        assert _keys(problems) == ["PORT", "DATA_DIR"]
        assert "File exists" in problems[1]


class TestModels:
    def test_a_cloud_provider_is_configured_by_its_key_and_a_local_one_by_address_or_model(
        self, tmp_path: Path
    ) -> None:
        ai = _load(
            tmp_path,
            CLAUDE_API_KEY="key",
            CLAUDE_MODEL="claude-x",
            GEMINI_MODEL="a model alone configures nothing in the cloud",
            OLLAMA_MODEL="llama",
            LM_STUDIO_BASE_URL="http://127.0.0.1:1234/v1/",
        ).ai

        assert ai.fallback_order == ("claude", "ollama", "lm_studio")
        assert set(ai.providers) == set(ai.fallback_order)
        assert ai.providers["claude"].model == "claude-x"
        assert ai.providers["lm_studio"].base_url == "http://127.0.0.1:1234/v1"

    def test_the_order_names_who_is_asked_and_a_forgotten_one_is_warned_about(self, tmp_path: Path) -> None:
        settings = _load(
            tmp_path,
            AI_FALLBACK_ORDER="XAI, openai, gemini, xai",
            OPENAI_API_KEY="k",
            XAI_API_KEY="k",
            CLAUDE_API_KEY="k",
        )

        assert settings.ai.fallback_order == ("xai", "openai")
        assert settings.warnings == (
            "AI_FALLBACK_ORDER does not name claude, so that it is configured but never asked",
        )

    def test_a_cloud_key_is_never_sent_unencrypted(self, tmp_path: Path) -> None:
        (problem,) = _problems(tmp_path, OPENAI_API_KEY="k", OPENAI_BASE_URL="http://proxy.example/v1")
        assert problem.startswith("OPENAI_BASE_URL: would send the API key unencrypted")

        _load(tmp_path, OPENAI_API_KEY="k", OPENAI_BASE_URL="http://localhost:9000/v1")
        _load(tmp_path, OLLAMA_BASE_URL="http://ollama:11434")

    @pytest.mark.parametrize(
        ("given", "missing"),
        [
            ({"COMPATIBLE_MODEL": "m"}, "COMPATIBLE_BASE_URL"),
            ({"COMPATIBLE_API_KEY": "k"}, "COMPATIBLE_BASE_URL"),
            ({"COMPATIBLE_BASE_URL": "http://vllm:8000/v1"}, "COMPATIBLE_MODEL"),
        ],
    )
    def test_a_compatible_endpoint_needs_address_and_model(
        self, tmp_path: Path, given: dict[str, str], missing: str
    ) -> None:
        assert _keys(_problems(tmp_path, **given)) == [missing]


class TestChannel:
    def test_a_token_without_a_number_says_so(self, tmp_path: Path) -> None:
        (problem,) = _problems(tmp_path, WHATSAPP_CLOUD_TOKEN="hunter2", WHATSAPP_APP_SECRET="s")

        assert problem.startswith("WHATSAPP_PHONE_ID: is not set, but WHATSAPP_CLOUD_TOKEN is")
        assert "hunter2" not in problem

    def test_a_number_without_a_token_says_so(self, tmp_path: Path) -> None:
        (problem,) = _problems(tmp_path, WHATSAPP_PHONE_ID="106540352242922")

        assert problem.startswith("WHATSAPP_CLOUD_TOKEN: is not set, but WHATSAPP_PHONE_ID is")

    def test_a_channel_that_could_verify_no_webhook_is_refused(self, tmp_path: Path) -> None:
        problems = _problems(tmp_path, WHATSAPP_CLOUD_TOKEN="t", WHATSAPP_PHONE_ID="106540352242922")

        assert _keys(problems) == ["WHATSAPP_APP_SECRET"]

    def test_a_real_channel_takes_the_place_of_the_simulator(self, tmp_path: Path) -> None:
        channel = {
            "WHATSAPP_CLOUD_TOKEN": "t",
            "WHATSAPP_PHONE_ID": "106540352242922",
            "WHATSAPP_APP_SECRET": "new,old",
        }

        settings = _load(tmp_path, **channel)

        assert not settings.whatsapp.simulator
        assert [secret.reveal() for secret in settings.whatsapp.app_secrets] == ["new", "old"]
        assert "WHATSAPP_VERIFY_TOKEN is not set" in settings.warnings[0]
        assert _load(tmp_path, **channel, SIMULATOR="true").whatsapp.simulator

    def test_the_longest_wait_is_no_shorter_than_the_quiet_time(self, tmp_path: Path) -> None:
        problems = _problems(tmp_path, TURN_QUIET_SECONDS="30")

        assert problems == (
            "TURN_MAX_WAIT_SECONDS: 20 is less than TURN_QUIET_SECONDS, 30; write a longer time, or shorten the other",
        )
        assert _load(tmp_path, TURN_QUIET_SECONDS="0", TURN_MAX_WAIT_SECONDS="0").whatsapp.turn_quiet_seconds == 0

    def test_messages_wait_for_their_channel_unless_somebody_says_how_long(self, tmp_path: Path) -> None:
        assert _load(tmp_path).whatsapp.failover_after is None
        assert _load(tmp_path, FAILOVER_AFTER_SECONDS="90").whatsapp.failover_after == timedelta(seconds=90)

    @pytest.mark.parametrize("path", ["/no/such/browser", "1" * 400])
    def test_a_browser_that_is_no_file_is_a_problem(self, tmp_path: Path, path: str) -> None:
        assert _keys(_problems(tmp_path, WHATSAPP_WEB_BROWSER=path)) == ["WHATSAPP_WEB_BROWSER"]


NASTY = st.sampled_from(
    ["\udcff" * 40, "\x00", "é" * 40, "-", ",", ",,", "http://", "https://[", "//", "postgresql://", "sqlite:///\x00",
     "1" * 400, "9" * 5000, "1e400", "٣", "..", "v1.1", "0.0.0.0/0", "http://a:b", "%", "${HOME}", "true", "gemini"]
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(sorted(known_keys() - {"DATA_DIR"})), NASTY | st.text(max_size=40), max_size=12))
def test_whatever_the_environment_says_the_answer_is_settings_or_a_list(
    tmp_path_factory: pytest.TempPathFactory, environ: dict[str, str]
) -> None:
    data_dir = tmp_path_factory.getbasetemp() / "whatever"
    problems: tuple[str, ...] = ()

    try:
        load({"DATA_DIR": str(data_dir), **environ})
    except BadSettings as error:
        problems = error.problems

    assert set(_keys(problems)) <= known_keys()


class TestSpelling:
    @pytest.mark.parametrize(
        ("given", "meant"),
        [
            ("WHATSAPP_PHONEID", "WHATSAPP_PHONE_ID"),
            ("WHATSAPP_CLOUD_VERIFY_TOKEN", "WHATSAPP_VERIFY_TOKEN"),
            ("DATABSE_URL", "DATABASE_URL"),
            ("JWT_SECRETS", "JWT_SECRET"),
            ("OPENAI_APIKEY", "OPENAI_API_KEY"),
            ("TURN_QUIET", "TURN_QUIET_SECONDS"),
            ("LM_STUDIO_URL", "LM_STUDIO_BASE_URL"),
            ("LOGLEVEL", "LOG_LEVEL"),
            ("data_dir", "DATA_DIR"),
        ],
    )
    def test_a_misspelled_key_is_warned_about_with_the_nearest(self, tmp_path: Path, given: str, meant: str) -> None:
        (warning,) = _load(tmp_path, **{given: "hunter2"}).warnings

        assert warning == f"{given} is not a setting of Mostrador and is not read; the nearest is {meant}"

    def test_keys_of_others_are_left_in_peace(self, tmp_path: Path) -> None:
        others = (
            "PATH HOME SHELL TERM LANG PWD USER LOGNAME HOSTNAME HOSTTYPE OLDPWD EDITOR DISPLAY TZ VIRTUAL_ENV "
            "PYTHONPATH XDG_DATA_DIRS XDG_RUNTIME_DIR PGHOST PGPORT POSTGRES_URL DATABASE_NAME ANTHROPIC_API_KEY "
            "GOOGLE_API_KEY AZURE_OPENAI_API_KEY HTTP_PROXY NO_PROXY NODE_ENV DEBUG REPORT SSH_AUTH_SOCK "
            "TEST_DATABASE_URL TEST_REDIS_URL POSTGRES_PASSWORD REDIS_PASSWORD"
        )

        assert _load(tmp_path, **dict.fromkeys(others.split(), "x")).warnings == ()
