"""The work templates as steps (R5), and the tier at which the work begins (R7). Owns both; never chooses the lane or the desk."""

from collections.abc import Iterable

from routing.case.case import Item, Step
from routing.policy.form.form import Workflow
from routing.signals import CRITICAL, RISK_SIGNALS, Signal, Trigger
from routing.vocabulary import Lane, Template

STRICTNESS = (Template.AUTO, Template.VERIFY_AFTER, Template.TRIAGE, Template.APPROVAL, Template.DUAL, Template.EXPERT)
"""Templates, least strict first; the strictest that the workflow or a rule asks for has its way."""

SENIOR_FROM = 2
"""The first tier, 0-based, that one risk signal alone does not open (R7: above tier 2)."""


def strictest(templates: Iterable[Template]) -> Template:
    """The template that has its way."""
    return max(templates, key=STRICTNESS.index)


def steps_of(workflow: Workflow, lane: Lane, templates: frozenset[Template]) -> tuple[Step, ...]:
    """The work: none in the auto and reject lanes; two different people in the stop lane and wherever dual is asked for.

    `templates` are those of the workflow and of the rules that fired. A triage workflow begins with its triage; where a rule asks for more,
    that comes after it. Above the review lane the tier's own group triages.
    """
    if lane in (Lane.AUTO, Lane.REJECT):
        return ()
    people = 2 if lane is Lane.STOP else 1
    triage = (_step(workflow, "triage", workflow.triage.group if lane is Lane.REVIEW else None),) if Template.TRIAGE in templates else ()
    if Template.EXPERT in templates:
        at_least = 2 if Template.DUAL in templates else people
        return (*triage, _step(workflow, "approve", workflow.expert.group, max(at_least, workflow.expert.people)))
    if Template.DUAL in templates:
        return (*triage, _step(workflow, "verify", workflow.dual.verify), _step(workflow, "approve", workflow.dual.approve))
    if triage and Template.APPROVAL not in templates:
        return (triage[0].model_copy(update={"people": people}),)
    return (*triage, _step(workflow, "approve", people=people))


def checklist_of(workflow: Workflow, name: str) -> tuple[Item, ...]:
    """What whoever takes the step of this name answers item by item; empty where the policy does not ask it there."""
    asked = workflow.checklist
    return tuple(Item(id=key, text=text) for key, text in asked.items.items()) if name in asked.steps else ()


def start_of(workflow: Workflow, lane: Lane, template: Template, tiers: int) -> int:
    """The 0-based tier that the policy has a case open at, by its lane; a shorter ladder gives its last one."""
    number = {Lane.SPECIALIST: workflow.start.specialist, Lane.EXPERT: workflow.start.expert, Lane.STOP: workflow.start.stop}.get(
        lane,
        workflow.start.review,
    )
    if template is Template.EXPERT:
        number = max(number, workflow.start.expert)
    return min(number, tiers) - 1


def senior(lane: Lane, signals: Iterable[Signal]) -> bool:
    """Whether senior people are asked at once (R7): the stop lane, one critical signal, or two independent risk signals.

    Two are independent where they look at different things (`RISK_SIGNALS`). Each has to demand the specialist lane or more; beside a rule
    of the policy that does, any second risk signal will do.
    """
    found = tuple(signal for signal in signals if signal.lane is not Lane.AUTO)
    if lane is Lane.STOP or any(signal.trigger in CRITICAL for signal in found):
        return True
    about = {RISK_SIGNALS[signal.trigger] for signal in found if signal.trigger in RISK_SIGNALS}
    severe = {RISK_SIGNALS[signal.trigger] for signal in found if signal.trigger in RISK_SIGNALS and _severe(signal)}
    return len(severe) > 1 or (RISK_SIGNALS[Trigger.POLICY_RULE] in severe and len(about) > 1)


def _severe(signal: Signal) -> bool:
    return signal.lane.severity >= Lane.SPECIALIST.severity


def _step(workflow: Workflow, name: str, group: str | None = None, people: int = 1) -> Step:
    return Step.model_validate({"name": name, "group": group, "people": people, "checklist": checklist_of(workflow, name)})
