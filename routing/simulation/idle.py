"""What an owner writes into a policy that can never take effect, or not as it reads. Owns finding it; forbids nothing and changes nothing.

Each finding is a warning with its place in the file: the policy may be used as it is. What cannot be known from the policy alone, such as
who is in a user group or what a service will send, is never warned of.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from routing.authority import Autonomy
from routing.case.submission import read_submission
from routing.errors import Problem
from routing.evaluation.derived_risk import fixed
from routing.evaluation.rules import demanded
from routing.evaluation.work_templates import STRICTNESS, steps_of
from routing.policy.expressions import Expression, Failure, variables
from routing.policy.form.form import Rule, Workflow
from routing.policy.policy import Policy
from routing.signals import Trigger
from routing.simulation.unattended import unattended
from routing.strict_json import pointer
from routing.strict_yaml import Document
from routing.vocabulary import Lane, Risk, Template

Place = tuple[str | int, ...]
Found = Iterator[tuple[Place, str]]

_STRING = r"""["']([^"']*)["']"""
_TYPE, _FLOW, _CODE = (
    re.compile(one) for one in (rf"\baction\.type\s*==\s*{_STRING}", rf"\bworkflow\s*==\s*{_STRING}", rf"{_STRING}\s+in\s+signals\b")
)
_ENUMS = {"impact": tuple(Risk), "recoverability": ("easy", "hard", "none")}
_PARAM = re.compile(r"\baction\.params((?:\.[A-Za-z_]\w*)+)(?!\w*\s*\()")
_LEFT = (
    "reads {}, which a reviewer's change to the action does not move, so such a change goes one lane up: tie it to the action with"
    " risk_from, write the rule over action.params, or say under modification what it is"
)
_UNTIED = (
    "a rule reads risk.{fact}, and for {others} it is what the service says: name a path for it, close action_types, or say under"
    " modification what risk.{fact} is"
)
_ALWAYS = frozenset({"model", "risk", "context"})


def idle(policy: Policy, document: Document) -> list[Problem]:
    """Every such thing, in the order of the file. `document` is the policy's own file, for the lines."""
    root = document.value if isinstance(document.value, dict) else {}
    found = list(itertools.chain(_names(policy), unattended(policy), *(_workflow(policy, name, root) for name in policy.workflows)))
    told = [Problem(pointer(*place), text, document.line_of(place)) for place, text in found]
    return sorted(told, key=lambda one: (one.line or 0, one.pointer))


def _names(policy: Policy) -> Found:
    """Groups, calendars and ladders that nothing names, and groups that nobody is in."""
    form = policy.form
    tiers = [tier for ladder in form.ladders.values() for tier in ladder.tiers]
    parts = [
        (one.dual.verify, one.dual.approve, one.triage.group, one.expert.group, *one.sensitive.reveal) for one in policy.workflows.values()
    ]
    groups = {tier.group for tier in tiers} | {queue.group for tier in tiers for queue in tier.queues}
    groups |= {name for part in parts for name in part if name} | {name for names in form.roles.values() for name in names}
    groups |= {form.break_glass.group, form.break_glass.supervisors} if form.break_glass is not None else set()
    calendars = {tier.calendar for tier in tiers if tier.calendar} | {one.calendar for one in form.drills.schedule if one.calendar}
    ladders = {one.ladder for one in policy.workflows.values()}
    used: dict[str, set[str]] = {"groups": groups, "calendars": calendars, "ladders": ladders}
    for key, names in used.items():
        for name in getattr(form, key):
            if name not in names:
                yield (key, name), f"nothing uses this {key[:-1]}"
    for name, group in form.groups.items():
        if name in groups and group.usergroup is None and not group.users:
            yield (("groups", name, "users"), "nobody is in this group, so nobody can do what it is named for")
    asked = {skill for one in policy.workflows.values() for skill in (*one.skills, *(skill for rule in one.rules for skill in rule.skills))}
    for name, group in form.groups.items():
        for index, skill in enumerate(group.skills):
            if skill not in asked:
                yield ("groups", name, "skills", index), f'no workflow and no rule asks for the skill "{skill}"'


def _workflow(policy: Policy, name: str, root: Mapping[str, Any]) -> Found:
    workflow, place = policy.workflows[name], ("workflows", name)
    written = root.get("workflows", {}).get(name) or {}
    steps = _steps(workflow)
    yield from _checklist(workflow, written, steps, place)
    yield from _parts(workflow, written, steps, place)
    yield from _paths(workflow, place)
    yield from _untied(policy, name, place)
    for index, (rule, expression) in enumerate(policy.expressions[name]):
        at = (*place, "rules", index)
        earlier = [other for other, _ in policy.expressions[name][:index]]
        later = [other for other, _ in policy.expressions[name][index + 1 :]]
        yield from ((at, text) for text in _never_wins(workflow, rule, earlier, later))
        yield from (((*at, "when"), text) for text in _condition(name, workflow, rule, expression))
        if name_left := _left(workflow, expression):
            yield (*at, "when"), _LEFT.format(name_left)


