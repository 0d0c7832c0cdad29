"""The policy's `closed` of a tier: mistakes, warnings, what a change of it does, and what a policy without it never shows."""

import json

import pytest

from routing.case.case import ClosedHours
from routing.case.facts import Facts
from routing.change import Arrival
from routing.errors import PolicyError
from routing.policy.diff import diff
from routing.policy.effect import Effect
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from routing.review.opening import open_case
from routing.simulation.idle import idle
from routing.strict_yaml import read_yaml
from routing.vocabulary import Risk
from tests.routing.factory import NOON, a_submission

TEXT = """
version: "1"
changes: "x"
groups: {{front: {{usergroup: front}}}}
calendars:
  berlin: {{timezone: Europe/Berlin, hours: "09:00-18:00"}}
  nights: {{timezone: Europe/Berlin, days: mon-sun, hours: "18:00-09:00"}}
  always: {{timezone: Europe/Berlin, days: mon-sun, hours: "00:00-24:00"}}
ladders:
  standard:
    tiers:
      - {{channel: one, group: front{first}}}
      - {{channel: two, group: front{second}}}
      - {{channel: three, group: front{third}}}
workflows: {{refunds: {{ladder: standard, requester: optional}}}}
"""


def text(first: str = "", second: str = "", third: str = "") -> bytes:
    """A policy of three tiers with these further keys."""
    return TEXT.format(first=first, second=second, third=third).encode()


def policy(first: str = "", second: str = "", third: str = "") -> Policy:
    """The same, loaded."""
    return load_policy(text(first, second, third), {})


@pytest.mark.parametrize(
    ("first", "at", "said"),
    [
        (", closed: {to: 2}", "/closed", "no calendar"),
        (", calendar: berlin, closed: {to: 1}", "/closed/to", "above this one"),
        (", calendar: berlin, closed: {to: 4}", "/closed/to", "the ladder has 3 tiers"),
        (", calendar: berlin, closed: {to: first}", "/closed/to", "tier number"),
        (", calendar: berlin, closed: {to: 0}", "/closed/to", "tier number"),
        (", calendar: berlin, closed: {from: high}", "/closed/to", "required"),
        (", calendar: berlin, closed: {to: 2, from: grave}", "/closed/from", "'critical'"),
        (", calendar: berlin, closed: {to: 2, risk: high}", "/closed/risk", "unknown"),
    ],
)
def test_a_mistake_is_named_where_it_stands(first: str, at: str, said: str) -> None:
    """One problem each, with the place and what to do."""
    with pytest.raises(PolicyError) as refused:
        policy(first)
    assert [(one.pointer, said in one.message) for one in refused.value.problems] == [(f"/ladders/standard/tiers/0{at}", True)]


def test_the_last_tier_hands_over_to_nobody() -> None:
    """`last` is no way out of the top."""
    with pytest.raises(PolicyError, match="above this one"):
        policy(third=", calendar: berlin, closed: {to: last}")


def test_a_case_carries_it() -> None:
    """Tiers counted from 0, `last` resolved, high risk where the file does not say."""
    tiers = policy(", calendar: berlin, closed: {to: last}", ", calendar: nights, closed: {to: 3, from: medium}").tiers["standard"]
    assert [tier.closed for tier in tiers] == [ClosedHours(to=2, risk=Risk.HIGH), ClosedHours(to=2, risk=Risk.MEDIUM), None]


@pytest.mark.parametrize(
    ("first", "second", "warned"),
    [
        (", calendar: berlin, closed: {to: 2}", "", None),
        (", calendar: berlin, closed: {to: 2}", ", calendar: always", None),
        (", calendar: berlin, closed: {to: 2}", ", calendar: nights", "/closed/to"),
        (", calendar: berlin, closed: {to: 2}", ", calendar: nights, closed: {to: 3}", None),
        (", calendar: berlin, closed: {to: 2}", ", calendar: berlin", "/closed/to"),
        (", calendar: always, closed: {to: 2}", "", "/closed"),
    ],
)
def test_a_tier_that_is_closed_as_well_is_warned_of(first: str, second: str, warned: str | None) -> None:
    """Where the other one is closed at any time of the year that this one is, and names nobody further. Nights leave the weekend's days."""
    loaded, document = policy(first, second), read_yaml(text(first, second), {})
    found = [one.pointer for one in idle(loaded, document) if "/closed" in one.pointer]
    assert found == ([f"/ladders/standard/tiers/0{warned}"] if warned else [])


OFFICE = ", calendar: berlin"


@pytest.mark.parametrize(
    ("before", "after", "effects"),
    [
        ("", ", closed: {to: 2}", {"to": Effect.TIGHTENS, "from": Effect.TIGHTENS}),
        (", closed: {to: 2}", "", {"to": Effect.LOOSENS, "from": Effect.LOOSENS}),
        (", closed: {to: 2}", ", closed: {to: 3}", {"to": Effect.TIGHTENS}),
        (", closed: {to: 3}", ", closed: {to: 2}", {"to": Effect.LOOSENS}),
        (", closed: {to: 2}", ", closed: {to: 2, from: low}", {"from": Effect.TIGHTENS}),
        (", closed: {to: 2}", ", closed: {to: 2, from: critical}", {"from": Effect.LOOSENS}),
    ],
)
def test_a_change_says_what_it_does(before: str, after: str, effects: dict[str, Effect]) -> None:
    """Handing over more is tighter; the model gains nothing either way."""
    found = diff(policy(OFFICE + before), policy(OFFICE + after)).items
    assert {one.key.rpartition(".")[2]: one.effect for one in found} == effects
    assert not any(one.raises for one in found)
    assert all(one.words for one in found)


def test_a_policy_without_it_leaves_no_trace() -> None:
    """What a case is stored as, and so every hash over it, is as it was before the key was there."""
    case = open_case("refund-agent", a_submission())(Arrival("c_01", policy(OFFICE), Facts(), NOON)).case
    stored = json.loads(case.model_dump_json())
    assert not [tier for tier in stored["route"]["tiers"] if "closed" in tier]
    assert not {"closed", "paused_at", "paused_s"} & stored["clocks"].keys()
