"""Which lane, whose work, how urgent: `route` turns a case into the snapshot it lives by. Owns the choice; never measures (the gates do).

Lanes in their fixed order: stop, reject, expert, specialist, review, auto (R4). Every signal and every rule that fires
demands a lane; the most severe demand wins, and nothing takes one back but an exception in force (R14), which waives a signal that may be
waived before anything is demanded.
"""

from datetime import datetime

from routing.case.case import Group, Reason, Route, Step, Tier
from routing.case.facts import Facts
from routing.case.submission import Submission
from routing.evaluation.evaluation import Evaluated, evaluate
from routing.evaluation.gates import worst
from routing.evaluation.playbooks import playbooks_of
from routing.evaluation.risk import priority
from routing.evaluation.sampling import picked, rate_of
from routing.evaluation.work_templates import steps_of, strictest
from routing.policy.clocks.table import clocked
from routing.policy.form.form import Workflow
from routing.policy.policy import Policy
from routing.policy.router_presets import router_of
from routing.signals import Trigger, decisiveness, fired
from routing.vocabulary import Lane, Mode, ReasonCode, Risk, Template

_REASON_CODES = tuple(code.value for code in ReasonCode)


def route(policy: Policy, submission: Submission, facts: Facts, now: datetime) -> Route:
    """The route of a case. Deterministic in its arguments; total: an error on the way sends the case to an expert.

    `now` is an aware datetime. A workflow that the policy does not know is such an error.
    """
    try:
        return settle(policy, evaluate(policy, submission, facts, now), submission, facts, now)
    except Exception:  # noqa: BLE001  # whatever it was, a person looks at it and the reason says so
        return astray(policy, submission)


def settle(policy: Policy, weighed: Evaluated, submission: Submission, facts: Facts, now: datetime) -> Route:
    """The snapshot of a case that was weighed."""
    workflow, lane, template, placed = weighed.workflow, weighed.lane, weighed.template, weighed.placed
    submission = weighed.submission
    risk = weighed.assessed.risk
    own_desks = placed.tiers is policy.tiers[workflow.ladder]
    by_policy = ("route", submission.workflow, lane, risk, weighed.templates, weighed.needed, placed.start, own_desks)
    chosen = policy.once(by_policy, lambda: _frame(policy, weighed)).model_copy(
        update={
            "priority": priority(policy.form.priority, weighed.assessed, lane, submission, now),
            "requester": weighed.requester,
            "reasons": _reasons(weighed),
            "missing": weighed.lacking,
            "rule": weighed.winner,
            "lost": tuple([ruled.rule.name for ruled in weighed.rules if ruled.fired and not weighed.won(ruled)]),
            "gates": {name: worst(signals).value for name, signals in weighed.gates.items()},
            "sampled": picked(workflow, template, submission, facts) if lane is Lane.AUTO else "",
            "sampling_rate": rate_of(workflow, facts) if lane is Lane.AUTO else 0.0,
            "exceptions": weighed.exceptions,
            "held_lower": placed.held_lower,
        }
    )
    if not policy.form.playbooks:
        return chosen
    fired_rules = [ruled.rule.name for ruled in weighed.rules if ruled.fired]
    return chosen.model_copy(update={"playbooks": playbooks_of(policy, chosen, submission, fired_rules)})


def _frame(policy: Policy, weighed: Evaluated) -> Route:
    """What of a route follows from the policy, once it is known who works where: made once for all cases that are alike in this."""
    workflow, lane, placed, risk = weighed.workflow, weighed.lane, weighed.placed, weighed.assessed.risk
    steps = steps_of(workflow, lane, weighed.templates)
    frame = Route(
        lane=lane,
        mode=router_of(workflow).mode(workflow, lane, risk),
        risk=risk,
        priority=0,
        template=weighed.template,
        steps=steps,
        ladder=workflow.ladder,
        tiers=placed.tiers,
        start=placed.start,
        page_at_start=lane is Lane.STOP and placed.tiers[placed.start].can_page,
        exhausted=policy.ladders[workflow.ladder].exhausted,
        threshold=workflow.thresholds.auto,
        instructions=workflow.instructions,
        owner=workflow.owner,
        groups=_groups(policy, workflow, placed.tiers, steps),
        reason_codes=_reason_codes(policy),
        autonomy=workflow.autonomy,
        skills=tuple(sorted(weighed.needed)),
        duplicates_s=workflow.duplicates.window if workflow.duplicates.tie else None,
        reveal=workflow.sensitive.reveal,
        roles=dict(policy.roles),
        undo_s=workflow.undo,
        claim_s=policy.form.claims.idle,
        policy_version=policy.version,
        policy_sha256=policy.sha256,
    )
    return clocked(frame, policy.clock_tables(weighed.submission.workflow))


