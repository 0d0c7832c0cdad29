"""Which lane, whose work, how urgent: `route` turns a case into the snapshot it lives by. Owns the choice; never measures (the gates do).

Lanes in their fixed order: stop, reject, expert, specialist, review, auto (R4). Every signal and every rule that fires
demands a lane; the most severe demand wins, and nothing takes one back.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from routing.case import Group, Reason, Route, Step, Tier
from routing.clock_table import clocked
from routing.expressions import Failure, variables
from routing.facts import Facts
from routing.gates import confidence_gate, context_gate, impact_gate, moves_money, worst
from routing.paths import value_at
from routing.policy import Policy
from routing.policy_form import Rule, Workflow
from routing.risk import Assessed, assess, priority
from routing.signals import Signal, Trigger, fired, passed
from routing.submission import Submission
from routing.vocabulary import Lane, Mode, ReasonCode, Risk, Template

_TEMPLATES = (Template.AUTO, Template.APPROVAL, Template.DUAL, Template.EXPERT)
_REASON_CODES = tuple(code.value for code in ReasonCode)
_RISK_ORDER = ("low", "medium", "high", "critical", "never")


@dataclass(frozen=True, slots=True)
class Ruled:
    """What became of one rule."""

    rule: Rule
    signal: Signal
    fired: bool


@dataclass(frozen=True, slots=True)
class Weighed:
    """Everything that was looked at and what came of it; the explanation is drawn from it."""

    workflow: Workflow
    assessed: Assessed
    gates: dict[str, tuple[Signal, ...]]
    standing: tuple[Signal, ...]
    rules: tuple[Ruled, ...]
    templates: frozenset[Template]
    requester: Literal["required", "optional"]
    missing: tuple[Signal, ...]
    lane: Lane
    winner: str

    @property
    def template(self) -> Template:
        """The strictest template that the workflow or a rule asks for."""
        return max(self.templates, key=_TEMPLATES.index)

    def won(self, ruled: Ruled) -> bool:
        """Whether a rule decided the lane or the template; one that fired and did neither lost."""
        asked = ruled.rule.template
        return ruled.fired and (ruled.rule.name == self.winner or (asked is self.template and asked is not self.workflow.template))

    @property
    def signals(self) -> tuple[Signal, ...]:
        """Every signal, in the order it was looked at."""
        return (*(signal for signals in self.gates.values() for signal in signals), *self.standing, *(ruled.signal for ruled in self.rules))


def route(policy: Policy, submission: Submission, facts: Facts, now: datetime) -> Route:
    """The route of a case. Deterministic in its arguments; total: an error on the way sends the case to an expert.

    `now` is an aware datetime. A workflow that the policy does not know is such an error.
    """
    try:
        return settle(policy, weigh(policy, submission, facts, now), submission, now)
    except Exception:  # noqa: BLE001  # whatever it was, a person looks at it and the reason says so
        return astray(policy, submission)


def weigh(policy: Policy, submission: Submission, facts: Facts, now: datetime) -> Weighed:
    """Look at everything: three gates, what the workflow stands for, its rules. Raises `LookupError` for an unknown workflow."""
    del facts  # nothing depends on them yet: automation has no switch
    workflow = policy.workflow(submission.workflow)
    if workflow is None:
        raise LookupError(f"the policy has no workflow {submission.workflow}")
    assessed = assess(policy.form.risk, submission)
    gates = {
        "confidence": confidence_gate(workflow, submission),
        "context": context_gate(submission),
        "impact": impact_gate(workflow, submission, assessed),
    }
    codes = [str(signal.trigger) for signals in gates.values() for signal in signals if signal.trigger]
    rules = _ruled(policy, submission, codes, now)
    templates = frozenset({workflow.template, *(ruled.rule.template for ruled in rules if ruled.fired and ruled.rule.template)})
    standing = (_action(workflow, submission), _template(max(templates, key=_TEMPLATES.index)))
    requester = _requester(workflow, templates, submission)
    missing = _missing(workflow, requester, submission)
    demands = {signal.lane for signals in (*gates.values(), standing, [ruled.signal for ruled in rules], missing) for signal in signals}
    lane = max(demands, key=lambda lane: lane.severity)
    winner = next((ruled.rule.name for ruled in rules if ruled.fired and _demanded(ruled.rule) is lane), "")
    return Weighed(workflow, assessed, gates, standing, rules, templates, requester, missing, lane, winner)


def settle(policy: Policy, weighed: Weighed, submission: Submission, now: datetime) -> Route:
    """The snapshot of a case that was weighed."""
    workflow, lane, template = weighed.workflow, weighed.lane, weighed.template
    risk = weighed.assessed.risk
    tiers = policy.tiers[workflow.ladder]
    start = _start(workflow, lane, template, len(tiers))
    steps = _steps(workflow, lane, weighed.templates)
    waits = lane is Lane.STOP or _RISK_ORDER.index(risk) >= _RISK_ORDER.index(workflow.sync_from)
    chosen = Route(
        lane=lane,
        mode=workflow.mode or (Mode.SYNC if waits else Mode.ASYNC),
        risk=risk,
        priority=priority(policy.form.priority, risk, lane, submission, now),
        template=template,
        steps=steps,
        ladder=workflow.ladder,
        tiers=tiers,
        start=start,
        page_at_start=lane is Lane.STOP and tiers[start].page is not None,
        exhausted=policy.ladders[workflow.ladder].exhausted,
        requester=weighed.requester,
        reasons=_reasons(weighed),
        missing=tuple(signal.value for signal in weighed.missing),
        rule=weighed.winner,
        lost=tuple(ruled.rule.name for ruled in weighed.rules if ruled.fired and not weighed.won(ruled)),
        gates={name: str(worst(signals)) for name, signals in weighed.gates.items()},
        threshold=workflow.thresholds.auto,
        instructions=workflow.instructions,
        owner=workflow.owner,
        groups=_groups(policy, tiers, steps),
        reason_codes=_reason_codes(policy),
        policy_version=policy.version,
        policy_sha256=policy.sha256,
    )
    return clocked(chosen, policy.clock_tables(submission.workflow))


def astray(policy: Policy, submission: Submission) -> Route:
    """The route of a case that could not be routed: an expert, high risk, the service waits, at least one person approves."""
    workflow = policy.workflow(submission.workflow)
    ladder = workflow.ladder if workflow else next(iter(policy.ladders))
    tiers = policy.tiers[ladder]
    templates = frozenset({workflow.template if workflow else Template.APPROVAL, Template.APPROVAL})
    steps = _steps(workflow or Workflow(ladder=ladder), Lane.EXPERT, templates)
    signal = fired("routing", Trigger.ROUTING_ERROR, Lane.EXPERT)
    lost = Route(
        lane=Lane.EXPERT,
        mode=Mode.SYNC,
        risk=Risk.HIGH,
        priority=policy.form.priority.high,
        template=max(templates, key=_TEMPLATES.index),
        steps=steps,
        ladder=ladder,
        tiers=tiers,
        start=min(1, len(tiers) - 1),
        exhausted=policy.ladders[ladder].exhausted,
        requester=(workflow.requester if workflow else None) or "required",
        reasons=(signal.reason,),
        gates={"confidence": "stop", "context": "stop", "impact": "stop"},
        groups=_groups(policy, tiers, steps),
        reason_codes=_reason_codes(policy),
        policy_version=policy.version,
        policy_sha256=policy.sha256,
    )
    return clocked(lost, policy.clock_tables(submission.workflow))


def _ruled(policy: Policy, submission: Submission, codes: list[str], now: datetime) -> tuple[Ruled, ...]:
    rules = policy.expressions[submission.workflow]
    if not rules:
        return ()
    bound = variables(submission, codes, now)
    found = []
    for rule, expression in rules:
        answer = expression.evaluate(bound)
        if isinstance(answer, Failure):
            found.append(Ruled(rule, fired("rule", Trigger.RULE_ERROR, Lane.EXPERT, rule.name, answer.text), fired=False))
        elif answer:
            found.append(Ruled(rule, fired("rule", Trigger.POLICY_RULE, _demanded(rule), rule.reason), fired=True))
        else:
            found.append(Ruled(rule, passed("rule", rule.name, "its condition does not hold"), fired=False))
    return tuple(found)


def _demanded(rule: Rule) -> Lane:
    """The lane a rule demands; a template demands one too."""
    by_template = {None: Lane.AUTO, Template.EXPERT: Lane.EXPERT}.get(rule.template, Lane.REVIEW)
    return max(rule.lane or Lane.AUTO, by_template, key=lambda lane: lane.severity)


def _action(workflow: Workflow, submission: Submission) -> Signal:
    kind = submission.action.type
    if workflow.action_types and kind not in workflow.action_types:
        return fired("action_type", Trigger.ACTION_NOT_ALLOWED, Lane.REJECT, kind)
    return passed("action_type", kind, "allowed in this workflow")


def _template(template: Template) -> Signal:
    if template is Template.AUTO:
        return passed("template", template, "automation is possible")
    if template is Template.EXPERT:
        return fired("template", Trigger.TEMPLATE_EXPERT, Lane.EXPERT, template)
    return fired("template", Trigger.TEMPLATE_PEOPLE, Lane.REVIEW, template)


def _missing(workflow: Workflow, requester: str, submission: Submission) -> tuple[Signal, ...]:
    """A signal for each path the workflow requires and the case lacks: the case is sent back, and people decide if nothing comes."""
    absent = [path for path in workflow.required if value_at(submission, path) in (None, "", (), {}, [])]
    known = submission.requester is not None and (submission.requester.slack_id or submission.requester.email)
    if requester == "required" and not known and "requester" not in absent:
        absent.append("requester")
    return tuple(fired("required", Trigger.FIELD_MISSING, Lane.REVIEW, path) for path in absent)


def _requester(workflow: Workflow, templates: frozenset[Template], submission: Submission) -> Literal["required", "optional"]:
    """What the workflow writes wins; else dual, expert and money need to know whom to keep from deciding."""
    if workflow.requester is not None:
        return workflow.requester
    return "required" if templates & {Template.DUAL, Template.EXPERT} or moves_money(submission) else "optional"


def _start(workflow: Workflow, lane: Lane, template: Template, tiers: int) -> int:
    """The 0-based tier a case opens at."""
    number = {Lane.SPECIALIST: workflow.start.specialist, Lane.EXPERT: workflow.start.expert, Lane.STOP: workflow.start.stop}.get(
        lane,
        workflow.start.review,
    )
    if template is Template.EXPERT:
        number = max(number, workflow.start.expert)
    return min(number, tiers) - 1


def _steps(workflow: Workflow, lane: Lane, templates: frozenset[Template]) -> tuple[Step, ...]:
    """The work: none in the auto and reject lanes; two different people in the stop lane and wherever dual is asked for."""
    if lane in (Lane.AUTO, Lane.REJECT):
        return ()
    people = 2 if lane is Lane.STOP else 1
    if Template.EXPERT in templates:
        at_least = max(people, 2 if Template.DUAL in templates else 1)
        return (Step(name="approve", group=workflow.expert.group, people=max(at_least, workflow.expert.people)),)
    if Template.DUAL in templates:
        return (Step(name="verify", group=workflow.dual.verify), Step(name="approve", group=workflow.dual.approve))
    return (Step(name="approve", people=people),)


def _reasons(weighed: Weighed) -> tuple[Reason, ...]:
    """One sentence per reason: what demands most first, rules before built-ins, what is missing last."""
    against = sorted(
        (signal for signal in weighed.signals if signal.trigger),
        key=lambda signal: (-signal.lane.severity, signal.trigger is not Trigger.POLICY_RULE),
    )
    found = [signal.reason for signal in (*against, *weighed.missing)]
    if weighed.lane is Lane.AUTO:
        score = next(signal for signal in weighed.gates["confidence"] if signal.name == "confidence")
        found.insert(0, fired("lane", Trigger.ALL_CLEAR, Lane.AUTO, score.value, score.limit).reason)
    return tuple(dict.fromkeys(found))


def _groups(policy: Policy, tiers: tuple[Tier, ...], steps: tuple[Step, ...]) -> dict[str, Group]:
    names = {tier.group for tier in tiers} | {step.group for step in steps if step.group}
    return {name: policy.groups[name] for name in sorted(names)}


def _reason_codes(policy: Policy) -> tuple[str, ...]:
    return (*_REASON_CODES, *policy.form.reason_codes)
