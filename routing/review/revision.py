"""A new revision of a case: changed content, routed again, earlier votes void, lane and steps never lower. Owns that rule; asks nobody."""

from typing import Any

from routing.canonical import digest, same
from routing.case.case import Route, Tier
from routing.case.facts import Facts
from routing.case.submission import Submission
from routing.change import Subject
from routing.evaluation.derived_risk import left_behind, new_currency
from routing.evaluation.work_templates import STRICTNESS
from routing.policy.policy import Policy
from routing.review.draft import Draft
from routing.review.ladder import total_clock
from routing.vocabulary import Lane, State

ONE_UP = {Lane.REVIEW: Lane.SPECIALIST, Lane.SPECIALIST: Lane.EXPERT}
"""The lane above, of those that people decide; in the highest somebody else than the author decides."""


def risen(old: Route, new: Route) -> Route:
    """The route of the next revision: the stricter of both, the new one among equals, with the new reasons. It never asks fewer people or
    fewer things of them, never opens lower, and its risk and priority never fall.
    """
    chosen = max(
        new,
        old,
        key=lambda one: (one.lane.severity, _people(one), STRICTNESS.index(one.template), one.risk.level, len(one.skills)),
    )
    steps, short = chosen.steps, max(_people(old), _people(new)) - _people(chosen)
    if steps:
        asked = {item.id for step in steps for item in step.checklist}
        more = {item.id: item for one in (old, new) for step in one.steps for item in step.checklist if item.id not in asked}
        last = steps[-1]
        raised = last.model_copy(update={"people": last.people + max(short, 0), "checklist": (*last.checklist, *more.values())})
        steps = (*steps[:-1], raised)
    return chosen.model_copy(
        update={
            "start": max(old.start, new.start) if new.tiers else old.start,
            "risk": max(old.risk, new.risk, key=lambda risk: risk.level),
            "priority": max(old.priority, new.priority),
            "steps": steps,
            "playbooks": (*old.playbooks, *(one for one in new.playbooks if one.name not in {known.name for known in old.playbooks})),
            "reasons": new.reasons,
            "gates": new.gates,
            "missing": new.missing,
            "requester": "required" if "required" in (old.requester, new.requester) else "optional",
            "skills": tuple(dict.fromkeys((*old.skills, *new.skills))),
            "sampled": (old.sampled or new.sampled) if chosen.lane is Lane.AUTO else "",
        },
    )


def _people(route: Route) -> int:
    return sum(step.people for step in route.steps)


def present_facts(subject: Subject) -> Facts:
    """The facts of the next routing: those of the first, but how far the workflow may act, and within which limits, is what it is now."""
    now = subject.present
    limits = {} if now is None else {name: getattr(now, name) for name in ("sampling", "segments", "waived", "autos_hour", "amount_day")}
    return subject.case.facts.model_copy(update={"automation": subject.automation, **limits})


def modified_facts(subject: Subject, policy: Policy, content: Submission, changed: Submission) -> Facts:
    """The facts of a modification: where what the lane depends on cannot be told anew from the action, or its currency is another one, it
    asks for one lane more.
    """
    facts = present_facts(subject)
    left = left_behind(policy, content) if changed.action != content.action else ()
    left = (*left, *(("risk.currency",) if new_currency(policy, content, changed) else ()))
    if not left:
        return facts
    lane = subject.case.route.lane
    return facts.model_copy(update={"left_behind": left, "rises_to": ONE_UP.get(lane, lane)})


def revise(draft: Draft, submission: Submission, route: Route, facts: Facts) -> None:
    """Give the case its next revision with this content and route. Desks that have its card already keep it.

    What rises into the stop lane stops the line of its workflow.
    """
    case = draft.case
    shown = case.tier + 1 if case.tier_since is not None and case.route.ladder == route.ladder else 0
    draft.put(
        revision=case.revision + 1,
        route=route.model_copy(update={"tiers": (*_desks(case.route, route, shown), *route.tiers[shown:])}),
        facts=facts,
        step=0,
        votes=(),
        opened_by=(),
        claimed_by="",
        **content_facts(submission),
    )
    draft.put_clocks(claim=None)
    if draft.case.state is not State.HELD or draft.case.clocks.total is not None:
        draft.put_clocks(total=total_clock(draft.case, draft.now))
    if route.lane is Lane.STOP and case.route.lane is not Lane.STOP:
        draft.stop_the_line()


def _desks(old: Route, new: Route, shown: int) -> tuple[Tier, ...]:
    """The first tiers, timed as the new route times them, at the desks of the old one."""
    pairs = zip(old.tiers[:shown], new.tiers[:shown], strict=True)
    return tuple(timed.model_copy(update={"channel": stands.channel, "group": stands.group}) for stands, timed in pairs)


def content_facts(submission: Submission) -> dict[str, Any]:
    """The digests and open facts a case keeps of its content."""
    model = submission.model
    return {
        "action_sha256": submission.action.sha256,
        "action_type": submission.action.type,
        "input_sha256": submission.sha256,
        "output_sha256": digest(submission.output) if submission.output is not None else "",
        "confidence": model.confidence,
        "latency_ms": model.latency_ms,
        "model": {"name": model.name, "version": model.version, "hash": model.hash, "prompt_version": model.prompt_version},
        "source_ids": tuple(source.id for source in submission.evidence),
        "failed_checks": sum(check.result == "fail" for check in submission.checks),
        "warned_checks": sum(check.result == "warn" for check in submission.checks),
    }


def changed_fields(before: dict[str, Any] | None, after: dict[str, Any] | None, path: str = "params") -> tuple[str, ...]:
    """Dotted paths of what differs between two objects, compared as JSON (1 is not true), in order; lists count as one value."""
    old, new = before or {}, after or {}
    found: list[str] = []
    for name in sorted(old.keys() | new.keys()):
        here = f"{path}.{name}"
        left, right = old.get(name), new.get(name)
        if isinstance(left, dict) and isinstance(right, dict):
            found.extend(changed_fields(left, right, here))
        elif (name in old) != (name in new) or not same(left, right):
            found.append(here)
    return tuple(found)
