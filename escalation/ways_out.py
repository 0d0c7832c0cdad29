"""By which ways a policy has people told outside of Slack: the one answer for the heartbeat, `/readyz` and the launch checklist. Pure.

Owns what counts as being paged and as being written to; which page takes which way is `routing.review.pages`' to say.
"""

from routing.policy.policy import BREAK_GLASS, Policy


def rings(policy: Policy) -> bool:
    """Whether PagerDuty rings anybody: about a case, about the use of break-glass, about an alert."""
    ladders = any(policy.routing_key(name, at) for name, ladder in policy.ladders.items() for at in range(len(ladder.tiers)))
    return ladders or policy.form.incidents is not None or policy.routing_key(BREAK_GLASS, 0) is not None


def writes(policy: Policy) -> bool:
    """Whether any page may go out by e-mail."""
    ladders = any(policy.addresses(name, at) for name, ladder in policy.ladders.items() for at in range(len(ladder.tiers)))
    return ladders or bool(policy.addresses(BREAK_GLASS, 0))


def unsendable(policy: Policy, *, mail_server: bool) -> str:
    """What the policy wants and cannot be done with these settings, in a sentence; "" where there is nothing."""
    if writes(policy) and not mail_server:
        return "The policy has pages written by e-mail, and TIERLINE_SMTP_URL is not set: they cannot be sent."
    return ""
