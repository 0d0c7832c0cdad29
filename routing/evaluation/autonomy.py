"""How far the model may act alone in a workflow: action types, template, autonomy, brake, register of versions, caps. Owns these signals;
never looks at the figures of a case, which is the gates' work.
"""

from decimal import Decimal

from routing.authority import Automation, Autonomy
from routing.case.amount import counted
from routing.case.facts import Facts
from routing.case.submission import Model, Submission
from routing.evaluation.draw import second_lot
from routing.policy.form.form import Workflow
from routing.policy.form.guardrails import Caps, ModelVersion
from routing.signals import Signal, Trigger, fired, passed
from routing.vocabulary import Lane, Template


def autonomy_signals(workflow: Workflow, template: Template, submission: Submission, facts: Facts) -> tuple[Signal, ...]:
    """What the workflow stands for, whatever the case is like. `template` is the strictest that it or a rule asks for."""
    return (
        _action(workflow, submission.action.type),
        _template(template),
        _autonomy(workflow.autonomy),
        _automation(facts.automation),
        *([_version(workflow.models, submission.model, facts.lot)] if workflow.models else []),
    )


def capped(caps: Caps, submission: Submission, facts: Facts) -> Signal:
    """Whether one more automatic approval is within the limits of the workflow (G6). Asked only where the lane would be auto."""
    if caps.per_hour is not None and facts.autos_hour >= caps.per_hour:
        return fired("caps", Trigger.CAP_REACHED, Lane.REVIEW, f"{caps.per_hour} an hour", caps.per_hour)
    if caps.amount_per_day is not None and Decimal(facts.amount_day) + counted(submission.risk.amount) > Decimal(caps.amount_per_day):
        return fired("caps", Trigger.CAP_REACHED, Lane.REVIEW, f"{caps.amount_per_day} a day", caps.amount_per_day)
    limited = caps.per_hour is not None or caps.amount_per_day is not None
    return passed("caps", facts.autos_hour if limited else "none", "within the limits" if limited else "the policy sets no limit")


def _action(workflow: Workflow, kind: str) -> Signal:
    if workflow.action_types and kind not in workflow.action_types:
        return fired("action_type", Trigger.ACTION_NOT_ALLOWED, Lane.REJECT, kind)
    return passed("action_type", kind, "allowed in this workflow")


def _template(template: Template) -> Signal:
    match template:
        case Template.AUTO | Template.VERIFY_AFTER:
            return passed("template", template, "automation is possible")
        case Template.EXPERT:
            return fired("template", Trigger.TEMPLATE_EXPERT, Lane.EXPERT, template)
        case Template.TRIAGE | Template.APPROVAL | Template.DUAL:
            return fired("template", Trigger.TEMPLATE_PEOPLE, Lane.REVIEW, template)


def _autonomy(autonomy: Autonomy) -> Signal:
    lane = {Autonomy.HUMAN_APPROVED: Lane.REVIEW, Autonomy.HUMAN_EXECUTED: Lane.EXPERT}.get(autonomy)
    if lane is not None:
        return fired("autonomy", Trigger.AUTONOMY, lane, autonomy)
    return passed("autonomy", autonomy, "the model may act where the gates pass")


def _automation(automation: Automation) -> Signal:
    if automation.level >= Automation.REVIEW_ALL.level:
        return fired("automation", Trigger.AUTOMATION_OFF, Lane.REVIEW, automation)
    return passed("automation", automation, "no brake is on")


def _version(known: tuple[ModelVersion, ...], model: Model, lot: float | None) -> Signal:
    """An unknown version is reviewed in full; a known one by its share, decided by the case's lot. Without a lot it is reviewed.

    An entry that names the prompt version goes before one that does not; of equals the smaller share counts.
    """
    named = [one for one in known if (one.name, one.version) == (model.name, model.version)]
    fitting = [one for one in named if one.prompt_version == model.prompt_version] or [one for one in named if one.prompt_version is None]
    if not fitting:
        return fired("model", Trigger.MODEL_UNKNOWN, Lane.REVIEW, "unknown")
    share = min(one.share for one in fitting)
    if share < 1 and (lot is None or second_lot(lot, "model") >= share):
        return fired("model", Trigger.MODEL_SHARE, Lane.REVIEW, f"{share:.4g}", "")
    return passed("model", f"{share:.4g}", "the share of its cases that may be automatic; this case is among them")
