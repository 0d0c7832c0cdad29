"""The keys of the policy about ways for pages: what they come to, what they refuse, and what a change of them counts as."""

from typing import Any

import pytest
import yaml

from routing.case.case import Tier
from routing.errors import PolicyError
from routing.policy.diff import diff
from routing.policy.effect import Effect
from routing.policy.file import load_policy
from routing.policy.policy import Policy

ENVIRONMENT = {"FIRST": "c0ffee0000000000000000000000one1", "SECOND": "c0ffee0000000000000000000000two2"}


def policy(tier: dict[str, Any] | None = None, **more: Any) -> Policy:
    """One ladder of one tier that pages, and what a test adds to either."""
    rung = {"channel": "top", "group": "seniors", "pagerduty": {"routing_key": "${FIRST}"}, **(tier or {})}
    rung = {name: value for name, value in rung.items() if value is not None}
    document = {
        "version": "1",
        "changes": "for a test",
        "groups": {"seniors": {"users": ["U0SENIOR"]}},
        "ladders": {"standard": {"tiers": [rung]}},
        "workflows": {"refunds": {"ladder": "standard"}},
        **more,
    }
    return load_policy(yaml.safe_dump(document).encode(), ENVIRONMENT)


def problems(tier: dict[str, Any] | None = None, **more: Any) -> list[str]:
    """What is wrong with it, each with its place."""
    with pytest.raises(PolicyError) as raised:
        policy(tier, **more)
    return [f"{one.pointer}: {one.message}" for one in raised.value.problems]


def only(one: Policy) -> Tier:
    """The one tier."""
    [tier] = one.tiers["standard"]
    return tier


def test_a_policy_without_these_keys_is_as_before() -> None:
    """No other route, no e-mail, nothing repeated."""
    tier = only(policy())
    assert tier.page is not None
    assert (tier.page.second_key, tier.email, tier.repeat, tier.ack_s) == (False, False, None, None)


def test_what_holds_for_all_tiers_yields_to_what_one_names() -> None:
    """And reaches no tier that does not page."""
    pages = {"second_key": "${SECOND}", "email": ["all@northwind.example"]}
    shared, own = policy(pages=pages), policy({"email": ["own@northwind.example"]}, pages=pages)
    silent = policy({"pagerduty": None}, pages=pages)
    assert shared.routing_key("standard", 0, second=True) == ENVIRONMENT["SECOND"]
    assert shared.addresses("standard", 0) == ("all@northwind.example",)
    assert own.addresses("standard", 0) == ("own@northwind.example",)
    assert (silent.addresses("standard", 0), only(silent).can_page) == ((), False)
    assert [one.addresses("gone", 7) for one in (shared, own)] == [(), ()]


def test_a_tier_that_is_paged_again_and_again_has_that_time_to_acknowledge() -> None:
    """`every` times `most`; a clock table does not shorten it, since pages and clock have to end together."""
    clocks = [{"clock": "acknowledge", "lasts": "1m"}]
    tier = only(policy({"repeat": {"every": "5m", "most": 3}}, clocks=clocks))
    assert (tier.repeat and tier.repeat.every_s, tier.ack_s) == (300, 900)


HOSTILE = [
    "nobody",
    "@northwind.example",
    "duty@",
    "duty@localhost",
    "a@b@northwind.example",
    "duty@northwind.example\nBcc: everybody@evil.example",
    "duty@northwind.example\r\n",
    "duty@northwind.example,more@evil.example",
    "Duty <duty@northwind.example>",
    '"a b"@northwind.example',
    "duty @northwind.example",
    "d\u00fcty@northwind.example",
    "duty@northw\u0456nd.example",
    "duty@[127.0.0.1]",
    ".duty@northwind.example",
    "du..ty@northwind.example",
    "duty@northwind..example",
    f"{'a' * 250}@northwind.example",
]


