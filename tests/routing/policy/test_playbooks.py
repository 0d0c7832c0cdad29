"""Playbooks in the policy: which fit a case, what a change of one means, and every name that nothing answers to."""

from typing import Any

import pytest
import yaml

from routing.case.facts import Facts
from routing.case.submission import read_submission
from routing.errors import PolicyError
from routing.evaluation.route import route
from routing.policy.diff import diff
from routing.policy.effect import Effect
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from tests.routing.factory import NOON

ENVIRONMENT = {"SECRET": f"whsec_{'A' * 44}", "OTHER": f"whsec_{'B' * 44}"}
BASE: dict[str, Any] = yaml.safe_load("""
version: "1"
changes: "for playbooks"
groups: {frontline: {usergroup: review-frontline}, experts: {users: [U0SENIOR, U0SECOND]}}
ladders:
  standard:
    tiers:
      - {channel: review-tier1, group: frontline}
      - {channel: review-tier2, group: experts, pagerduty: {routing_key: R0KEY}}
  quiet: {tiers: [{channel: review-tier1, group: frontline}]}
tickets: {helpdesk: {url: "https://tickets.example/path?token=hidden", secret: "${SECRET}"}}
playbooks:
  - name: one
    when: {flags: [legal], risk: medium}
    interim: hold
    page: true
    ticket: helpdesk
    tell: [{words: "Look.", channel: ops, people: [U0OWNER], groups: [frontline, experts]}, {words: "You.", groups: [experts]}]
    legal_hold: {reason: "A dispute.", released_by: [U0OWNER]}
    re_enter: "Ten right ones."
workflows:
  refunds:
    ladder: standard
    requester: optional
    rules: [{name: large, when: "double(risk.amount) > 100.0", lane: specialist, reason: "Large."}]
  others: {ladder: quiet, requester: optional}
""")


def grown(**changes: Any) -> Policy:
    """The policy, with keys of its playbook changed; None takes one away."""
    playbook = {key: value for key, value in {**BASE["playbooks"][0], **changes}.items() if value is not None}
    return load_policy(yaml.safe_dump({**BASE, "playbooks": [playbook]}).encode(), ENVIRONMENT)


def fits(policy: Policy, workflow: str = "refunds", **risk: Any) -> bool:
    """Whether its playbook fits such a case."""
    document = {"workflow": workflow, "task_id": "t", "title": "T", "action": {"type": "x"}, "model": {"confidence": 0.8}, "risk": risk}
    return bool(route(policy, read_submission(document), Facts(), NOON).playbooks)


@pytest.mark.parametrize(
    ("when", "risk", "fitting"),
    [
        ({"flags": ["legal"]}, {"impact": "low", "flags": ["Legal"]}, True),
        ({"flags": ["legal"]}, {"impact": "low", "flags": ["hr"]}, False),
        ({"flags": ["legal", "hr"]}, {"impact": "low", "flags": ["hr"]}, True),
        ({"risk": "high"}, {"impact": "critical", "likelihood": 0.9}, True),
        ({"risk": "high"}, {"impact": "low", "likelihood": 0.1}, False),
        ({"rules": ["large"]}, {"impact": "low", "amount": "200.00", "currency": "USD"}, True),
        ({"rules": ["large"]}, {"impact": "low", "amount": "20.00", "currency": "USD"}, False),
        ({"lanes": ["stop"]}, {"impact": "low", "flags": ["prohibited_content"]}, True),
        ({"lanes": ["stop"]}, {"impact": "low", "flags": ["legal"]}, False),
        ({"reasons": ["money"]}, {"impact": "low", "amount": "20.00", "currency": "USD"}, True),
        ({"reasons": ["money"]}, {"impact": "low"}, False),
        ({"flags": ["legal"], "lanes": ["stop"]}, {"impact": "low", "flags": ["legal"]}, False),
        ({"flags": ["legal"], "lanes": ["stop"]}, {"impact": "low", "flags": ["legal", "prohibited_content"]}, True),
    ],
)
def test_what_begins_one(when: dict[str, Any], risk: dict[str, Any], *, fitting: bool) -> None:
    """Every key has to fit; of a list, one item is enough."""
    assert fits(grown(when=when), **risk) is fitting


