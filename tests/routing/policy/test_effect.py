"""Every key of the policy form has a row of its own in the list of what loosens, and the row has the right direction."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel

from routing.clock import Calendar
from routing.policy.diff import diff
from routing.policy.effect import Effect, Row, Stricter, judge, row_of
from routing.policy.file import load_policy
from routing.policy.form.drills import DrillSchedule
from routing.policy.form.form import Clock, PolicyForm, Rule, Workflow
from routing.policy.form.guardrails import Breaker, ModelVersion
from routing.policy.form.ladders import Ladder, Members, Queue, Rung
from routing.policy.form.playbooks import PlaybookForm, TicketSystem

WHOLE = {Calendar, Clock, Rule, Queue, Breaker}
"""Parts that are compared as one value, or by a comparison of their own (rules)."""

ELSEWHERE = {
    "version",
    "changes",
    "workflows",
    "defaults",
    "playbooks.*.name",
    "drills.schedule.*.name",
    "playbooks.*.workflows",
    "examples.*",
    "ladders",
}
"""Not compared, or told under another key: a default under each workflow that follows it, where a playbook applies under `when`."""

NEVER_JUDGED = {"confidence", "router", "owners", "breakers", "risk_from"}

UNDER = {Ladder: "ladder", Rung: "ladder.tiers.*", Members: "groups.*", ModelVersion: "models.*", PlaybookForm: "playbooks.*"}
UNDER |= {DrillSchedule: "drills.schedule.*"}
"""Where the diff tells of a part that stands elsewhere in the file."""

TOLD = {"groups.*.users": "groups.*", "groups.*.usergroup": "groups.*", "models.*.name": "models", "models.*.version": "models"}
TOLD |= {"models.*.prompt_version": "models"}
AS_ONE = {"playbooks.*.when", "playbooks.*.tell", "playbooks.*.legal_hold", "examples", "tickets.*.secret"}


def parts(annotation: object) -> Iterator[type[BaseModel]]:
    """The parts of the form that a type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from parts(inner)


def is_mapping(annotation: object) -> bool:
    """Whether a type, or one of its alternatives, is a mapping."""
    return get_origin(annotation) in (dict, Mapping) or any(is_mapping(inner) for inner in get_args(annotation))


def keys(part: type[BaseModel], before: str = "") -> Iterator[str]:
    """The keys that the diff tells of a part, with `*` in place of names that the policy chooses and of numbers."""
    for name, field in part.model_fields.items():
        key = f"{before}{field.alias or name}"
        inside = [one for one in parts(field.annotation) if one not in WHOLE]
        if key in ELSEWHERE and inside != [Workflow]:
            continue
        key = TOLD.get(key, key)
        if inside and key not in AS_ONE:
            if inside[0] is Workflow:
                yield from keys(Workflow)
                continue
            named = UNDER.get(inside[0], f"{key}.*" if is_mapping(field.annotation) else key)
            yield from keys(inside[0], f"{named}.")
        elif key.startswith("risk."):
            yield key if "_from" in key else f"{key}.*"
        elif is_mapping(field.annotation) and key not in AS_ONE | NEVER_JUDGED:
            yield f"{key}.*"
        else:
            yield key


EVERY = sorted({key for key in (*keys(PolicyForm), *keys(Ladder, "ladder.")) if not key.startswith(("calendars", "rules", "ladders"))})


def own(row: Row, key: str) -> bool:
    """Whether a row speaks of this key and no other: it stands for names and numbers only."""
    return row.pattern == key


@pytest.mark.parametrize("key", EVERY)
def test_each_key_has_a_row_of_its_own(key: str) -> None:
    """Whoever adds a key has to say which way is stricter: no row for several takes it."""
    if key.partition(".")[0] in NEVER_JUDGED:
        assert row_of(key) is None
        return
    row = row_of(key.replace("*", "one"))
    assert row is not None, f"{key} is not in the list"
    assert own(row, key), f"{key} falls to {row.pattern}"


def test_the_walk_comes_everywhere() -> None:
    """Else the test above would prove nothing."""
    assert {"ladder.tiers.*.repeat.most", "ladder.tiers.*.closed.from", "break_glass.supervisors", "checks.change_percent.*"} <= {*EVERY}
    assert {"thresholds.auto", "tickets.*.networks", "playbooks.*.interim", "models.*.share", "incidents.severity"} <= {*EVERY}
    assert len(EVERY) > 130


