"""Whether a policy has anybody rung or written to is one answer, wherever in the policy it stands."""

import pytest

from escalation.ways_out import rings, unsendable, writes
from routing.policy.file import load_policy
from routing.policy.policy import Policy

PLAIN = """
version: "1"
changes: x
defaults: {undo: 0s}
groups: {frontline: {users: [U0FRONT]}, bosses: {users: [U0BOSS]}}
channels: {operations: review-ops}
%s
ladders:
  standard:
    tiers:
      - {channel: front, group: frontline}
      - {channel: top, group: frontline%s}
workflows:
  refunds: {ladder: standard, template: approval, requester: optional}
"""
GLASS = "break_glass: {group: frontline, supervisors: bosses%s}"
KEY = 'pagerduty: {routing_key: "R0"}'


def policy(top: str = "", tier: str = "") -> Policy:
    """A policy with these lines."""
    return load_policy((PLAIN % (top, tier)).encode(), {})


@pytest.mark.parametrize(
    ("given", "rung", "written"),
    [
        (policy(), False, False),
        (policy(tier=f", {KEY}"), True, False),
        (policy('incidents: {routing_key: "R0"}'), True, False),
        (policy(GLASS % f", {KEY}"), True, False),
        (policy(GLASS % ""), False, False),
        (policy('pages: {second_key: "R1", email: [a@b.example]}'), False, False),
        (policy(tier=", email: [a@b.example]"), False, True),
        (policy("pages: {email: [a@b.example]}", f", {KEY}"), True, True),
        (policy(GLASS % f", {KEY}" + "\npages: {email: [a@b.example]}"), True, True),
    ],
)
def test_every_place_counts(given: Policy, rung: bool, written: bool) -> None:
    """Tiers, incidents and break-glass alike; and what cannot be sent is said exactly where it is wanted."""
    assert (rings(given), writes(given)) == (rung, written)
    assert bool(unsendable(given, mail_server=False)) == written
    assert not unsendable(given, mail_server=True)
