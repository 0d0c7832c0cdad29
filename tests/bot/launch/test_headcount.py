"""A group that is too small for the work leaves cases undecided for ever: known before the first one."""

import pytest

from bot.launch.finding import State
from bot.launch.headcount import headcount
from routing.policy.file import load_policy

POLICY = """
version: "1"
changes: "for the test"
groups: {{first: {{usergroup: first}}, second: {{usergroup: second}}}}
ladders: {{standard: {{tiers: [{{channel: a, group: first}}, {{channel: b, group: second}}]}}}}
workflows: {{refunds: {{ladder: standard, requester: optional, {workflow}}}}}
"""
DUAL_RULE = 'rules: [{name: large, when: "double(risk.amount) > 9.0", template: dual, reason: "Large."}]'
EXPERT_RULE = DUAL_RULE.replace("dual", "expert") + ", expert: {people: 3}"


@pytest.mark.parametrize(
    ("workflow", "first", "second", "short"),
    [
        ("template: approval", "a", "b", {}),
        ("template: approval", "a", "bc", {}),
        ("template: dual", "a", "bc", {"refunds, tier 1": "missing"}),
        ("template: dual", "ab", "c", {"refunds, tier 2": "missing"}),
        ("template: dual, dual: {verify: first, approve: second}", "a", "b", {}),
        ("template: dual, dual: {verify: first, approve: second}", "a", "a", {"refunds, tier 1": "missing", "refunds, tier 2": "missing"}),
        ("template: expert, expert: {people: 3}", "abc", "bc", {"refunds, tier 2": "missing"}),
        ("template: expert, expert: {people: 3, group: first}", "abc", "b", {}),
        (DUAL_RULE, "a", "bc", {"refunds, tier 1": "missing"}),
        (EXPERT_RULE, "a", "bc", {"refunds, tier 2": "missing"}),
    ],
)
def test_who_is_enough(workflow: str, first: str, second: str, short: dict[str, str]) -> None:
    """By template, steps with groups of their own, rules, and the tiers that a case may come to; letters are people."""
    policy = load_policy(POLICY.format(workflow=workflow).encode(), {})
    found = headcount(policy, {"first": first, "second": second})
    assert {one.about: one.state.value for one in found if one.state is State.MISSING} == short


def test_a_stopped_line_wants_two_at_the_top() -> None:
    """One may reject, so it is a warning; of a group that nothing is known of, nothing is said."""
    policy = load_policy(POLICY.format(workflow="template: approval").encode(), {})
    [line] = headcount(policy, {"first": "ab", "second": "c"})
    assert (line.state, line.about) == (State.WARN, "refunds, tier 2")
    assert headcount(policy, {"first": "ab"}) == []