VALUES: dict[Stricter, tuple[Any, Any]] = {
    Stricter.HIGHER: (1, 2),
    Stricter.LOWER: (2, 1),
    Stricter.MORE: (("a",), ("a", "b")),
    Stricter.FEWER: (("a", "b"), ("a",)),
    Stricter.FEWER_BUT_ANY: (("a", "b"), ("a",)),
    Stricter.THERE: (None, "a"),
    Stricter.THIS: (None, "a"),
}


@pytest.mark.parametrize("key", [key for key in EVERY if key.partition(".")[0] not in NEVER_JUDGED])
def test_each_key_is_judged_both_ways(key: str) -> None:
    """From the looser to the stricter value it tightens, back it loosens; what is neither says so both ways."""
    row = row_of(key.replace("*", "one"))
    assert row is not None
    if row.stricter is Stricter.NEITHER:
        assert judge(key, "a", "b")[0] is judge(key, "b", "a")[0] is Effect.NEUTRAL
        return
    if row.stricter is Stricter.LATER and not row.order:
        assert judge(key, ("a",), ("b",)) == judge(key, ("b",), ("a",)) == (Effect.LOOSENS, True)
        return
    loose, strict = VALUES.get(row.stricter) or (row.order[0], row.order[-1])
    assert judge(key, loose, strict)[0] is Effect.TIGHTENS
    assert judge(key, strict, loose)[0] is Effect.LOOSENS


LOOSE_TO_STRICT: list[tuple[str, Any, Any]] = [
    ("repeat.most", 3, 12),
    ("repeat.every", "10m", "5m"),
    ("repeat", None, {"every": "5m"}),
    ("closed.to", 2, 3),
    ("closed.from", "critical", "high"),
    ("closed", None, {"to": 3}),
    ("owner", None, "U0OWNER"),
    ("backup", None, "U0BACKUP"),
    ("ack", "1h", "15m"),
    ("ack", None, "15m"),
    ("decide", "8h", "4h"),
    ("pagerduty.severity", "info", "critical"),
    ("pagerduty", None, {"routing_key": "R0KEY"}),
    ("email", [], ["duty@northwind.example"]),
]
"""Keys of a tier, the looser value first."""


def ladder(**first: Any) -> dict[str, Any]:
    """A policy of three tiers, the first with these keys."""
    rung = {"channel": "a", "group": "front", "calendar": "office", "pagerduty": {"routing_key": "R0KEY"}, "owner": "U0OWNER"}
    rung |= {"repeat": {"every": "5m"}} if "ack" not in first else {}
    tiers = [rung | first, {"channel": "b", "group": "front"}, {"channel": "c", "group": "front"}]
    return {
        "version": "1",
        "changes": "x",
        "groups": {"front": {"users": ["U01"]}},
        "calendars": {"office": {"timezone": "Europe/Berlin", "days": "mon-fri", "hours": "09:00-18:00"}},
        "ladders": {"standard": {"tiers": [{key: value for key, value in one.items() if value is not None} for one in tiers]}},
        "workflows": {"w": {"ladder": "standard"}},
    }


def with_value(key: str, value: Any) -> dict[str, Any]:  # noqa: ANN401 - as the file has it
    """The policy with this value of a key of its first tier."""
    part, _, inner = key.partition(".")
    if not inner:
        return ladder(**{part: value} | ({"repeat": None} if part == "pagerduty" and value is None else {}))
    around: dict[str, Any] = {"closed": {"to": 3}, "pagerduty": {"routing_key": "R0KEY"}}
    return ladder(**{part: copy.deepcopy(around.get(part, {})) | {inner: value}})


@pytest.mark.parametrize(("key", "loose", "strict"), LOOSE_TO_STRICT)
def test_what_loosens_a_tier_is_called_so(key: str, loose: object, strict: object) -> None:
    """In the diff of two policies: fewer pages, later ones, nobody named, a longer time are no harmless change."""
    policies = [load_policy(yaml.safe_dump(with_value(key, value)).encode(), {}) for value in (loose, strict)]
    there, back = diff(*policies).items, diff(*policies[::-1]).items
    assert {one.effect for one in there} == {Effect.TIGHTENS}, diff(*policies).text()
    assert {one.effect for one in back} == {Effect.LOOSENS}
    assert not any(one.raises for one in (*there, *back))


def test_tickets_are_told_by_name() -> None:
    """The walk takes the fields of a ticket system as the diff does."""
    assert {f"tickets.*.{name}" for name in TicketSystem.model_fields} <= {*EVERY}
