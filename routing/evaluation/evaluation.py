"""Everything that is looked at when a case is routed, and the lane that comes of it. Owns the order of looking; measures nothing itself."""

from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Literal

from routing.case.case import Tier
from routing.case.facts import Facts
from routing.case.submission import Submission
from routing.evaluation.autonomy import autonomy_signals, capped
from routing.evaluation.derived_risk import derived, unreadable
from routing.evaluation.gates import confidence_gate, context_gate, impact_gate, moves_money
from routing.evaluation.postcheck import post_checks
from routing.evaluation.required import CONTEXT, lacking
from routing.evaluation.risk import Assessed, assess
from routing.evaluation.rules import Ruled, demanded, ruled
from routing.evaluation.skills import desks
from routing.evaluation.waivers import exempt
from routing.evaluation.work_templates import SENIOR_FROM, senior, start_of, strictest
from routing.policy.form.derived import path_of
from routing.policy.form.form import Workflow
from routing.policy.policy import Policy
from routing.signals import Signal, Trigger, fired
from routing.vocabulary import Lane, Template

Signals = tuple[Signal, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a case opens: the tier, 0-based, the ladder with the desks chosen by skill, and what was said about it (R7, R15)."""

    start: int
    tiers: tuple[Tier, ...]
    held_lower: bool = False
    told: Signals = ()


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Everything that was looked at and what came of it; the explanation is drawn from it.

    `submission` is the case with the facts that the policy reads from its action.

    `lacking` are the paths that are missing, `needed` the skills it takes, `exceptions` the ids of those without which the lane would be
    stricter. Signals that an exception waives stand in the gates as passed.
    """

    workflow: Workflow
    submission: Submission
    assessed: Assessed
    gates: dict[str, Signals]
    checks: Signals
    autonomy: Signals
    rules: tuple[Ruled, ...]
    templates: frozenset[Template]
    requester: Literal["required", "optional"]
    lacking: tuple[str, ...]
    missing: Signals
    needed: frozenset[str]
    exceptions: tuple[str, ...]
    placed: Placed
    lane: Lane
    winner: str

    @property
    def template(self) -> Template:
        """The strictest template that the workflow or a rule asks for."""
        return strictest(self.templates)

    def won(self, ruled: Ruled) -> bool:
        """Whether a rule that fired decided the lane or the template, or asks for skills; one that did none of it lost."""
        asked = ruled.rule.template
        decided = ruled.rule.name == self.winner or (asked is self.template and asked is not self.workflow.template)
        return ruled.fired and (decided or bool(ruled.rule.skills))

    @property
    def signals(self) -> Signals:
        """Every signal, in the order it was looked at."""
        gates = (signal for signals in self.gates.values() for signal in signals)
        return (*gates, *self.checks, *self.autonomy, *(ruled.signal for ruled in self.rules))


def evaluate(policy: Policy, submission: Submission, facts: Facts, now: datetime) -> Evaluated:
    """Look at everything: three gates, checks, how far the model may act, rules, what is missing. `LookupError` for an unknown workflow.

    Rules see what fired before any exception took it back: an exception waives built-in signals, never a rule.
    """
    workflow = policy.workflow(submission.workflow)
    if workflow is None:
        raise LookupError(f"the policy has no workflow {submission.workflow}")
    submission = derived(workflow, submission)
    assessed = assess(policy.form.risk, submission)
    found = {
        "confidence": confidence_gate(workflow, submission),
        "context": context_gate(workflow, submission, now),
        "impact": impact_gate(workflow, submission, assessed),
    }
    checks = post_checks(workflow, submission)
    codes = [str(signal.trigger) for signals in (*found.values(), checks) for signal in signals if signal.trigger]
    rules = ruled(policy, submission, codes, now)
    fires = [each.rule for each in rules if each.fired]
    templates = frozenset({workflow.template, *(rule.template for rule in fires if rule.template)})
    autonomy = (*autonomy_signals(workflow, strictest(templates), submission, facts), *_modified(workflow, submission, facts))
    requester = _requester(workflow, templates, submission)
    blind = unreadable(workflow, submission)
    paths = _lacking(workflow, requester, submission, blind)
    missing = tuple(_asked(path, submission, unread=path in blind) for path in paths)
    waived = [
        one
        for signals in (found.values() if facts.waived else ())
        for signal in signals
        if (one := exempt(signal, facts.waived, submission.action.type))
    ]
    left = {one.was: one.now for one in waived}
    gates = {name: tuple(left.get(signal, signal) for signal in signals) for name, signals in found.items()} if waived else found
    built_in = (*(signal for signals in gates.values() for signal in signals), *checks, *autonomy)
    against = (*built_in, *(each.signal for each in rules), *missing)
    lane = max([signal.lane for signal in against], key=attrgetter("severity"))
    if lane is Lane.AUTO:
        cap = capped(workflow.caps, submission, facts)
        autonomy, lane = (*autonomy, cap), cap.lane
    needed = frozenset({*workflow.skills, *(skill for rule in fires for skill in rule.skills)})
    lane, placed = _placed(policy, _Work(workflow, strictest(templates), needed, against), lane)
    exceptions = tuple(dict.fromkeys(one.by for one in waived if one.was.lane.severity > lane.severity))
    winner = next((rule.name for rule in fires if lane is not Lane.AUTO and demanded(rule) is lane), "")
    return Evaluated(
        workflow=workflow,
        submission=submission,
        assessed=assessed,
        gates=gates,
        checks=checks,
        autonomy=autonomy,
        rules=rules,
        templates=templates,
        requester=requester,
        lacking=paths,
        missing=missing,
        needed=needed,
        exceptions=exceptions,
        placed=placed,
        lane=lane,
        winner=winner,
    )


def _lacking(workflow: Workflow, requester: str, submission: Submission, blind: tuple[str, ...]) -> tuple[str, ...]:
    """What the case is sent back for; people decide if nothing comes."""
    named = submission.requester
    known, unreadable = named is not None and named.known, named is not None and named.email is not None and not named.known
    asked = ("requester",) if unreadable or (requester == "required" and not known) else ()
    return tuple(dict.fromkeys((*lacking(workflow, submission, blind), *asked)))


def _modified(workflow: Workflow, submission: Submission, facts: Facts) -> Signals:
    """Somebody changed the action, and what the lane depends on still speaks of the proposed one, or of amounts in its currency."""
    if facts.rises_to is None:
        return ()
    tied = path_of(workflow.risk_from, "currency", submission.action.type)
    left = [name for name in facts.left_behind if not (tied and name == "risk.currency")]
    behind = (fired("modification", Trigger.FACTS_LEFT_BEHIND, facts.rises_to, ", ".join(left)),) if left else ()
    other = (fired("currency", Trigger.CURRENCY_CHANGED, facts.rises_to),) if len(left) < len(facts.left_behind) else ()
    return (*behind, *other)


def _asked(path: str, submission: Submission, *, unread: bool) -> Signal:
    if unread:
        return fired("risk_from", Trigger.FACT_UNREADABLE, Lane.EXPERT, path)
    if path == CONTEXT:
        return fired("missing", Trigger.CONTEXT_MISSING, Lane.REVIEW, len(submission.context.missing), 0)
    return fired("required", Trigger.FIELD_MISSING, Lane.REVIEW, path)


def _requester(workflow: Workflow, templates: frozenset[Template], submission: Submission) -> Literal["required", "optional"]:
    """What the workflow writes wins; else dual, expert and money need to know whom to keep from deciding."""
    if workflow.requester is not None:
        return workflow.requester
    return "required" if templates & {Template.DUAL, Template.EXPERT} or moves_money(submission) else "optional"


@dataclass(frozen=True, slots=True)
class _Work:
    """What decides where the work begins, beside the lane."""

    workflow: Workflow
    template: Template
    needed: frozenset[str]
    signals: Signals


def _placed(policy: Policy, work: _Work, lane: Lane) -> tuple[Lane, Placed]:
    """The lane, and the tier a case opens at: as the lane says, lower where too little speaks for senior people (R7), higher where only
    those have the skills (R15). Where nobody has them the lane is an expert's at least and the ladder stays as it is.
    """
    ladder = work.workflow.ladder
    tiers = policy.tiers[ladder]
    if lane in (Lane.AUTO, Lane.REJECT):
        start = start_of(work.workflow, lane, work.template, len(tiers))
        return lane, Placed(*(desks(policy, ladder, work.needed, start) or (start, tiers)))  # who would check it afterwards
    begin, lowered = _begin(work, lane, len(tiers))
    found = desks(policy, ladder, work.needed, begin)
    if found is None:
        lane = max(lane, Lane.EXPERT, key=lambda one: one.severity)
        begin, lowered = _begin(work, lane, len(tiers))
        nowhere = fired("skills", Trigger.SKILLS_NOWHERE, Lane.EXPERT, ", ".join(sorted(work.needed)))
        return lane, Placed(begin, tiers, bool(lowered), (*lowered, nowhere))
    at, chosen = found
    elsewhere = (fired("skills", Trigger.SKILLS_ELSEWHERE, Lane.AUTO, at + 1, ", ".join(sorted(work.needed))),) if at > begin else ()
    return lane, Placed(at, chosen, bool(lowered), (*lowered, *elsewhere))


def _begin(work: _Work, lane: Lane, tiers: int) -> tuple[int, Signals]:
    """The tier that the lane asks for; or the highest that may open, where too little speaks for more, and the sentence that says so."""
    start = start_of(work.workflow, lane, work.template, tiers)
    if start < SENIOR_FROM or senior(lane, work.signals):
        return start, ()
    return SENIOR_FROM - 1, (fired("start", Trigger.OPENS_LOWER, Lane.AUTO, SENIOR_FROM, start + 1),)
