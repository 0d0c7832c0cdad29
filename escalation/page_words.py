"""What a page says in its title, and why its incident is settled, of the case as it is. No content of a case: only what stands open in the
audit log. Pure.
"""

from datetime import UTC, datetime, timedelta

from routing.authorize import moves_far
from routing.case.case import Case
from routing.review.outlook import upcoming
from routing.vocabulary import CaseKind, Consequence, Risk, State, Verdict

_WAITS = {State.PENDING: "waits for a decision", State.HELD: "is held", State.NEEDS_INFO: "waits for its service"}

_ELSE = {
    Consequence.PAGED: "paged again",
    Consequence.ESCALATED: "escalated",
    Consequence.HELD: "held",
    Consequence.QUARANTINED: "quarantined",
    Consequence.EXPIRED: "expired",
    Consequence.REVIEWED: "decided without its answer",
    Consequence.DECIDED: "decided by the policy",
    Consequence.ASKED_AGAIN: "asked about again",
}
"""What happens if nobody acts, in a word or two."""

_HELD = {"frozen": "held, its workflow is frozen", "quarantine": "in quarantine"}

_SETTLED = {
    Verdict.APPROVED: "approved by people",
    Verdict.MODIFIED: "approved by people, with changes",
    Verdict.REJECTED: "rejected by people",
    Verdict.AUTO_APPROVED: "approved by the policy",
    Verdict.AUTO_REJECTED: "rejected by the policy",
    Verdict.EXPIRED: "expired, nobody decided in time",
    Verdict.WITHDRAWN: "withdrawn by its service",
}
"""How a case ended, for whoever was paged about it."""


def summary_of(case: Case, tier: int) -> str:
    """What waits at a tier (0-based), and until when before something happens to it by itself, and what that is."""
    what = f"{_worst(case)}: {case.action_type} of {case.workflow}"
    if case.kind is CaseKind.REVIEW:
        what = f"Break-glass to review: {case.action_type} of {case.workflow} was decided outside the normal path and"
    if not case.open or case.tier != tier:
        return f"{what} waits no longer at tier {tier + 1}: {why_settled(case, tier)}"
    first = upcoming(case)
    until = f", due {_due(first.at, case.tier_since or case.created_at)}, else {_ELSE[first.consequence]}" if first is not None else ""
    return f"{what} {_WAITS[case.state]} at tier {tier + 1}{until}"


def _worst(case: Case) -> str:
    """`High risk`, or what is worse than the class, as the card's title has it: with the class behind it, since a phone shows no card."""
    risk = case.route.risk
    failed, warned = (count and (f"{count} checks" if count > 1 else "A check") for count in (case.failed_checks, case.warned_checks))
    found = [
        (Risk.HIGH, failed and f"{failed} failed"),
        (Risk.HIGH, moves_far(case) and "Large change"),
        (Risk.MEDIUM, warned and f"{warned} warned"),
    ]
    worse = next((said for level, said in found if said and level.level > risk.level), "")
    return f"{worse}, {risk.value} risk" if worse else f"{risk.value.capitalize()} risk"


def why_settled(case: Case, tier: int) -> str:
    """Why nobody of that tier has to come for a page any more."""
    if case.verdict is not None and case.kind is CaseKind.REVIEW:
        return f"reviewed, break-glass was {'right' if case.verdict is Verdict.APPROVED else 'wrong'}"
    if case.verdict is not None:
        return _SETTLED[case.verdict]
    if case.state is State.HELD:
        return _HELD.get(case.held_by, "held until somebody takes it up")
    if case.tier > tier:
        return f"handed to tier {case.tier + 1}"
    return "taken up again" if case.state is State.PENDING else "its service is asked"


def _due(at: datetime, since: datetime) -> str:
    """`21:08 UTC`, as it is read on a phone at night; with the date where more than half a day lies between."""
    near = at - since <= timedelta(hours=12)
    return f"{at.astimezone(UTC):{'%H:%M' if near else '%Y-%m-%d %H:%M'}} UTC"