def test_it_concerns_its_workflows_alone() -> None:
    """Named ones, or every one; a case that cannot be routed too."""
    assert fits(grown(), impact="high", likelihood=0.3, flags=["legal"])
    assert not fits(grown(workflows=["others"], page=None), impact="high", likelihood=0.3, flags=["legal"])
    assert fits(grown(when={"lanes": ["expert"]}), workflow="nobody-knows-it")


def test_the_steps_are_those_of_the_policy() -> None:
    """What is safe first; a group of users is told one by one where there is no channel, and mentioned where there is."""
    document = {
        "workflow": "refunds",
        "task_id": "t",
        "title": "T",
        "action": {"type": "x"},
        "risk": {"impact": "high", "flags": ["legal"]},
    }
    [playbook] = route(grown(), read_submission(document), Facts(), NOON).playbooks
    assert [(step.kind, step.to) for step in playbook.steps] == [
        *(("interim", "hold"), ("legal_hold", ""), ("page", ""), ("tell", "ops")),
        *(("tell", "U0SENIOR"), ("tell", "U0SECOND"), ("ticket", "helpdesk")),
    ]
    assert playbook.steps[3].people == ("U0OWNER", "U0SENIOR", "U0SECOND")
    assert playbook.steps[3].groups == ("review-frontline",)


@pytest.mark.parametrize(
    ("key", "value", "reverse"),
    [
        ("interim", None, Effect.TIGHTENS),
        ("page", None, Effect.TIGHTENS),
        ("ticket", None, Effect.TIGHTENS),
        ("legal_hold", None, Effect.TIGHTENS),
        ("legal_hold", {"reason": "A dispute.", "released_by": ["U0OWNER", "U0OTHER"]}, Effect.LOOSENS),
        ("tell", BASE["playbooks"][0]["tell"][:1], Effect.TIGHTENS),
        ("when", {"flags": ["hr"]}, Effect.LOOSENS),
        ("workflows", ["refunds"], Effect.LOOSENS),
    ],
)
def test_less_of_it_loosens(key: str, value: object, reverse: Effect) -> None:
    """Taking a step away, or another condition, is a loosening; nothing of it lets the model do more by itself."""
    there, back = diff(grown(), grown(**{key: value})), diff(grown(**{key: value}), grown())
    assert [one.effect for one in there.items] == [Effect.LOOSENS]
    assert [one.effect for one in back.items] == [reverse]
    assert not there.raises_autonomy


def test_a_weaker_interim_action_loosens() -> None:
    """From quarantine to hold, and nothing at all of a playbook that is gone; a new one only tightens."""
    assert [one.effect for one in diff(grown(interim="quarantine"), grown()).items] == [Effect.LOOSENS]
    assert [one.effect for one in diff(grown(), grown(interim="quarantine")).items] == [Effect.TIGHTENS]
    none = load_policy(yaml.safe_dump({**BASE, "playbooks": []}).encode(), ENVIRONMENT)
    assert {one.effect for one in diff(grown(), none).items} == {Effect.LOOSENS, Effect.NEUTRAL}
    assert Effect.LOOSENS not in {one.effect for one in diff(none, grown()).items}


def test_where_tickets_go_is_compared_and_not_shown() -> None:
    """Another address or secret is a difference; neither the secret nor the path of the address stands in it."""
    moved = {"helpdesk": {"url": "https://tickets.example/other?token=hidden2", "secret": "${OTHER}"}}
    found = diff(grown(), load_policy(yaml.safe_dump({**BASE, "tickets": moved}).encode(), ENVIRONMENT))
    assert {one.key for one in found.items} == {"tickets.helpdesk.url", "tickets.helpdesk.secret"}
    assert "hidden" not in found.text() + str(found.json())
    assert "whsec" not in found.text() + str(found.json())


