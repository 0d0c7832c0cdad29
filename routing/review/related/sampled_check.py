"""Checking an automatic approval afterwards (R8): a case of its own about the one that was approved. Owns when it is opened, how it is
routed, and which words say why it was drawn. It never decides what was approved: that stands, and may be rolled back.
"""

from routing.canonical import Json
from routing.case.case import Case, Reason, Route, Step
from routing.case.submission import Submission
from routing.evaluation.work_templates import checklist_of
from routing.policy.clocks.table import clocked, row_for
from routing.policy.form.form import Workflow
from routing.policy.policy import Policy
from routing.review.draft import Draft
from routing.review.related.child_case import open_child
from routing.vocabulary import CaseKind, ClockName, EventKind, Exhausted, Lane, Mode, Template, Verdict

WHY = {
    "lot": "it was drawn by lot",
    "uncertain": "the confidence was close to the threshold",
    "unusual": "the case is unlike earlier ones",
    "segment": "people and model disagreed in this segment lately",
    "verify_after": "the workflow acts first and has everything verified",
}
"""By what `Route.sampled` says: why people check the approval."""


def draw_check(draft: Draft, submission: Submission) -> None:
    """Open the check of a case that was approved automatically just now, if its route says that it is checked.

    Needs the policy that the case lives by. What was kept back is not checked: people decide it afresh.
    """
    case, policy = draft.case, draft.subject.policy
    if case.verdict is not Verdict.AUTO_APPROVED or case.withheld or not case.route.sampled:
        return
    if policy is None:
        raise ValueError("a check needs the policy of the case")
    why: dict[str, Json] = {"sampled": case.route.sampled, "rate": case.route.sampling_rate}
    draft.record(EventKind.CHECK_OPENED, fields=why)
    draft.open(open_child(draft, check_route(case, policy), submission, kind=CaseKind.CHECK, name="check", why=why))


def check_route(parent: Case, policy: Policy) -> Route:
    """One look by the tier that reviews, with the checklist of the workflow and a clock of its own.

    Nobody is paged for it, and nobody has to acknowledge it; in the end it expires, and the approval counts as not checked.
    """
    workflow = policy.workflow(parent.workflow)
    chosen = parent.route.model_copy(
        update={
            "lane": Lane.REVIEW,
            "mode": Mode.ASYNC,
            "template": Template.APPROVAL,
            "steps": (_step(workflow),),
            "reasons": (Reason(code=f"check_{parent.route.sampled}", text=f"Checked afterwards: {WHY[parent.route.sampled]}."),),
            "missing": (),
            "page_at_start": False,
            "exhausted": Exhausted.REJECT,
            "total_s": None,
            "sampled": "",
            "duplicates_s": None,
        },
    )
    tables = policy.clock_tables(parent.workflow)
    timed = clocked(chosen, tables)
    row = row_for(tables, ClockName.CHECK, chosen)
    step = timed.steps[0].model_copy(update={"decide_s": row.lasts_s, "elapsed": row.time == "elapsed"} if row else {})
    tiers = tuple(tier.model_copy(update={"ack_s": None, "page": None}) for tier in timed.tiers)
    return timed.model_copy(update={"steps": (step,), "tiers": tiers, "total_s": None})


def _step(workflow: Workflow | None) -> Step:
    if workflow is None:
        return Step(name="check")
    return Step(name="check", decide_s=workflow.sampling.lasts, checklist=checklist_of(workflow, "check"))
