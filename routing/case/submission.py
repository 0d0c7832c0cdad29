"""A case as a service posts it (CONTRACT "A case"): strict types, every field described. Owns the published form; never routes."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from routing.canonical import canonical, joined
from routing.case.action import Action
from routing.case.address import is_address
from routing.case.amount import Amount, Currency
from routing.errors import SubmissionError
from routing.problems import problems_of
from routing.vocabulary import Risk

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Short = Annotated[str, StringConstraints(max_length=2_000)]
Long = Annotated[str, StringConstraints(max_length=100_000)]

_RFC_3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII)


def _read_time(value: object) -> object:
    """Text as a time; pydantic by itself would also take "1700000000", and nobody who wrote that meant what it becomes."""
    if isinstance(value, str):
        if not _RFC_3339.fullmatch(value):
            raise ValueError("expected a time like 2026-12-01T12:00:00Z (RFC 3339)")
        return datetime.fromisoformat(value.upper())
    return value


def _in_utc(at: datetime) -> datetime:
    """Times far enough from the ends of the calendar that every zone can show them."""
    if not 1900 <= at.year < 2200:
        raise ValueError("expected a year from 1900 to 2199")
    return at.astimezone(UTC)


Moment = Annotated[AwareDatetime, BeforeValidator(_read_time), AfterValidator(_in_utc)]


def _address(value: str) -> str:
    """Addresses that hold a program or the content itself are none."""
    if (scheme := value.partition(":")[0].lower()) in _NO_PLACE:
        raise ValueError(f"expected where the source is kept; {scheme}: addresses are not taken")
    return value


_NO_PLACE = frozenset({"about", "blob", "data", "javascript", "vbscript", "view-source"})
Address = Annotated[
    str, StringConstraints(max_length=2_000, pattern=r"^[A-Za-z][A-Za-z0-9+.\-]{1,30}:[^\s\x00-\x1f]+$"), AfterValidator(_address)
]


class _Form(BaseModel):
    """Strict and frozen; unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Prefill(_Form):
    """Fields a model filled in advance, for a person to confirm or correct."""

    category: Short | None = None
    priority: Short | None = None
    summary: Short | None = None


class Feature(_Form):
    """One input that moved the model's answer."""

    name: Name
    value: str | int | float | bool | None = None
    weight: float | None = None


class Model(_Form):
    """The model that proposes: which one, how sure it is and why."""

    name: Name | None = None
    version: Name | None = None
    hash: Name | None = None
    prompt_version: Name | None = None
    confidence: float | None = Field(default=None, description="0 to 1; missing or outside counts as 0")
    retrieval_quality: float | None = Field(default=None, description="0 to 1")
    latency_ms: float | None = Field(default=None, ge=0)
    trained_at: str | None = Field(default=None, max_length=40, description="RFC 3339 date or time")
    rationale: Long | None = None
    features: tuple[Feature, ...] = Field(default=(), max_length=50)
    counterfactual: Long | None = None


class Check(_Form):
    """The result of a second model, a rules engine or a test."""

    name: Name
    by: Name | None = None
    result: Literal["pass", "warn", "fail"]
    detail: Short | None = None


class Evidence(_Form):
    """One source the model used, or that a reviewer should see."""

    id: Name
    kind: Literal["record", "document", "quote", "url", "image", "log"]
    title: Short | None = None
    text: Long | None = None
    url: Address | None = Field(default=None, description="where it is kept: any absolute address, such as https://, s3://, urn:")
    updated_at: Moment | None = None
    retrieved_at: Moment | None = None


class Context(_Form):
    """What the service knows to be missing, contradictory or out of date."""

    missing: tuple[Short, ...] = Field(default=(), max_length=50)
    conflicts: tuple[Short, ...] = Field(default=(), max_length=50)
    stale: tuple[Short, ...] = Field(default=(), max_length=50)


class RiskFacts(_Form):
    """Facts about what could go wrong. Amounts are decimal strings."""

    impact: Risk | None = None
    likelihood: Share | None = None
    recoverability: Literal["easy", "hard", "none"] | None = None
    blast_radius: Share | None = None
    score: Share | None = None
    amount: Amount | None = None
    currency: Currency | None = None
    flags: tuple[Name, ...] = Field(default=(), max_length=50)
    novelty: Share | None = None
    segment: Name | None = None


class Subject(_Form):
    """Whom or what the action is about."""

    id: Name
    type: Name | None = None
    tier: Name | None = None


class Entity(_Form):
    """Another thing the action touches."""

    type: Name
    id: Name


class Requester(_Form):
    """Who asked for the action; this person never decides it."""

    slack_id: Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]{2,30}$")] | None = None
    email: Annotated[str, StringConstraints(min_length=1, max_length=254)] | None = None

    @property
    def known(self) -> bool:
        """Whether this says who it is: by id, or by what can be read as an e-mail address."""
        return self.slack_id is not None or (self.email is not None and is_address(self.email))


class Submission(_Form):
    """What a service posts to `POST /v1/cases`."""

    workflow: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,79}$")]
    task_id: Name
    title: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    action: Action
    request: Long | None = None
    output: Long | None = None
    urgency_reason: Short | None = None
    prefill: Prefill | None = None
    model: Model = Model()
    checks: tuple[Check, ...] = Field(default=(), max_length=50)
    evidence: tuple[Evidence, ...] = Field(default=(), max_length=100)
    context: Context = Context()
    risk: RiskFacts = RiskFacts()
    subject: Subject | None = None
    entities: tuple[Entity, ...] = Field(default=(), max_length=100)
    requester: Requester | None = None
    deadline: Moment | None = None
    sensitive: tuple[Short, ...] = Field(default=(), max_length=100, description="Paths of values to mask, for example action.params.iban")
    labels: dict[Name, Short] = Field(default_factory=dict, max_length=50)

    @cached_property
    def texts(self) -> Mapping[str, bytes]:
        """RFC 8785 bytes of each field that the service set, by name. Written once: they are hashed, committed to and sealed."""
        return {name: canonical(value) for name, value in self.model_dump(mode="json", exclude_unset=True).items()}

    @cached_property
    def sha256(self) -> str:
        """Hex SHA-256 of the canonical submission, with the fields the service set; tells the same content from other content."""
        return hashlib.sha256(joined(self.texts)).hexdigest()

    @property
    def prefilled(self) -> dict[str, Any]:
        """The pre-filled fields as the service set them, by name; empty where there are none."""
        return self.prefill.model_dump(mode="json", exclude_unset=True) if self.prefill is not None else {}

    def __copy__(self) -> Self:
        """A copy is made to be changed (`model_copy`): it writes its own texts."""
        copied = super().__copy__()
        for written in ("texts", "sha256"):
            copied.__dict__.pop(written, None)
        return copied


def read_submission(document: Mapping[str, Any], *, strict: bool = False) -> Submission:
    """Turn a parsed JSON object into a Submission.

    `strict`: it is what `routing.strict_json.loads` gave, so that it holds neither NaN nor half a surrogate pair. Raises `SubmissionError`
    with every wrong field at once.
    """
    text = orjson.dumps(document) if strict else json.dumps(document)
    try:
        return Submission.model_validate_json(text)  # JSON mode: only there are lists and times strict
    except ValidationError as error:
        raise SubmissionError(problems_of(error, _schema())) from None


def moment_text(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds and Z, the one spelling of time in leaves, answers and callbacks."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"


@cache
def _schema() -> dict[str, Any]:
    return Submission.model_json_schema()
