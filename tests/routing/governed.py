"""A small company's policy with roles and channels, its people and presses, for tests of governance."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from routing.authority import AlertLevel, Automation, GovernanceVerb
from routing.case.people import GovernancePress, Person
from routing.change import Message, MessageKind, Refused
from routing.governance.alert import Alert
from routing.governance.governance import Governance
from routing.governance.ruling import Governed, GovernStep, Ruling
from routing.policy.file import load_policy

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TEAM = "T0HOME"
LEAD, DUTY, OWNER, OTHER_OWNER, ADMIN, NOBODY = "U0LEAD", "U0DUTY", "U0OWNER", "U0OTHER", "U0ADMIN", "U0NOBODY"
GROUPS = {LEAD: "leads", DUTY: "duty", OWNER: "owners", OTHER_OWNER: "owners", ADMIN: "admins"}
POLICY = load_policy(
    b"""
version: "1"
changes: "for tests of governance"
defaults: {undo: 0s}
groups:
  frontline: {users: [U0FRONT]}
  leads: {users: [U0LEAD]}
  duty: {users: [U0DUTY]}
  owners: {users: [U0OWNER, U0OTHER]}
  admins: {users: [U0ADMIN]}
roles: {supervisor: [leads], duty_officer: [duty], policy_owner: [owners], admin: [admins]}
channels: {operations: operations, owners: policy-owners}
incidents: {routing_key: "R0KEY", severity: critical}
ladders: {standard: {tiers: [{channel: review-tier1, group: frontline, decide: 4h}]}}
workflows:
  refunds: {ladder: standard, template: approval, requester: optional}
  payouts: {ladder: standard, template: approval, requester: optional}
""",
    {},
)


def governed(governance: Governance | None = None, draw: str = "0" * 26) -> Governed:
    """What a step sees: two services post refunds."""
    return Governed(governance or Governance(), POLICY, draw, services={"refunds": ("refund-agent", "crm")})


def person(who: str, **changes: Any) -> Person:
    """A full member, in the group that goes with their name."""
    groups = frozenset({GROUPS[who]}) if who in GROUPS else frozenset[str]()
    return replace(Person(id=who, team=TEAM, groups=groups), **changes)


def press(
    verb: GovernanceVerb, subject: str = "w_refunds", who: str = LEAD, reason: str = "Wrong totals.", **changes: Any
) -> GovernancePress:
    """A press of somebody, with a reason."""
    return GovernancePress(verb, person(who, **changes), TEAM, subject, reason)


def ruled(step: GovernStep, before: Governed | None = None, now: datetime = NOON) -> Ruling:
    """What comes of a step that counts."""
    result = step(before or governed(), now)
    assert isinstance(result, Ruling), result
    return result


def refused(step: GovernStep, before: Governed | None = None, now: datetime = NOON) -> str:
    """The code of a step that does not."""
    result = step(before or governed(), now)
    assert isinstance(result, Refused), result
    return result.reason


def after(ruling: Ruling, draw: str = "1" * 26) -> Governed:
    """What the next step sees: the ledger counts the revision."""
    return governed(ruling.governance.model_copy(update={"revision": ruling.governance.revision + 1}), draw)


def kinds(ruling: Ruling) -> list[str]:
    """What is recorded."""
    return [event.kind.value for event in ruling.events]


def sent(ruling: Ruling, kind: MessageKind) -> list[Message]:
    """The messages of a kind."""
    return [message for message in ruling.messages if message.kind is kind]


def found(**changes: Any) -> Alert:
    """A breaker's finding in refunds."""
    values: dict[str, Any] = {
        "id": "",
        "rule": "override-rate",
        "workflow": "refunds",
        "level": AlertLevel.ACTION,
        "at": NOON,
        "why": "The share of proposals that people rejected or modified is 0.3, above 0.15.",
        "figures": {"figure": 0.3, "limit": 0.15},
        "action": Automation.ON,
    }
    return Alert(**(values | changes))
