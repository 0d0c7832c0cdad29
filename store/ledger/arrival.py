"""What the first step of a case gets: the policy it follows, the facts it is routed by, and the near-duplicate it may be tied to.

Owns how these are put together from what was read and what the items before did; never reads anything itself and never routes.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal

from routing.case.case import Case
from routing.case.facts import Facts, Waived
from routing.change import Arrival
from routing.errors import PolicyError
from routing.evaluation.draw import lot
from routing.governance.governance import Governance
from routing.policy.form.form import Workflow
from routing.policy.policy import Policy
from routing.vocabulary import CaseKind
from store.ledger.arrival_limits import Arriving, counted, day_of
from store.ledger.draft import Draft
from store.ledger.prefetch import Known
from store.policies import Policies


def arrive(case_id: str, arriving: Arriving, active: Policy, now: datetime, *, known: Known, kept: Draft, policies: Policies) -> Arrival:
    """What the case `case_id` gets. `kept` is what the items before it in the transaction added."""
    governance = uses_counted(kept.governance or known.governance, known, kept)
    policy, shadow, staged = _followed(case_id, arriving.workflow, active, governance, policies)
    workflow = policy.workflow(arriving.workflow)
    first = None if workflow is None else _first(arriving, workflow, now, known, kept)
    of_case = {"lot": lot(case_id, policy.sha256), "first": "" if first is None else first.id, "staged": staged}
    facts = _of_workflow(arriving.workflow, workflow, governance, now, known=known, kept=kept).model_copy(update=of_case)
    return Arrival(case_id, policy, facts, now, first, shadow, governance.dark)


def present(case: Case, policy: Policy, governance: Governance, now: datetime, *, known: Known, kept: Draft) -> Facts:
    """What limits a case of earlier that is routed again: as it is now. An exception that it used already stays its own until it ends."""
    governance = uses_counted(governance, known, kept)
    facts = _of_workflow(case.workflow, policy.workflow(case.workflow), governance, now, known=known, kept=kept)
    return facts.model_copy(update={"waived": in_force(governance, case.workflow, now, used=case.route.exceptions)})


def _of_workflow(name: str, workflow: Workflow | None, governance: Governance, now: datetime, *, known: Known, kept: Draft) -> Facts:
    control = governance.control(name)
    return Facts(
        automation=control.automation,
        sampling=control.sampling,
        segments=control.segments,
        waived=in_force(governance, name, now),
        autos_hour=0 if workflow is None or workflow.caps.per_hour is None else _autos(name, known, kept),
        amount_day="0" if workflow is None or workflow.caps.amount_per_day is None else _amount(name, now, known, kept),
    )


def uses_counted(governance: Governance, known: Known, *added: Draft) -> Governance:
    """The governance with the uses of its exceptions as they stand, those added in this transaction included."""
    uses = {waiver.id: known.uses.get(waiver.id, waiver.uses) for waiver in governance.waivers if not waiver.over}
    for waiver_id, _ in (use for draft in added for use in draft.uses):
        if waiver_id in uses:
            uses[waiver_id] += 1
    return counted(governance, uses)


def _followed(
    case_id: str, workflow: str, active: Policy, governance: Governance, policies: Policies
) -> tuple[Policy, Policy | None, bool]:
    """The policy that a new case follows, the one that routes it in shadow, and whether the first is one that only a share follows.

    A staged policy that no longer compiles, or has no such workflow, holds up no case: it is as if there were none.
    """
    rollout = governance.rollout
    if rollout is None or not policies.knows(rollout.sha256):
        return active, None, False
    try:
        other = policies.get(rollout.sha256)
    except PolicyError:
        return active, None, False
    if other.workflow(workflow) is None:
        return active, None, False
    if rollout.percent == 0:
        return active, other, False
    chosen = lot(case_id, f"rollout/{rollout.sha256}") * 100 < rollout.percent
    return (other, None, True) if chosen else (active, None, False)


def in_force(governance: Governance, workflow: str, now: datetime, *, used: Collection[str] = ()) -> tuple[Waived, ...]:
    """The exceptions in force: approved, neither over by time nor used up, but by the case itself (`used`)."""
    mine = [waiver for waiver in governance.waivers if waiver.workflow == workflow and waiver.state == "in_force" and waiver.until > now]
    left = [waiver for waiver in mine if waiver.most is None or waiver.uses < waiver.most or waiver.id in used]
    return tuple(Waived(id=waiver.id, waives=waiver.waives, action_types=waiver.action_types) for waiver in left)


def _autos(workflow: str, known: Known, kept: Draft) -> int:
    return known.autos.get(workflow, 0) + sum(each.workflow == workflow for each in kept.approvals)


def _amount(workflow: str, now: datetime, known: Known, kept: Draft) -> str:
    before = known.amounts.get((workflow, day_of(now)), Decimal(0))
    return f"{sum((each.amount for each in kept.approvals if each.workflow == workflow), before).normalize():f}"


def _first(arriving: Arriving, workflow: Workflow, now: datetime, known: Known, kept: Draft) -> Case | None:
    """The open near-duplicate that came first within the window, one with the very same action before others."""
    if not arriving.likeness:
        return None
    ids = (*known.alike.get(arriving.likeness, ()), *kept.alike.get(arriving.likeness, ()))
    after = now - timedelta(seconds=workflow.duplicates.window)
    alike = [
        case
        for case in map(kept.cases.__getitem__, ids)
        if case.open and case.kind is CaseKind.CASE and not case.tied_to and case.created_at > after and case.likeness == arriving.likeness
    ]
    same = [case for case in alike if case.action_sha256 == arriving.action_sha256]
    return next(iter((*same, *alike)), None)
