"""What somebody is told who modified a case: what the policy made of it. Owns this sentence; the card says the same to everybody."""

from bot.slack.cards.text.safe_text import brief, channel_name
from bot.slack.cards.text.wording import LANE
from routing.case.case import Case

_REASONS_MOST = 2
_REASON_MOST = 200


def modified_sentence(before: Case, after: Case, person: str) -> str:
    """Whether that decided the case, else who decides now and why: the reasons that the changed action has and the proposed one had not."""
    done = f"Recorded: with your changes it is revision {after.revision}, action {after.action_sha256[:12]}."
    if not after.open:
        return f"{done} That decides it: approved with changes."
    known = {reason.text for reason in before.route.reasons}
    new = [brief(reason.text, _REASON_MOST) for reason in after.route.reasons if reason.text not in known][:_REASONS_MOST]
    why = f" {' '.join(new)}" if new else ""
    mine = any(vote.by == person for vote in after.votes)
    if after.tier > before.tier or after.route.lane is not before.route.lane:
        where = f"tier {after.tier + 1} ({channel_name(after.route.tiers[after.tier].channel)})"
        return f"{done} The policy looked at it afresh: it needs {LANE[after.route.lane]} now, at {where}.{why}"
    return f"{done} {'Your changes count as your vote; it' if mine else 'It'} still needs somebody else.{why}"
