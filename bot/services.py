"""The services file: which services may post cases, with which secrets, and where their callbacks go.

Owns the form of `services.yml` and its checks; every problem is listed with its line and none quotes a secret. It never opens a
connection: whether an address may be reached is decided when connecting (`bot.delivery.guarded_client`).
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError

from bot.standard_webhooks import Envelope
from routing.errors import DocumentError, Problem
from routing.problems import Place, problems_of
from routing.strict_json import pointer
from routing.strict_yaml import read_yaml
from routing.webhook import Network, PrivateNetwork, SecretList, WebhookUrl, read_secret


class ServicesError(DocumentError):
    """The services file cannot be used; each problem names the line, the key and what was expected."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service that posts cases. `keys` verify what it sends; `callback_keys` sign what it gets, the newest first."""

    name: str
    keys: tuple[bytes, ...] = field(repr=False)
    callback_keys: tuple[bytes, ...] = field(repr=False)
    callback_url: str
    networks: tuple[Network, ...]
    workflows: frozenset[str]


@dataclass(frozen=True, slots=True)
class Services:
    """All services by name."""

    by_name: Mapping[str, Service]

    @property
    def by_workflow(self) -> Mapping[str, tuple[str, ...]]:
        """Names of the services that post to each workflow."""
        named = sorted(self.by_name.values(), key=lambda one: one.name)
        return {
            workflow: tuple(one.name for one in named if workflow in one.workflows)
            for workflow in {w for one in named for w in one.workflows}
        }

    def find(self, name: str) -> Service | None:
        """The service of this name, None when the file has none."""
        return self.by_name.get(name)

    def signer(self, envelope: Envelope, body: bytes) -> Service | None:
        """The service one of whose secrets sealed exactly this body, None when none did."""
        for service in self.by_name.values():
            if any(envelope.sealed_by(key, body) for key in service.keys):
                return service
        return None


Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,79}$")]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ServiceForm(_Form):
    """One service."""

    name: Name
    secrets: SecretList = Field(description="whsec_<base64>; the service is the one whose secret verifies")
    callback_secret: SecretList = Field(description="signs callbacks; distinct from every other secret in the file")
    callback_url: WebhookUrl = Field(description="https://…; plain http:// only together with networks")
    networks: tuple[PrivateNetwork, ...] = Field(default=(), description="private networks this callback may reach")
    workflows: tuple[Name, ...] = Field(min_length=1, description="workflows this service may post cases for")


class ServicesForm(_Form):
    """The whole file."""

    services: tuple[ServiceForm, ...] = Field(min_length=1)


def read_services(path: Path, environment: Mapping[str, str]) -> Services:
    """The services in a file. Raises `ServicesError`, also where the file cannot be read."""
    try:
        text = path.read_bytes()
    except OSError as error:
        problem = Problem("", f"cannot be read: {error.strerror} (TIERLINE_SERVICES names the file)")
        raise ServicesError([problem], str(path)) from None
    return load_services(text, environment, str(path))


def load_services(text: bytes, environment: Mapping[str, str], source: str = "services.yml") -> Services:
    """The services that the bytes of a services file name. `${NAME}` takes its value from `environment`.

    Raises `ServicesError` with every problem at once.
    """
    document = read_yaml(text, environment)
    problems = list(document.problems)
    try:
        ServicesForm.model_validate(document.value)
    except ValidationError as error:
        known = {problem.pointer for problem in problems}
        problems.extend(found for found in problems_of(error, services_schema(), document.line_of) if found.pointer not in known)
    sound = _sound_services(document.value)
    problems.extend(Problem(pointer(*place), message, document.line_of(place)) for place, message in _contradictions(sound))
    if problems:
        raise ServicesError(sorted(problems, key=lambda problem: (problem.line or 0, problem.pointer)), source)
    return Services({form.name: _service(form) for form in sound.values()})


def services_schema() -> dict[str, Any]:
    """The JSON Schema of the services file."""
    return ServicesForm.model_json_schema()


def _service(form: ServiceForm) -> Service:
    return Service(
        name=form.name,
        keys=_keys(form.secrets),
        callback_keys=_keys(form.callback_secret),
        callback_url=form.callback_url,
        networks=form.networks,
        workflows=frozenset(form.workflows),
    )


def _keys(secrets: Sequence[SecretStr]) -> tuple[bytes, ...]:
    return tuple(read_secret(secret.get_secret_value()) for secret in secrets)


def _sound_services(document: object) -> dict[int, ServiceForm]:
    """The services that are right by themselves, by position, so that what is wrong between them shows in the same run."""
    listed = document.get("services") if isinstance(document, dict) else None
    sound: dict[int, ServiceForm] = {}
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        with suppress(ValidationError):  # reported with the whole file
            sound[index] = ServiceForm.model_validate(item)
    return sound


def _contradictions(services: Mapping[int, ServiceForm]) -> list[tuple[Place, str]]:
    """What is wrong between fields: names and secrets that stand twice, http to the open internet."""
    found: list[tuple[Place, str]] = []
    names: set[str] = set()
    owners: dict[bytes, str] = {}
    for index, service in services.items():
        if service.name in names:
            found.append((("services", index, "name"), "another service has this name"))
        names.add(service.name)
        for key in ("secrets", "callback_secret"):
            mine = f"{key} of service {index + 1}"
            others = {owners.setdefault(secret, mine) for secret in _keys(getattr(service, key))} - {mine}
            found.extend((("services", index, key), f"a secret is also in {other}; every secret has one use") for other in sorted(others))
        if service.callback_url.startswith("http://") and not service.networks:
            message = "plain http:// is for private networks only: list them in networks, or use https://"
            found.append((("services", index, "callback_url"), message))
    return found
