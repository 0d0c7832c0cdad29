"""The life of a policy: proposed, accepted by other people, staged, in force, rolled back. Owns these steps and who may take them.

Never compares or replays policies: the figures come in with an `Offer`. The command line may propose and roll back; it never accepts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from routing.authority import Role
from routing.canonical import Json
from routing.case.people import GovernancePress
from routing.change import SYSTEM, Actor, Refused
from routing.governance.governance import Governance
from routing.governance.permissions import obstacle, reason_given
from routing.governance.policy_activation import Taking, end_stage, event_of, posted, put_in_force, redrawn, stage
from routing.governance.proposal import Proposal
from routing.governance.ruling import PROPOSAL, Governed, GovernStep, Ruling
from routing.policy.affected import affected
from routing.policy.policy import Policy
from routing.vocabulary import EventKind

REFUSALS: dict[str, str] = {
    "unknown_proposal": "There is no such proposal any more.",
    "proposal_over": "This proposal is over. The message shows how it ended.",
    "own_proposal": "You proposed this policy, so somebody else has to accept it.",
    "already_accepted": "You have accepted this policy already. It takes another person.",
    "replay_needed": "This policy lets the model do more, so it needs a replay over earlier cases: propose it again with one.",
    "superseded": "Another policy came into force meanwhile. Propose this one again against that.",
    "active_already": "This very policy is in force already.",
    "proposed_already": "This very policy is proposed or staged already.",
    "not_staged": "No policy is staged under this proposal.",
    "no_share": "A stage is a share from 1 to 99 percent.",
    "not_wider": "Give a share in percent above the present one, at most 100.",
    "not_in_force": "This policy is neither in force nor staged any more, so nothing was recorded.",
    "nothing_before": "No other policy was in force before this one, so there is nothing to go back to.",
    "changed_meanwhile": "The policies changed meanwhile. Please look and try again.",
}
"""Code -> the sentence a person gets, besides those of `routing.governance.permissions`."""

ALL = 100
"""Percent."""

KEPT = 50
"""How many policies back a roll back can lead, one after the other."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A policy that is to be proposed, with what its diff and replay found.

    `summary` holds figures and the words of the policies themselves, no content of cases.
    """

    policy: Policy
    base_sha256: str
    raises: bool
    workflows: tuple[str, ...] = ()
    stage: Literal["full", "share", "shadow"] = "full"
    share: int = ALL
    reason: str = ""
    replayed: bool = False
    summary: Mapping[str, Any] = field(default_factory=dict)


def propose(offer: Offer, by: Actor, press: GovernancePress | None = None) -> GovernStep:
    """Propose a policy; its bytes are kept by the ledger. `press` is that of a person in Slack, who must be an owner."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        governance = governed.governance
        if press is not None and (refused := obstacle(press, governed.policy)) is not None:
            return refused
        if offer.base_sha256 != governed.policy.sha256:
            return _refuse("changed_meanwhile")
        if offer.policy.sha256 == governed.policy.sha256:
            return _refuse("active_already")
        staged = governance.rollout is not None and governance.rollout.sha256 == offer.policy.sha256
        same = [one for one in governance.proposals if not one.over and one.sha256 == offer.policy.sha256]
        if staged or any(one.replayed or not offer.replayed for one in same):
            return _refuse("proposed_already")
        if offer.stage == "share" and not 1 <= offer.share < ALL:
            return _refuse("no_share")
        people = press.person.known_with(()) if press is not None else ()
        proposal = _proposal(governed, offer, by, now).model_copy(update={"people": people})
        terms: dict[str, Json] = {"raises": proposal.raises, "needs": proposal.needs, "replayed": proposal.replayed}
        how: dict[str, Json] = {"before": proposal.base_sha256, "stage": proposal.stage, "share": proposal.share}
        event = event_of(EventKind.POLICY_PROPOSED, by, proposal, offer.reason, **how, **terms)
        gone = [one.model_copy(update={"state": "superseded"}) for one in same]  # it had no replay, this one has
        for one in gone:
            governance = governance.with_proposal(one)
        messages = (*posted(governed.policy, proposal), *redrawn(governed.policy, gone))
        return Ruling(governance.with_proposal(proposal), (event,), messages, answer={"proposal": proposal.id})

    return step