def _alone(workflow: Workflow) -> bool:
    """Whether a case of the workflow can be automatic at all."""
    bound = workflow.autonomy in (Autonomy.HUMAN_APPROVED, Autonomy.HUMAN_EXECUTED) or workflow.confidence == "ignore"
    return workflow.template in (Template.AUTO, Template.VERIFY_AFTER) and not bound


def _least(workflow: Workflow) -> Lane:
    """The lane that every case of the workflow has at least."""
    if workflow.template is Template.EXPERT or workflow.autonomy is Autonomy.HUMAN_EXECUTED:
        return Lane.EXPERT
    return Lane.AUTO if _alone(workflow) else Lane.REVIEW


def _steps(workflow: Workflow) -> frozenset[str]:
    """Names of the steps that a case of the workflow can have."""
    asked = {rule.template for rule in workflow.rules if rule.template}
    lanes = (Lane.REVIEW, Lane.SPECIALIST, Lane.EXPERT, Lane.STOP)
    chosen = [frozenset({workflow.template, *some}) for some in [(), *((one,) for one in asked), tuple(asked)]]
    found = {step.name for lane, templates in itertools.product(lanes, chosen) for step in steps_of(workflow, lane, templates)}
    return frozenset(found | ({"check"} if _alone(workflow) else set()))


def _checklist(workflow: Workflow, written: Mapping[str, Any], steps: frozenset[str], place: Place) -> Found:
    own = written.get("checklist")
    if isinstance(own, dict) and own.get("items") and not steps & set(workflow.checklist.steps):
        shown = ", ".join(workflow.checklist.steps) or "none"
        yield (*place, "checklist"), f"never shown: its steps are {shown}, and a case here has {', '.join(sorted(steps))}"
    elif isinstance(own, dict):
        for index, step in enumerate(own.get("steps") or ()):
            if step not in steps:
                yield (*place, "checklist", "steps", index), f'no case of this workflow has a step "{step}"'


def _parts(workflow: Workflow, written: Mapping[str, Any], steps: frozenset[str], place: Place) -> Found:
    """Keys for a way of working that the workflow never has."""
    templates = {workflow.template, *(rule.template for rule in workflow.rules)}
    for key, template in (("dual", Template.DUAL), ("triage", Template.TRIAGE), ("expert", Template.EXPERT)):
        if key in written and template not in templates:
            yield (*place, key), f"neither the template nor a rule of this workflow is {template}"
    if not _alone(workflow):
        for key, what in (("caps", "limits"), ("sampling", "checks")):
            if key in written:
                yield (*place, key), f"{what} automatic approvals, and no case of this workflow can be automatic"
    for index, clock in enumerate(workflow.clocks):
        if clock.clock is not None and clock.clock.value in ("verify", "check") and clock.clock.value not in steps:
            yield (*place, "clocks", index), f'no case of this workflow has a step "{clock.clock}"'
    known = {*workflow.flags.never_auto, *workflow.flags.prohibited, *workflow.flags.specialist}
    for index, flag in enumerate(workflow.flags.harmless):
        if flag in known:
            yield (*place, "flags", "harmless", index), f'"{flag}" is never harmless: another list of this policy names it'


def _paths(workflow: Workflow, place: Place) -> Found:
    """Paths to parameters that no allowed action can have, and required parts that are always there."""
    for index, path in enumerate(workflow.required):
        if path in _ALWAYS:
            yield (*place, "required", index), f"every case has a {path}; name what it has to hold"
    keys = (("required", workflow.required), ("locked", workflow.locked), ("sensitive.paths", workflow.sensitive.paths))
    listed: list[tuple[Place, str]] = [((*key.split("."), index), path) for key, paths in keys for index, path in enumerate(paths)]
    listed += [(("checks", "entity", index), path) for index, path in enumerate(workflow.checks.entity)]
    for fact, given in workflow.risk_from.items():
        listed += [(("risk_from", fact), path) for path in (given.values() if isinstance(given, dict) else (given,))]
    for where, path in listed:
        if path.startswith("action.params.") and not _possible(workflow, path.split(".")[2]):
            yield (*place, *where), f'"{path}" names nothing: no schema of an action of this workflow has it'


def _untied(policy: Policy, name: str, place: Place) -> Found:
    """Facts that a rule reads and that are tied to some actions of the workflow only: of the others the service's word counts. A rule that
    says for which actions it is asks only for those.
    """
    workflow = policy.workflows[name]
    known = {*workflow.modification.fixed, *workflow.modification.up}
    for fact, given in workflow.risk_from.items():
        if isinstance(given, str) or f"risk.{fact}" in known:
            continue
        meant = [_TYPE.findall(one.text) or workflow.action_types for _, one in policy.expressions[name] if f"risk.{fact}" in one.reads]
        others = sorted({kind for kinds in meant for kind in kinds} - given.keys()) or ["any other action"]
        if any(not kinds or set(kinds) - given.keys() for kinds in meant):
            yield (*place, "risk_from", fact), _UNTIED.format(fact=fact, others=", ".join(others))


