"""What a policy names that exists elsewhere is found wherever the form has a place for it."""

from bot.launch.named import escalation_policies, people, routing_keys
from routing.policy.file import load_policy

POLICY = b"""
version: "1"
changes: "for the test"
owners: [U0GRACE0001]
groups: {all: {users: [U0ANNA00001, U0GRACE0001]}}
incidents: {routing_key: "${ONE}", escalation_policy: PPDUTY01}
ladders:
  standard:
    tiers:
      - {channel: a, group: all, owner: U0ANNA00001, backup: W0BEN00001}
      - {channel: b, group: all, pagerduty: {routing_key: "${TWO}", escalation_policy: PPTIER2A}}
      - {channel: c, group: all, pagerduty: {routing_key: "${ONE}"}}
workflows:
  refunds: {ladder: standard, models: [{name: m, version: "1", accepted_by: [U0LEFT00001]}]}
"""
POLICY_READ = load_policy(POLICY, {"ONE": "1" * 32, "TWO": "2" * 32})


def test_people_are_found_with_every_place() -> None:
    """In lists, in mappings and as a key; not who once accepted a model and may have left."""
    assert people(POLICY_READ) == {
        "U0GRACE0001": ["owner 1", "groups, all, user 2"],
        "U0ANNA00001": ["groups, all, user 1", "ladders, standard, tier 1, owner"],
        "W0BEN00001": ["ladders, standard, tier 1, backup"],
    }


def test_routing_keys_are_told_by_their_places() -> None:
    """One that stands in two places is one key."""
    assert routing_keys(POLICY_READ) == {
        "1" * 32: ["incidents, routing_key", "ladders, standard, tier 3, pagerduty, routing_key"],
        "2" * 32: ["ladders, standard, tier 2, pagerduty, routing_key"],
    }


def test_escalation_policies_are_found() -> None:
    """Of tiers and of incidents."""
    assert set(escalation_policies(POLICY_READ)) == {"PPDUTY01", "PPTIER2A"}