@pytest.mark.parametrize("address", HOSTILE)
@pytest.mark.parametrize("of_tier", [True, False])
def test_what_is_no_address_is_refused(address: str, *, of_tier: bool) -> None:
    """So that none can end a header or name somebody else."""
    found = problems({"email": [address]}) if of_tier else problems(pages={"email": [address]})
    assert all("email/0" in one for one in found)


def test_ways_that_are_none_are_refused() -> None:
    """Each says where, and what was expected."""
    assert "no other route" in problems({"pagerduty": {"routing_key": "${FIRST}", "second_key": "${FIRST}"}})[0]
    assert problems(pages={"second_key": "${FIRST}"})[0].startswith("/pages/second_key")
    assert "nothing to repeat" in problems({"pagerduty": None, "repeat": {}})[0]
    assert "either ack or repeat" in problems({"ack": "15m", "repeat": {}})[0]
    assert "twice" in problems({"email": ["a@northwind.example", "A@northwind.example"]})[0]
    assert problems(pages={"emails": []})[0].startswith("/pages/emails")
    assert problems({"repeat": {"every": "5s"}})


@pytest.mark.parametrize(
    ("less", "more", "key"),
    [
        ({}, {"email": ["a@northwind.example"]}, "ladder.tiers.1.email"),
        ({}, {"pagerduty": {"routing_key": "${FIRST}", "second_key": "${SECOND}"}}, "ladder.tiers.1.pagerduty.second_key"),
    ],
)
def test_a_way_less_loosens(less: dict[str, Any], more: dict[str, Any], key: str) -> None:
    """And one more tightens; the key itself is never shown."""
    for before, after, effect in ((policy(less), policy(more), Effect.TIGHTENS), (policy(more), policy(less), Effect.LOOSENS)):
        [one] = [found for found in diff(before, after).items if found.key == key]
        assert (one.effect, one.raises) == (effect, False)
        assert ENVIRONMENT["SECOND"] not in one.text


def test_ways_of_all_tiers_are_told_once() -> None:
    """They stand outside of every workflow."""
    found = {one.key: one for one in diff(policy(), policy(pages={"second_key": "${SECOND}", "email": ["a@northwind.example"]})).items}
    assert {key: one.effect for key, one in found.items()} == {"pages.email": Effect.TIGHTENS, "pages.second_key": Effect.TIGHTENS}
    assert all(one.workflow == "" and one.words for one in found.values())


def test_a_storm_is_asked_for_with_sane_figures() -> None:
    """Absent, every page rings by itself; there, it has defaults, and refuses what would list nothing or everything."""
    assert policy().form.pages.storm is None
    storm = policy(pages={"storm": {}}).form.pages.storm
    assert storm is not None
    assert (storm.most, storm.within) == (5, 600)
    for wrong in ({"most": 0}, {"most": 1_001}, {"within": "5s"}, {"within": "2d"}, {"many": 3}):
        assert problems(pages={"storm": wrong})[0].startswith("/pages/storm"), wrong
    assert problems({"pagerduty": None}, pages={"storm": {}})[0].startswith("/pages/storm: no tier")
    assert policy({"pagerduty": None, "email": ["a@northwind.example"]}, pages={"storm": {}}).form.pages.storm == storm


def test_a_change_of_a_storm_gives_nobody_more_authority() -> None:
    """Nothing is silent either way; it is told in words, with times as they are written."""
    found = diff(policy(pages={"storm": {"most": 5, "within": "10m"}}), policy(pages={"storm": {"most": 3, "within": "1h"}})).items
    assert {one.key: (one.before, one.after, one.effect, one.raises) for one in found} == {
        "pages.storm.most": ("5", "3", Effect.NEUTRAL, False),
        "pages.storm.within": ("10m", "1h", Effect.NEUTRAL, False),
    }
    [one] = [found for found in diff(policy(), policy(pages={"storm": {}})).items if found.key.startswith("pages.storm")][:1]
    assert (one.effect, one.raises) == (Effect.NEUTRAL, False)