def _possible(workflow: Workflow, param: str) -> bool:
    """Whether an action of the workflow can have a parameter; any can of which the policy has no closed schema."""
    kinds = workflow.action_types or tuple(workflow.action_schemas)
    if not workflow.action_types or any(kind not in workflow.action_schemas for kind in kinds):
        return True
    schemas = [workflow.action_schemas[kind] for kind in kinds]
    closed = all(
        one.get("additionalProperties") is False and not {"patternProperties", "$ref", "allOf", "anyOf", "oneOf"} & one.keys()
        for one in schemas
    )
    return not closed or any(param in one.get("properties", {}) for one in schemas)


def _never_wins(workflow: Workflow, rule: Rule, earlier: list[Rule], later: list[Rule]) -> Iterator[str]:
    least = _least(workflow)
    lane = demanded(rule).severity <= least.severity
    template = rule.template is None or STRICTNESS.index(rule.template) <= STRICTNESS.index(workflow.template)
    if lane and template and set(rule.skills) <= set(workflow.skills):
        yield f"asks for nothing that a case of this workflow does not have anyway: {least} at least, {workflow.template}"
        return
    for other in (*earlier, *later):
        same = " ".join(other.when.split()) == " ".join(rule.when.split())
        more = demanded(other).severity >= demanded(rule).severity and set(rule.skills) <= set(other.skills)
        harder = rule.template is None or (
            other.template is not None and STRICTNESS.index(other.template) >= STRICTNESS.index(rule.template)
        )
        if same and more and harder and (other in earlier or demanded(other).severity > demanded(rule).severity):
            yield f'never decides: the rule "{other.name}" has the same condition and asks for at least as much'
            return


def _condition(name: str, workflow: Workflow, rule: Rule, expression: Expression) -> Iterator[str]:
    """Conditions that are always the same, or that cannot be evaluated."""
    text = rule.when
    if not expression.reads:
        yield "is the same for every case: it reads nothing of it"
        return
    kinds = _TYPE.findall(text)
    if workflow.action_types and kinds and not set(kinds) & set(workflow.action_types) and rule.lane is not Lane.STOP:
        yield f'never decides: the policy rejects every action of the type "{kinds[0]}" in this workflow'
    if any(flow != name for flow in _FLOW.findall(text)):
        yield f'never holds: every case here has the workflow "{name}"'
    for code in _CODE.findall(text):
        if code not in list(Trigger):
            yield f'never holds: no signal is called "{code}"'
    for field, values in _ENUMS.items():
        for word in re.findall(rf"\brisk\.{field}\s*==\s*{_STRING}", text):
            if word not in values:
                yield f'never holds: risk.{field} is never "{word}"; it is {", ".join(values)}'
    yield from _failing(workflow, expression)


_KINDS: dict[str, tuple[Any, ...]] = {
    "a whole number": (3, 3_000_000),
    "a number with decimals": (3.5, 3_000_000.5),
    "a text": ("12.50", "abc", "2026-12-01"),
    "true or false": (True, False),
    "a list": ([], ["a"], [{"id": "a"}]),
    "an object": ({"a": "b"},),
}


def _failing(workflow: Workflow, expression: Expression) -> Iterator[str]:
    """Conditions over parameters, tried with a value of each kind in the place of all of them."""
    paths = dict.fromkeys(found.removeprefix(".") for found in _PARAM.findall(expression.text))
    others = set(expression.reads) - {"action", "workflow", "signals", "now"}
    if not paths or others:
        return
    kinds = dict.fromkeys((*(_TYPE.findall(expression.text) or workflow.action_types[:1]), "x"))
    works = {
        said: any(_evaluates(expression, kind, paths, value) for value, kind in itertools.product(values, kinds))
        for said, values in _KINDS.items()
    }
    if not any(works.values()):
        yield "can never be evaluated, so every case with these parameters goes to an expert"
    elif works["a whole number"] != works["a number with decimals"]:
        fails = "a number with decimals" if works["a whole number"] else "a whole number"
        yield f"cannot be evaluated for {fails}, and sends it to an expert: convert with double(...) and write numbers with decimals"


def _evaluates(expression: Expression, kind: str, paths: Mapping[str, None], value: object) -> bool:
    params: dict[str, Any] = {}
    for path in paths:
        at = params
        *around, last = path.split(".")
        for part in around:
            at = at.setdefault(part, {})
            if not isinstance(at, dict):
                return False
        at[last] = value
    case = read_submission({"workflow": "w", "task_id": "t", "title": "t", "action": {"type": kind or "x", "params": params}})
    return not isinstance(expression.evaluate(variables(case, [], datetime(2026, 1, 1, tzinfo=UTC))), Failure)


def _left(workflow: Workflow, expression: Expression) -> str:
    """What a condition reads that a modification cannot move, and of which the policy does not say what it is."""
    if workflow.template is Template.TRIAGE:
        return ""
    known = {*workflow.modification.fixed, *workflow.modification.up, *(f"risk.{fact}" for fact in workflow.risk_from)}
    return ", ".join(name for name in fixed(expression) if name not in known)
