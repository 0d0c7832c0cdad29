"""What the operator sets: `TIERLINE_*` names in the environment or in `.env`, read once into one frozen value.

Owns the names, their defaults and their checks. It never opens a file but `.env`, and no message of it quotes a value.
pydantic-settings reads the file; its settings class would let a mistyped name pass.
"""

import os
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource

from escalation.smtp_url import read_smtp_url
from routing.errors import DocumentError, Problem
from routing.problems import did_you_mean

PREFIX = "TIERLINE_"


class SettingsError(DocumentError):
    """The settings cannot be used; each problem names the environment variable and what was expected."""


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _web_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        raise ValueError("expected a URL like https://host.example/path") from None
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise ValueError("expected a URL like https://host.example/path, without user name")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("plain http:// is for loopback addresses only; use https://")
    return value


def _secret_web_address(value: SecretStr) -> SecretStr:
    _web_address(value.get_secret_value())
    return value


def _mail_server(value: SecretStr) -> SecretStr:
    read_smtp_url(value.get_secret_value())
    return value


def is_loopback(host: str) -> bool:
    """Whether a host name of a URL is this machine, as written: nothing is looked up."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(_split)]
"""One secret, or several while one is being replaced: the first is used, all are accepted."""
WebAddress = Annotated[str, AfterValidator(_web_address)]


class Settings(BaseModel):
    """Every setting. A field `x` is set by `TIERLINE_X`; an empty value counts as none."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: SecretStr = SecretStr("sqlite+aiosqlite:///tierline.db")
    policy: Path = Path("policy.yml")
    services: Path = Path("services.yml")
    slack_bot_token: Secrets = ()
    slack_signing_secret: Secrets = ()
    slack_app_token: Secrets = Field(default=(), description="set: Socket Mode, no public address needed")
    slack_api_url: WebAddress = "https://slack.com/api/"
    pagerduty_events_url: WebAddress = "https://events.pagerduty.com"
    pagerduty_api_url: WebAddress = "https://api.pagerduty.com"
    pagerduty_api_token: Secrets = ()
    pagerduty_webhook_secret: Secrets = ()
    watch_routing_key: SecretStr | None = Field(default=None, description="whom `tierline watch` pages")
    signing_key_file: Path | None = None
    vault_key_file: Path | None = None
    checkpoint_dir: Path | None = None
    heartbeat_url: Annotated[SecretStr, AfterValidator(_secret_web_address)] | None = None
    smtp_url: Annotated[SecretStr, AfterValidator(_mail_server)] | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    log_format: Literal["json", "console"] = "json"

    @model_validator(mode="after")
    def _database_is_known(self) -> "Settings":
        if not self.database_url.get_secret_value().startswith(("sqlite+aiosqlite:///", "postgresql+asyncpg://")):
            raise ValueError("TIERLINE_DATABASE_URL: expected sqlite+aiosqlite:///FILE or postgresql+asyncpg://…")
        missing = [name for name in ("signing_key_file", "vault_key_file") if getattr(self, name) is None]
        if missing and not self.on_sqlite:
            names = " and ".join(PREFIX + name.upper() for name in missing)
            raise ValueError(f"{names}: must be given on PostgreSQL, where replicas and restarts need the same key")
        return self

    @property
    def on_sqlite(self) -> bool:
        """Whether the database is a file of this process alone."""
        return self.database_url.get_secret_value().startswith("sqlite")

    @property
    def socket_mode(self) -> bool:
        """Whether Slack is reached by Socket Mode instead of answering its HTTP requests."""
        return bool(self.slack_app_token)

    @property
    def signing_key_path(self) -> Path:
        """The signing key's file; beside the SQLite file where not given."""
        return self.signing_key_file or self._beside_database("tierline-signing.pem")

    @property
    def vault_key_path(self) -> Path:
        """The vault key's file; beside the SQLite file where not given."""
        return self.vault_key_file or self._beside_database("tierline-vault.key")

    @property
    def checkpoint_path(self) -> Path:
        """The directory of checkpoints; beside the SQLite file, or in the working directory, where not given."""
        return self.checkpoint_dir or self._beside_database("tierline-checkpoints")

    @property
    def database_file(self) -> Path | None:
        """The SQLite file, None on PostgreSQL."""
        url = self.database_url.get_secret_value()
        return Path(url.removeprefix("sqlite+aiosqlite:///").partition("?")[0]) if self.on_sqlite else None

    def secrets(self) -> tuple[SecretStr, ...]:
        """Every secret among the settings, for a log to leave out."""
        values = [getattr(self, name) for name in type(self).model_fields]
        listed = [item for value in values for item in (value if isinstance(value, tuple) else (value,))]
        return tuple(item for item in listed if isinstance(item, SecretStr))

    def _beside_database(self, name: str) -> Path:
        return Path(name) if self.database_file is None else self.database_file.parent / name


def read_environment(env_file: Path | None = Path(".env")) -> dict[str, str]:
    """The environment over what `env_file` holds, where there is one. The one place that reads either; `${NAME}` looks here too."""
    found = (
        DotEnvSettingsSource(BaseSettings, env_file=env_file, env_file_encoding="utf-8-sig", case_sensitive=True).env_vars
        if env_file is not None
        else {}
    )
    return {name: value for name, value in found.items() if value is not None} | dict(os.environ)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings in `environment`. Raises `SettingsError` with every problem, unknown `TIERLINE_*` names first."""
    known = {PREFIX + name.upper(): name for name in Settings.model_fields}
    given = {name: value for name, value in environment.items() if name.upper().startswith(PREFIX)}
    problems = [Problem(name, f"unknown setting{did_you_mean(name, list(known))}") for name in sorted(given.keys() - known.keys())]
    values = {known[name]: value for name, value in given.items() if name in known and value.strip()}
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        problems.extend(map(_problem, error.errors(include_url=False, include_input=False)))
        raise SettingsError(problems, "settings") from None
    if problems:
        raise SettingsError(problems, "settings")
    return settings


def require_slack(settings: Settings) -> None:
    """What serving needs beyond reading. Raises `SettingsError` naming what is missing: a bot nobody can press is worse than none."""
    missing = [] if settings.slack_bot_token else ["SLACK_BOT_TOKEN"]
    if not settings.socket_mode and not settings.slack_signing_secret:
        missing.append("SLACK_SIGNING_SECRET")
    if missing:
        hint = "needed to serve (or set TIERLINE_SLACK_APP_TOKEN for Socket Mode)"
        problems = [Problem(PREFIX + name, hint if name == "SLACK_SIGNING_SECRET" else "needed to serve") for name in missing]
        raise SettingsError(problems, "settings")


def _problem(complaint: Mapping[str, object]) -> Problem:
    place, message = complaint["loc"], str(complaint["msg"]).removeprefix("Value error, ")
    name = PREFIX + str(place[0]).upper() if isinstance(place, tuple) and place else ""
    if not name:
        name, _, message = message.partition(": ")
    return Problem(name, message[:1].lower() + message[1:])
