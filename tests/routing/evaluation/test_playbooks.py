"""Which playbooks a case gets, as `policy explain` tells it."""

from routing.case.facts import Facts
from routing.policy.file import load_policy
from routing.simulation.explain import explain
from tests.routing.factory import NOON, POLICY_TEXT, a_submission

PLAYBOOKS = b"""
playbooks:
  - name: wrong-money
    when: {flags: [legal]}
    interim: hold
    tell: [{words: "Look at this with the bank.", channel: review-ops}]
  - name: nobody-came
    when: {exhausted: true}
    tell: [{words: "Find somebody.", people: [U0GRACE0001]}]
"""
POLICY = load_policy(POLICY_TEXT + PLAYBOOKS, {})


def _told(**changes: object) -> str:
    return explain(POLICY, a_submission(**changes), Facts(), NOON).text()


def test_the_explanation_names_what_would_begin_and_why() -> None:
    """Its steps in order and when it begins; what does not fit is not named."""
    flagged = _told(risk={"flags": ["legal"]})
    assert "    wrong-money: interim hold, then tell review-ops - " in flagged
    assert "begins with the case" in flagged
    assert (
        "    nobody-came: tell U0GRACE0001 - nobody answered in time; begins once nobody has answered at the end of the ladder" in flagged
    )
    assert "wrong-money" not in _told()