@pytest.mark.parametrize(
    ("changes", "pointer", "said"),
    [
        ({"when": {"rules": ["larg"]}}, "/playbooks/0/when/rules/0", 'there is no rule "larg"; did you mean "large"?'),
        ({"when": {"reasons": ["mony"]}}, "/playbooks/0/when/reasons/0", 'there is no reason "mony"; did you mean "money"?'),
        ({"when": {}}, "/playbooks/0/when", "expected at least one of rules, flags, reasons, lanes, risk, exhausted"),
        ({"workflows": ["refund"]}, "/playbooks/0/workflows/0", 'there is no "refund" among the workflows; did you mean "refunds"?'),
        ({"ticket": "helpdsk"}, "/playbooks/0/ticket", 'there is no "helpdsk" among the tickets; did you mean "helpdesk"?'),
        ({"workflows": ["others"]}, "/playbooks/0/page", "no tier of the ladders concerned has a pagerduty key"),
        ({"tell": [{"words": "x", "groups": ["frontlin"]}]}, "/playbooks/0/tell/0/groups/0", 'there is no "frontlin" among the groups'),
        ({"tell": [{"words": "x", "groups": ["frontline"]}]}, "/playbooks/0/tell/0/groups/0", "is told in a channel: name one"),
        ({"tell": [{"words": "x"}]}, "/playbooks/0/tell/0", "expected a channel, people or groups"),
        ({"tell": [{"words": "x", "people": ["anna"]}]}, "/playbooks/0/tell/0/people/0", ""),
        ({"legal_hold": {"reason": "x", "released_by": []}}, "/playbooks/0/legal_hold/released_by", ""),
        ({"when": {"exhausted": True}}, "/playbooks/0", "does not go with exhausted"),
    ],
)
def test_what_nothing_answers_to_is_found(changes: dict[str, Any], pointer: str, said: str) -> None:
    """With its place, and what was probably meant."""
    with pytest.raises(PolicyError) as refused:
        grown(**changes)
    assert {problem.pointer: problem.message for problem in refused.value.problems}.keys() == {pointer}
    assert said in refused.value.problems[0].message


@pytest.mark.parametrize(
    ("system", "said"),
    [
        ({"url": "http://tickets.example/", "secret": "${SECRET}"}, "plain http:// is for private networks only"),
        ({"url": "ftp://tickets.example/", "secret": "${SECRET}"}, "expected a URL like https://host.example/path"),
        ({"url": "https://user@tickets.example/", "secret": "${SECRET}"}, "without user name"),
        ({"url": "https://tickets.example/", "secret": "topsecret"}, "expected whsec_"),
        ({"url": "https://tickets.example/", "secret": "${SECRET}", "networks": ["10.0.0.1/8"]}, "expected a network like"),
        ({"url": "https://tickets.example/", "secret": "${MISSING}"}, "MISSING"),
    ],
)
def test_a_ticket_system_that_cannot_be_told_is_refused(system: dict[str, Any], said: str) -> None:
    """Never quoting the secret."""
    with pytest.raises(PolicyError) as refused:
        load_policy(yaml.safe_dump({**BASE, "tickets": {"helpdesk": system}}).encode(), ENVIRONMENT)
    assert said in str(refused.value)
    assert "topsecret" not in str(refused.value)


def test_one_secret_has_one_use() -> None:
    """Two ticket systems with the same one refuse to load."""
    twice = {"helpdesk": BASE["tickets"]["helpdesk"], "other": {"url": "https://other.example/", "secret": "${SECRET}"}}
    with pytest.raises(PolicyError, match="every secret has one use"):
        load_policy(yaml.safe_dump({**BASE, "tickets": twice}).encode(), ENVIRONMENT)
