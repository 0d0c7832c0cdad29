"""What a policy adds to the flags means the same however it is spelled."""

import pytest

from routing.facts import Facts
from routing.policy_file import load_policy
from routing.route import route
from routing.vocabulary import Lane
from tests.routing.factory import NOON, POLICY_TEXT, a_submission


@pytest.mark.parametrize("spelled", ["pii-leak", "PII Leak", "pii_leak"])
def test_a_flag_of_the_policy_stops_the_line_however_it_is_spelled(spelled: str) -> None:
    """Flags of a case are read in one spelling; those of the policy have to be read in the same."""
    flags = f'requester: optional, flags: {{prohibited: ["{spelled}"]}}}}'
    policy = load_policy(POLICY_TEXT.replace(b"requester: optional}", flags.encode()), {})
    chosen = route(policy, a_submission(risk={"impact": "low", "flags": ["pii-leak"]}), Facts(), NOON)
    assert chosen.lane is Lane.STOP