def astray(policy: Policy, submission: Submission) -> Route:
    """The route of a case that could not be routed: an expert, high risk, the service waits, at least one person approves."""
    found = policy.workflow(submission.workflow)
    workflow = found or Workflow(ladder=next(iter(policy.ladders)))
    tiers = policy.tiers[workflow.ladder]
    templates = frozenset({workflow.template, Template.APPROVAL})
    steps = steps_of(workflow, Lane.EXPERT, templates)
    signal = fired("routing", Trigger.ROUTING_ERROR, Lane.EXPERT)
    lost = Route(
        lane=Lane.EXPERT,
        mode=Mode.SYNC,
        risk=Risk.HIGH,
        priority=policy.form.priority.high,
        template=strictest(templates),
        steps=steps,
        ladder=workflow.ladder,
        tiers=tiers,
        start=min(1, len(tiers) - 1),
        exhausted=policy.ladders[workflow.ladder].exhausted,
        requester=workflow.requester or "required",
        reasons=(signal.reason,),
        gates={"confidence": "stop", "context": "stop", "impact": "stop"},
        groups=_groups(policy, workflow, tiers, steps),
        reason_codes=_reason_codes(policy),
        autonomy=workflow.autonomy,
        reveal=workflow.sensitive.reveal,
        roles=dict(policy.roles),
        undo_s=workflow.undo,
        claim_s=policy.form.claims.idle,
        policy_version=policy.version,
        policy_sha256=policy.sha256,
    )
    lost = lost.model_copy(update={"playbooks": playbooks_of(policy, lost, submission, ())})
    return clocked(lost, policy.clock_tables(submission.workflow))


def _reasons(weighed: Evaluated) -> tuple[Reason, ...]:
    """One sentence per reason: what demands most first, of equals what decides (`decisiveness`), also of what is missing; then why it opens
    where it does.
    """
    raising = [signal for signal in weighed.placed.told if signal.lane is not Lane.AUTO]
    against = sorted(
        (signal for signal in (*weighed.signals, *raising, *weighed.missing) if signal.trigger),
        key=lambda signal: (-signal.lane.severity, decisiveness(signal.trigger) if signal.trigger else 0),
    )
    found = [signal.reason for signal in (*against, *weighed.placed.told)]
    if weighed.lane is Lane.AUTO:
        found.insert(0, _clear(weighed))
    return tuple(dict.fromkeys(found))


def _clear(weighed: Evaluated) -> Reason:
    """Why nobody is asked."""
    if weighed.exceptions:
        return fired("lane", Trigger.EXCEPTION_USED, Lane.AUTO, ", ".join(weighed.exceptions)).reason
    score = next(signal for signal in weighed.gates["confidence"] if signal.name == "confidence")
    trigger = Trigger.ALL_CLEAR if weighed.assessed.risk is Risk.LOW else Trigger.SCORE_CLEAR
    return fired("lane", trigger, Lane.AUTO, score.value, score.limit).reason


def _groups(policy: Policy, workflow: Workflow, tiers: tuple[Tier, ...], steps: tuple[Step, ...]) -> dict[str, Group]:
    """Every group whose members a press on the case may be held against."""
    names = {tier.group for tier in tiers} | {step.group for step in steps if step.group} | set(workflow.sensitive.reveal)
    names.update(group for groups in policy.roles.values() for group in groups)
    return {name: policy.groups[name] for name in sorted(names)}


def _reason_codes(policy: Policy) -> tuple[str, ...]:
    return (*_REASON_CODES, *policy.form.reason_codes)
