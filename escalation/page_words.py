"""What a page says in its title, and why its incident is settled, of the case as it is. No content of a case: only what stands open in the
audit log. Pure.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from routing.authorize import moves_far
from routing.case.case import Case, Tier
from routing.review.outlook import if_taken, upcoming
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


DRILL = "[DRILL]"
"""What everything about a drill begins with, on a phone as in a mailbox."""


def one_line(text: str) -> str:
    """Without line breaks, control characters or anything that turns the direction of text, blanks in a row as one."""
    shown = "".join(one if one.isprintable() else " " for one in text)
    return " ".join(shown.split())


def absolute(at: datetime) -> str:
    """`2026-11-20 15:00 UTC`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def first_steps(case: Case, tier: int, link: str) -> tuple[str, ...]:
    """What whoever is woken does first, in order, each until when. `link` leads to the card, "" where there is none."""
    if not case.open or case.tier != tier:
        return ("Nothing: nobody of this tier has to come any more.",)
    first, decision = upcoming(case), if_taken(case)
    since = case.tier_since or case.created_at
    channel = case.route.tiers[tier].channel
    steps = [f"Open the card: {link}" if link else f"Open Slack, channel {one_line(channel)}, and look for case {case.id}."]
    if case.state is State.HELD:
        who = "If you may release it from quarantine, press" if case.held_by == "quarantine" else "Press"
        steps.append(f"{who} Resume to take it up again: until then nothing is executed.")
    elif case.state is State.NEEDS_INFO:
        steps.append("Wait: its service was asked and has to answer first.")
    elif case.drill is not None:
        by = f" by {_due(first.at, since)}" if first is not None and first.clock == "acknowledge" else ""
        return (*steps, f"Press Claim{by}. That is all: it is a drill, and it shows that you were reached.")
    elif not case.acknowledged_by:
        by = f" by {_due(first.at, since)}" if first is not None and first.clock == "acknowledge" else ""
        steps.append(f"Press Claim{by}, so that nobody else is woken.")
    if case.state is State.PENDING and decision is not None:
        steps.append(f"Decide by {_due(decision.at, since)}. If nobody does, {_undecided(decision.consequence)}.")
    return tuple(steps)


def _undecided(consequence: Consequence) -> str:
    """What comes of it when nobody decides."""
    nothing = consequence in (Consequence.HELD, Consequence.QUARANTINED, Consequence.EXPIRED)
    if consequence is Consequence.ESCALATED:
        return "the next tier is asked"
    return f"it is {_ELSE[consequence]}{' and nothing is executed' if nothing else ''}"


def owner_words(tier: Tier, away: Mapping[str, datetime]) -> str:
    """Who answers for a tier: its owner, or for whom and until when its backup stands in; "" where the policy names nobody."""
    named = [person for person in (tier.owner, tier.backup) if person]
    there = tier.answering(away)
    gone = " and ".join(f"{person}, who is away until {absolute(away[person])}" for person in named if person in away and person != there)
    if there is None:
        return f"nobody: {gone}" if gone else ""
    return f"{there}, for {gone}" if tier.owner in away else there


def summary_of(case: Case, tier: int) -> str:
    """What waits at a tier (0-based), and until when before something happens to it by itself, and what that is."""
    what = one_line(f"{_worst(case)}: {case.action_type} of {case.workflow}")
    if case.drill is not None:
        what = one_line(f"{DRILL} {case.drill.kind.typed} of {case.workflow} (nothing is the matter)")
    if case.kind is CaseKind.REVIEW:
        what = one_line(f"Break-glass to review: {case.action_type} of {case.workflow} was decided outside the normal path and")
    if not case.open or case.tier != tier:
        return f"{what} waits no longer at tier {tier + 1}: {why_settled(case, tier)}"
    first = upcoming(case)
    until = f", due {_due(first.at, case.tier_since or case.created_at)}, else {_ELSE[first.consequence]}" if first is not None else ""
    return f"{what} {_WAITS[case.state]} at tier {tier + 1}{until}"


def waits_words(case: Case) -> str:
    """`High risk: refund.create of refunds waits for a decision at tier 2`, where it stands in a list."""
    return f"{_worst(case)}: {case.action_type} of {case.workflow} {_WAITS.get(case.state, 'is over')} at tier {case.tier + 1}"


def due_words(case: Case) -> str:
    """`due 21:08 UTC, else escalated`; "" where nothing happens by itself."""
    first = upcoming(case)
    return f"due {_due(first.at, case.tier_since or case.created_at)}, else {_ELSE[first.consequence]}" if first is not None else ""


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
    if case.verdict is not None and case.drill is not None:
        return "the drill is over here, nobody answered" if case.verdict is Verdict.EXPIRED else "the drill is over here"
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
