"""What the operator sets: names that do not exist and addresses that are not safe stop the start, with a hint."""

from pathlib import Path

import pytest

from bot.settings import SettingsError, read_environment, read_settings, require_slack

POSTGRES = {"TIERLINE_DATABASE_URL": "postgresql+asyncpg://tierline:hunter2-canary@db/tierline"}


def test_everything_has_a_default() -> None:
    """An empty environment gives a bot on SQLite that answers on this machine only, its keys beside its database."""
    settings = read_settings({"HOME": "/root"})
    assert (settings.host, settings.port, settings.log_format, settings.on_sqlite, settings.socket_mode) == (
        "127.0.0.1",
        8080,
        "json",
        True,
        False,
    )
    settings = read_settings({"TIERLINE_DATABASE_URL": "sqlite+aiosqlite:////var/lib/tierline/t.db"})
    assert settings.vault_key_path == Path("/var/lib/tierline/tierline-vault.key")


def test_a_mistyped_name_stops_the_start_and_says_what_was_meant() -> None:
    """pydantic-settings would start without the setting; every mistake is listed at once."""
    environment = {"TIERLINE_SLACK_BOT_TOKE": "xoxb-canary", "TIERLINE_PORT": "eighty", "TIERLINE_LOG_FORMAT": "xml"}
    with pytest.raises(SettingsError) as refused:
        read_settings(environment)
    said = str(refused.value)
    assert 'TIERLINE_SLACK_BOT_TOKE: unknown setting; did you mean "TIERLINE_SLACK_BOT_TOKEN"?' in said
    assert {problem.pointer for problem in refused.value.problems} == set(environment)
    assert "canary" not in said


def test_secrets_may_come_in_pairs_and_never_show() -> None:
    """During a rotation a secret holds the new and the old one; no representation shows either."""
    settings = read_settings({"TIERLINE_SLACK_SIGNING_SECRET": "new-canary, old-canary,", "TIERLINE_SLACK_APP_TOKEN": "xapp-canary"})
    assert [secret.get_secret_value() for secret in settings.slack_signing_secret] == ["new-canary", "old-canary"]
    assert settings.socket_mode
    assert {"new-canary", "old-canary", "xapp-canary"} <= {secret.get_secret_value() for secret in settings.secrets()}
    assert "canary" not in repr(settings) + str(settings)


@pytest.mark.parametrize(
    ("url", "accepted"),
    [
        ("http://127.0.0.1:9000/api/", True),
        ("http://localhost:9000/api/", True),
        ("http://[::1]:9000/", True),
        ("https://slack.example/api/", True),
        ("http://slack.example/api/", False),
        ("http://127.0.0.1.example/", False),
        ("http://10.0.0.1/", False),
        ("https://user:pass@slack.example/", False),
        ("ftp://slack.example/", False),
        ("https://[::1/", False),
    ],
)
def test_plain_http_is_for_this_machine_only(url: str, accepted: bool) -> None:
    """Tokens never travel in the clear past this machine."""
    for name in ("TIERLINE_SLACK_API_URL", "TIERLINE_PAGERDUTY_EVENTS_URL", "TIERLINE_PAGERDUTY_API_URL"):
        if accepted:
            read_settings({name: url})
            continue
        with pytest.raises(SettingsError) as refused:
            read_settings({name: url})
        assert [problem.pointer for problem in refused.value.problems] == [name]


def test_postgresql_demands_its_keys() -> None:
    """Replicas and restarts need the same keys, so nothing is made up on PostgreSQL."""
    with pytest.raises(SettingsError, match="TIERLINE_SIGNING_KEY_FILE and TIERLINE_VAULT_KEY_FILE") as refused:
        read_settings(POSTGRES)
    assert "canary" not in str(refused.value)
    settings = read_settings(POSTGRES | {"TIERLINE_SIGNING_KEY_FILE": "/run/s.pem", "TIERLINE_VAULT_KEY_FILE": "/run/v.key"})
    assert not settings.on_sqlite
    with pytest.raises(SettingsError, match="TIERLINE_DATABASE_URL"):
        read_settings({"TIERLINE_DATABASE_URL": "mysql://root:canary@db"})


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`.env` fills what the environment leaves open, and its mistyped names are found as well."""
    file = tmp_path / ".env"
    file.write_text("TIERLINE_PORT=9001\nTIERLINE_HOST=0.0.0.0\nREFUND_AGENT_SECRET='whsec_x'\nTIERLINE_SMTP_URL=\n")
    monkeypatch.setenv("TIERLINE_PORT", "9002")
    environment = read_environment(file)
    assert environment["REFUND_AGENT_SECRET"] == "whsec_x"
    settings = read_settings(
        {name: value for name, value in environment.items() if name in ("TIERLINE_PORT", "TIERLINE_HOST", "TIERLINE_SMTP_URL")}
    )
    assert (settings.port, settings.host, settings.smtp_url) == (9002, "0.0.0.0", None)  # noqa: S104  # what the file says
    file.write_text("TIERLINE_PROT=1\n")
    with pytest.raises(SettingsError, match="TIERLINE_PORT"):
        read_settings(read_environment(file))


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, {"TIERLINE_SLACK_BOT_TOKEN", "TIERLINE_SLACK_SIGNING_SECRET"}),
        ({"TIERLINE_SLACK_BOT_TOKEN": "xoxb-1"}, {"TIERLINE_SLACK_SIGNING_SECRET"}),
        ({"TIERLINE_SLACK_SIGNING_SECRET": "s"}, {"TIERLINE_SLACK_BOT_TOKEN"}),
    ],
)
def test_serving_needs_slack(given: dict[str, str], missing: set[str]) -> None:
    """A bot without a token, or one that nobody could press, refuses to start and names what is missing."""
    with pytest.raises(SettingsError) as error:
        require_slack(read_settings(given))
    assert {problem.pointer for problem in error.value.problems} == missing


def test_socket_mode_needs_no_signing_secret() -> None:
    """Over Socket Mode nothing is signed, so nothing has to be given."""
    require_slack(read_settings({"TIERLINE_SLACK_BOT_TOKEN": "xoxb-1", "TIERLINE_SLACK_APP_TOKEN": "xapp-1"}))
