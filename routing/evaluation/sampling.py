"""Which automatic approvals people check afterwards, and why (R8). Owns that choice; opens no check and never changes the rate.

`verify_after`  the workflow's template checks every one
`segment`       people and model disagreed in the case's segment lately
`uncertain`     the confidence is only just above the threshold
`unusual`       the service calls the case novel
`lot`           the case's draw is below the rate: stable per case and policy, and a raised rate keeps every earlier pick
"""

from decimal import Decimal

from routing.case.facts import Facts
from routing.case.submission import Submission
from routing.evaluation.blended_confidence import blended
from routing.policy.form.form import Workflow
from routing.vocabulary import Template


def rate_of(workflow: Workflow, facts: Facts) -> float:
    """The share of automatic approvals to be checked: the policy's rate times the factor in force, at most all."""
    return min(1.0, workflow.sampling.rate * facts.sampling)


def picked(workflow: Workflow, template: Template, submission: Submission, facts: Facts) -> str:
    """Why an automatic approval is checked; empty where it is not. Without a lot, as in a dry run, none is drawn."""
    limits, sampling, risk = workflow.thresholds, workflow.sampling, submission.risk
    if template is Template.VERIFY_AFTER:
        return "verify_after"
    if risk.segment is not None and risk.segment in facts.segments:
        return "segment"
    if blended(workflow, submission) < Decimal(str(limits.auto)) + Decimal(str(sampling.uncertain)):
        return "uncertain"
    if risk.novelty is not None and risk.novelty >= sampling.novelty:
        return "unusual"
    return "lot" if facts.lot is not None and facts.lot < rate_of(workflow, facts) else ""