def accept(press: GovernancePress) -> GovernStep:
    """Accept a proposal; the last person needed puts it in force, or on stage. Wants the proposal's policy."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        found = _open_proposal(governed, press)
        if isinstance(found, Refused):
            return found
        person = press.person
        if person.was(found.by, found.people):
            return _refuse("own_proposal")
        if any(person.was(earlier, found.people) for earlier in found.accepted_by):
            return _refuse("already_accepted")
        if found.base_sha256 != governed.policy.sha256:
            return _refuse("superseded")
        if found.raises and not found.replayed:
            return _refuse("replay_needed")
        policy = governed.wanted.get(found.sha256)
        if policy is None:
            return _refuse("changed_meanwhile")
        accepted = found.model_copy(update={"accepted_by": (*found.accepted_by, person.id), "people": person.known_with(found.people)})
        left = accepted.needs - len(accepted.accepted_by)
        reason = reason_given(press)
        event = event_of(EventKind.POLICY_ACCEPTED, _human(press), accepted, reason, left=left)
        if left > 0:
            updates = redrawn(governed.policy, (accepted,))
            return Ruling(governed.governance.with_proposal(accepted), (event,), updates, answer={"left": left})
        accepted = accepted.model_copy(update={"state": "accepted"})
        taking = Taking(governed, accepted, policy, _human(press), reason or accepted.changes, (event,))
        if accepted.stage == "full":
            return put_in_force(taking, _remembered(governed))
        return stage(taking, 0 if accepted.stage == "shadow" else accepted.share, now)

    return step


def decline(press: GovernancePress) -> GovernStep:
    """Decline a proposal; who proposed it may take it back so."""

    def step(governed: Governed, _now: datetime) -> Ruling | Refused:
        found = _open_proposal(governed, press)
        if isinstance(found, Refused):
            return found
        declined = found.model_copy(update={"state": "declined", "declined_by": press.person.id})
        event = event_of(EventKind.POLICY_DECLINED, _human(press), declined, reason_given(press))
        return Ruling(governed.governance.with_proposal(declined), (event,), redrawn(governed.policy, (declined,)))

    return step


def widen(press: GovernancePress, percent: int) -> GovernStep:
    """Give a staged policy a larger share of the new cases; 100 puts it in force. Wants the staged policy.

    A press that was typed names no subject: it means whatever is staged.
    """

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        if (refused := obstacle(press, governed.policy)) is not None:
            return refused
        rollout = governed.governance.rollout
        found = governed.governance.proposal(rollout.proposal) if rollout is not None else None
        if rollout is None or found is None or press.subject not in ("", found.id):
            return _refuse("not_staged")
        if press.person.was(found.by, found.people):
            return _refuse("own_proposal")
        if not rollout.percent < percent <= ALL:
            return _refuse("not_wider")
        policy = governed.wanted.get(rollout.sha256)
        if policy is None:
            return _refuse("changed_meanwhile")
        wider = found.model_copy(update={"stage": "share", "share": percent})
        taking = Taking(governed, wider, policy, _human(press), reason_given(press) or found.changes)
        return put_in_force(taking, _remembered(governed)) if percent == ALL else stage(taking, percent, now)

    return step


def roll_back(by: Actor, reason: str = "", press: GovernancePress | None = None) -> GovernStep:
    """Go back at once: end what is staged, else to the policy before. Wants that policy (`before`). Takes no second person."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        if press is not None and (refused := obstacle(press, governed.policy)) is not None:
            return refused
        governance = governed.governance
        if press is not None and press.subject and press.subject != _acting(governed):
            return _refuse("not_in_force")
        if governance.rollout is not None:
            return end_stage(governed, governance.rollout, by, reason)
        if not governance.activated:
            return _refuse("nothing_before")
        policy = governed.wanted.get(governance.activated[-1])
        if policy is None:
            return _refuse("changed_meanwhile")
        offer = Offer(policy, governed.policy.sha256, raises=False, workflows=affected(policy, governed.policy), reason=reason)
        back = _proposal(governed, offer, by, now, origin="roll_back")
        return put_in_force(Taking(governed, back, policy, by, reason or "rolled back"), governance.activated[:-1])

    return step


def adopt(policy: Policy, workflows: tuple[str, ...]) -> GovernStep:
    """Take a changed file over, where the active policy says `activation: file` and names no owners, by id or by role."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        active = governed.policy
        if policy.sha256 == active.sha256:
            return _refuse("active_already")
        if not by_file(active):
            return _refuse("changed_meanwhile")
        offer = Offer(policy, active.sha256, raises=False, workflows=workflows, reason="file")
        adopted = _proposal(governed, offer, SYSTEM, now, origin="file")
        return put_in_force(Taking(governed, adopted, policy, SYSTEM, "file"), _remembered(governed))

    return step


def by_file(active: Policy) -> bool:
    """Whether a changed file takes effect without anybody's consent."""
    return active.form.activation == "file" and not active.form.owners and not active.form.roles.get(Role.POLICY_OWNER)


def before(governance: Governance) -> tuple[str, ...]:
    """What `roll_back` wants: the hash of the policy that was in force before."""
    return governance.activated[-1:] if governance.rollout is None else ()


def _open_proposal(governed: Governed, press: GovernancePress) -> Proposal | Refused:
    if (refused := obstacle(press, governed.policy)) is not None:
        return refused
    found = governed.governance.proposal(press.subject)
    if found is None:
        return _refuse("unknown_proposal")
    if found.over:
        return _refuse("superseded" if found.state == "superseded" else "proposal_over")
    return found


def _proposal(
    governed: Governed, offer: Offer, by: Actor, now: datetime, origin: Literal["person", "file", "roll_back"] = "person"
) -> Proposal:
    """A raise of autonomy takes two people besides whoever proposes it."""
    policy = offer.policy
    return Proposal(
        id=PROPOSAL + governed.draw,
        sha256=policy.sha256,
        version=policy.version,
        changes=policy.changes,
        base_sha256=offer.base_sha256,
        by=by.id,
        at=now,
        raises=offer.raises,
        needs=(2 if offer.raises else 1) if origin == "person" else 0,
        state="open" if origin == "person" else "accepted",
        stage=offer.stage,
        share=offer.share,
        origin=origin,
        reason=offer.reason,
        replayed=offer.replayed,
        summary=dict(offer.summary),
        workflows=offer.workflows,
    )


def _acting(governed: Governed) -> str:
    """The proposal behind what a roll back ends: the policy on stage, else the active one; empty for the first policy of all."""
    if governed.governance.rollout is not None:
        return governed.governance.rollout.proposal
    taken = [one.id for one in governed.governance.proposals if one.state == "accepted" and one.sha256 == governed.policy.sha256]
    return taken[-1] if taken else ""


def _remembered(governed: Governed) -> tuple[str, ...]:
    """With the active policy as the one to go back to."""
    return (*governed.governance.activated, governed.policy.sha256)[-KEPT:]


def _human(press: GovernancePress) -> Actor:
    return Actor("human", press.person.id)


def _refuse(code: str) -> Refused:
    return Refused(code, REFUSALS[code])
