"""One table says who may do what to more than one case; everything else is refused."""

from typing import Any

import pytest

from routing.authority import GovernanceVerb, Role
from routing.case.people import GovernancePress
from routing.governance.permissions import MAY, obstacle, role_groups, roles_of
from tests.routing.governed import ADMIN, DUTY, GROUPS, LEAD, NOBODY, OWNER, POLICY, TEAM, person, press

ROLE = {LEAD: Role.SUPERVISOR, DUTY: Role.DUTY_OFFICER, OWNER: Role.POLICY_OWNER, ADMIN: Role.ADMIN}


def test_every_verb_is_in_the_table() -> None:
    """A verb that nobody thought of would be a verb that anybody may."""
    assert set(MAY) == set(GovernanceVerb)
    assert all(MAY.values())


@pytest.mark.parametrize("verb", GovernanceVerb)
@pytest.mark.parametrize("who", ROLE)
def test_a_role_may_what_the_table_says(verb: GovernanceVerb, who: str) -> None:
    """Enumerated: each verb by each role."""
    allowed = obstacle(press(verb, who=who), POLICY) is None
    assert allowed == (ROLE[who] in MAY[verb])


@pytest.mark.parametrize("verb", GovernanceVerb)
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"known": False}, "slack_unreachable"),
        ({"deleted": True}, "deactivated"),
        ({"bot": True}, "bot"),
        ({"guest": True}, "guest"),
        ({"stranger": True}, "stranger"),
        ({"team": "T0ELSE"}, "stranger"),
    ],
)
def test_whoever_is_no_known_member_may_nothing(verb: GovernanceVerb, changes: dict[str, Any], code: str) -> None:
    """Not even with the role."""
    who = next(one for one, role in ROLE.items() if role in MAY[verb])
    found = obstacle(press(verb, who=who, **changes), POLICY)
    assert found is not None
    assert found.reason == code


def test_a_role_without_a_group_is_nobodys() -> None:
    """The policy names no auditor and no break-glass holder."""
    everybody = frozenset(GROUPS.values())
    held = roles_of(person(NOBODY, groups=everybody), POLICY)
    assert held == set(ROLE.values())
    assert set(role_groups(POLICY)) == everybody


def test_the_refusal_names_who_may() -> None:
    """So that the person knows whom to wake."""
    found = obstacle(GovernancePress(GovernanceVerb.FREEZE, person(NOBODY), TEAM, "w_refunds", "why"), POLICY)
    assert found is not None
    assert "a supervisor, a duty officer or an admin" in found.text
