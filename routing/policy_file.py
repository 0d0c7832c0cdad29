"""The policy file, read, checked and compiled. Owns what a policy must be; finds every problem of a file at once; never routes."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError

from routing.case import Group, Page, Tier
from routing.clock_presets import ROWS, Preset
from routing.clock_row import ClockRow
from routing.document import Document, read_yaml
from routing.errors import PolicyError, Problem
from routing.expressions import ExpressionError, compile_condition
from routing.paths import misspelt
from routing.policy import Policy
from routing.policy_form import HARD_FLAGS, LAST, PROHIBITED_FLAGS, Clock, PolicyForm, Start, Thresholds
from routing.problems import did_you_mean, problems_of
from routing.strict import pointer
from routing.vocabulary import Template

LATER = (Template.TRIAGE, Template.VERIFY_AFTER)
"""Templates that have their name already and no steps yet."""

Place = tuple[str | int, ...]
Found = Iterator[tuple[Place, str]]


def load_policy(text: bytes, environment: Mapping[str, str], source: str = "policy.yml") -> Policy:
    """Read a policy. `environment` gives the values of `${NAME}`; the hash is that of `text`, so no secret is in it.

    Raises `PolicyError` with every problem, each with its line, its key and what was expected.
    """
    document = read_yaml(text, environment)
    problems = list(document.problems)
    form: PolicyForm | None = None
    if isinstance(document.value, dict):
        try:
            form = PolicyForm.model_validate_json(json.dumps(document.value))
        except ValidationError as error:
            problems += problems_of(error, _schema(), document.line_of)
        problems += _cross_problems(document)
    elif not problems:
        problems.append(Problem("", "expected a mapping with version, changes, groups, ladders and workflows", 1))
    if form is None or problems:
        raise PolicyError(sorted(set(problems), key=lambda problem: (problem.line or 0, problem.pointer, problem.message)), source)
    workflows = {name: form.defaults.under(workflow) for name, workflow in form.workflows.items()}
    return Policy(
        text=text,
        sha256=hashlib.sha256(text).hexdigest(),
        form=form,
        workflows=workflows,
        expressions={name: tuple((rule, compile_condition(rule.when)) for rule in flow.rules) for name, flow in workflows.items()},
        groups={name: Group(usergroup=members.usergroup, users=members.users) for name, members in form.groups.items()},
        tiers={name: _tiers(form, name) for name in form.ladders},
        own_clocks={name: _rows(flow.clocks, "workflows", name) for name, flow in workflows.items()},
        clocks=_rows(form.clocks),
    )


def policy_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the policy file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **PolicyForm.model_json_schema(), "title": "Tierline policy"}


@cache
def _schema() -> dict[str, Any]:
    return policy_schema()


def _tiers(form: PolicyForm, ladder: str) -> tuple[Tier, ...]:
    return tuple(
        Tier(
            channel=rung.channel,
            group=rung.group,
            owner=rung.owner,
            backup=rung.backup,
            ack_s=rung.ack,
            decide_s=rung.decide,
            calendar=form.calendars[rung.calendar] if rung.calendar else None,
            page=Page(severity=rung.pagerduty.severity) if rung.pagerduty else None,
        )
        for rung in form.ladders[ladder].tiers
    )


def _rows(clocks: Iterable[Clock], *around: str) -> tuple[ClockRow, ...]:
    return tuple(row for index, clock in enumerate(clocks) for row in clock.rows(pointer(*around, "clocks", index)))


def _cross_problems(document: Document) -> list[Problem]:
    """What no single key shows. Reads the raw values, so that a mistake elsewhere hides nothing here."""
    root = document.value
    found = [*_ladder_problems(root), *_part_problems(root, ("defaults",)), *_clock_problems(root, root, ())]
    for name, workflow in _entries(root, "workflows"):
        place = ("workflows", name)
        found += _part_problems(root, place)
        found += _workflow_problems(root, workflow, place)
        found += _rule_problems(workflow, place)
        found += _clock_problems(root, workflow, place)
    return [Problem(pointer(*place), message, document.line_of(place)) for place, message in found]


def _ladder_problems(root: object) -> Found:
    for name, ladder in _entries(root, "ladders"):
        for index, tier in enumerate(_listed(ladder, "tiers")):
            place = ("ladders", name, "tiers", index)
            yield from _reference(root, tier, "group", "groups", place)
            yield from _reference(root, tier, "calendar", "calendars", place)


def _part_problems(root: object, place: Place) -> Found:
    """Defaults and workflows: the groups they name, flags that a policy may not soften, thresholds in their order."""
    part = _at(root, *place)
    for key in ("verify", "approve"):
        yield from _reference(root, _at(part, "dual"), key, "groups", (*place, "dual"))
    yield from _reference(root, _at(part, "expert"), "group", "groups", (*place, "expert"))
    for index, flag in enumerate(_listed(_at(part, "flags"), "harmless")):
        if flag in HARD_FLAGS or flag in PROHIBITED_FLAGS:
            yield (*place, "flags", "harmless", index), f'"{flag}" is never harmless'
    limits = {**Thresholds().model_dump(), **_mapping(_at(root, "defaults", "thresholds")), **_mapping(_at(part, "thresholds"))}
    for lower, upper in (("review", "auto"), ("risk_score", "risk_score_stop"), ("blast_radius", "blast_radius_stop")):
        low, high = limits[lower], limits[upper]
        if isinstance(low, float | int) and isinstance(high, float | int) and low > high and _at(part, "thresholds") is not None:
            yield (*place, "thresholds"), f"{lower} ({low}) is above {upper} ({high})"


def _workflow_problems(root: object, workflow: object, place: Place) -> Found:
    yield from _reference(root, workflow, "ladder", "ladders", place)
    template = _at(workflow, "template")
    if template in [later.value for later in LATER]:
        yield (*place, "template"), f'the template "{template}" is not there yet; use auto, approval, dual or expert'
    for index, path in enumerate(_listed(workflow, "required")):
        wrong = misspelt(path) if isinstance(path, str) else ""
        if wrong:
            yield (*place, "required", index), wrong
    tiers = _listed(_at(root, "ladders", _at(workflow, "ladder")), "tiers")
    for key in Start.model_fields:
        number = _at(workflow, "start", key)
        if isinstance(number, int) and tiers and len(tiers) < number < LAST:
            yield (*place, "start", key), f"the ladder has {len(tiers)} {'tier' if len(tiers) == 1 else 'tiers'}"


def _rule_problems(workflow: object, place: Place) -> Found:
    names: set[object] = set()
    for index, rule in enumerate(_listed(workflow, "rules")):
        name, when = _at(rule, "name"), _at(rule, "when")
        if isinstance(name, str) and name in names:
            yield (*place, "rules", index, "name"), f'another rule is called "{name}"'
        names.add(name if isinstance(name, str) else None)
        if isinstance(when, str):
            try:
                compile_condition(when)
            except ExpressionError as error:
                yield (*place, "rules", index, "when"), str(error)


def _clock_problems(root: object, part: object, place: Place) -> Found:
    """Business time needs a calendar: one that no tier has would be counted day and night, and nobody would know."""
    name = _at(part, "ladder")
    ladders = [_at(root, "ladders", name)] if place else [ladder for _, ladder in _entries(root, "ladders")]
    if None in ladders or any(_at(tier, "calendar") is not None for one in ladders for tier in _listed(one, "tiers")):
        return
    for index, clock in enumerate(_listed(part, "clocks")):
        preset = _at(clock, "preset")
        rows = ROWS[Preset(preset)] if isinstance(preset, str) and preset in list(Preset) else ()
        if _at(clock, "time") == "business" or any(row.time == "business" for row in rows):
            of = f'of the ladder "{name}" ' if place else ""
            yield (*place, "clocks", index), f"counts business time, and no tier {of}has a calendar"


def _reference(root: object, part: object, key: str, among: str, place: Place) -> Found:
    name = _at(part, key)
    known = list(_mapping(_at(root, among)))
    if isinstance(name, str) and name not in known:
        yield (*place, key), f'there is no "{name}" among the {among}{did_you_mean(name, known)}'


def _at(value: object, *path: object) -> object:
    for part in path:
        value = value.get(part) if isinstance(value, dict) and isinstance(part, str) else None
    return value


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _listed(value: object, key: str) -> list[object]:
    found = _at(value, key)
    return found if isinstance(found, list) else []


def _entries(root: object, key: str) -> Iterator[tuple[str, object]]:
    yield from _mapping(_at(root, key)).items()
