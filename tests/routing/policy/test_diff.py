"""What a changed policy changes, as its owners read it before they accept it."""

import pytest
import yaml

from routing.policy.diff import Difference, _leaves, _whole, diff
from routing.policy.effect import Effect, row_of, words_of
from routing.policy.file import load_policy
from routing.policy.policy import Policy

TEXT = """
version: "1"
changes: "first"
groups: {frontline: {usergroup: review-frontline}, experts: {users: [U0SENIOR]}, second: {users: [U0SECOND]}}
calendars: {office: {timezone: Europe/Berlin, days: mon-fri, hours: "09:00-18:00"}}
ladders:
  standard:
    tiers:
      - {channel: review-tier1, group: frontline, ack: 15m, decide: 4h, calendar: office}
      - {channel: review-tier2, group: experts, pagerduty: {routing_key: "${PD}", severity: warning}}
roles: {supervisor: [frontline]}
owners: [U0OWNER]
breakers: [{name: override_rate, measure: override_rate, above: 0.15}]
defaults: {sampling: {rate: 0.1}}
workflows:
  notes:
    ladder: standard
    template: auto
    action_types: [note.file]
    action_schemas: {note.file: {type: object}}
    required: [request]
    required_evidence: {record: 1}
    freshness: {record: 2d}
    caps: {per_hour: 50, amount_per_day: "100"}
    models: [{name: scribe, version: "1", share: 0.5}]
    accountability: {product: P, operations: O, governance: G, harms: [Harm.], worst_case: Worst., service_tier: informational}
    checks: {forbidden: [guarantee]}
    clocks: [{clock: decide, lasts: 1h, risk: high}]
    examples: [{name: one, case: {title: A}, lane: review}]
  refunds:
    ladder: standard
    template: approval
    rules:
      - {name: large, when: "has(risk.amount) && double(risk.amount) > 1000.0", lane: expert, template: dual, reason: "Over 1,000."}
      - {name: medium, when: "has(risk.amount) && double(risk.amount) > 100.0", lane: specialist, reason: "Over 100."}
"""


def a_policy(*changes: tuple[str, str], key: str = "R0KEY") -> Policy:
    """The policy with some of its text replaced."""
    text = TEXT
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return load_policy(text.encode(), {"PD": key})


def only(*changes: tuple[str, str], key: str = "R0KEY") -> Difference:
    """The one difference that these changes make."""
    found = diff(a_policy(), a_policy(*changes, key=key)).items
    assert len(found) == 1, [one.text for one in found]
    return found[0]


def test_the_same_policy_differs_in_nothing() -> None:
    """Another version and change note alone change no case."""
    found = diff(a_policy(), a_policy(('version: "1"\nchanges: "first"', 'version: "2"\nchanges: "second"')))
    assert not found.items
    assert not found.raises_autonomy
    assert found.text() == "Version 2 does the same as version 1.\n"


@pytest.mark.parametrize(
    ("before", "after", "key", "effect", "raises"),
    [
        ("template: auto", "template: approval", "template", Effect.TIGHTENS, False),
        ("template: approval", "template: auto", "template", Effect.LOOSENS, True),
        ("template: approval", "template: verify_after", "template", Effect.LOOSENS, True),
        ("template: approval", "template: triage", "template", Effect.LOOSENS, False),
        ("per_hour: 50", "per_hour: 60", "caps.per_hour", Effect.LOOSENS, True),
        ("per_hour: 50", "per_hour: 40", "caps.per_hour", Effect.TIGHTENS, False),
        (', amount_per_day: "100"', "", "caps.amount_per_day", Effect.LOOSENS, True),
        ("record: 2d", "record: 3d", "freshness.record", Effect.LOOSENS, True),
        ("required: [request]", "required: []", "required", Effect.LOOSENS, True),
        ("required: [request]", "required: [request, output]", "required", Effect.TIGHTENS, False),
        ("required_evidence: {record: 1}", "required_evidence: {record: 2}", "required_evidence.record", Effect.TIGHTENS, False),
        ("action_types: [note.file]", "action_types: []", "action_types", Effect.LOOSENS, True),
        ("action_types: [note.file]", "action_types: [note.file, note.drop]", "action_types", Effect.LOOSENS, True),
        ("{note.file: {type: object}}", "{note.file: {type: array}}", "action_schemas.note.file", Effect.LOOSENS, True),
        ("share: 0.5", "share: 0.6", "models.scribe 1.share", Effect.LOOSENS, True),
        ("forbidden: [guarantee]", "forbidden: []", "checks.forbidden", Effect.LOOSENS, True),
        ("lasts: 1h", "lasts: 2h", "clocks", Effect.NEUTRAL, False),
        ("product: P", "product: Q", "accountability.product", Effect.NEUTRAL, False),
        ("roles: {supervisor: [frontline]}", "roles: {supervisor: [frontline, experts]}", "roles.supervisor", Effect.LOOSENS, True),
        ("owners: [U0OWNER]", "owners: [U0OTHER]", "owners", Effect.LOOSENS, True),
        ("above: 0.15", "above: 0.10", "breakers.override_rate", Effect.LOOSENS, True),
    ],
)
def test_each_key_says_what_it_does(before: str, after: str, key: str, effect: Effect, raises: bool) -> None:
    """Looser, tighter or neither, and whether the model may then do more by itself."""
    found = only((before, after))
    assert (found.key, found.effect, found.raises) == (key, effect, raises)


def test_a_default_shows_under_each_workflow_that_follows_it() -> None:
    """Effective workflows are compared: a lower rate of sampling loosens each, and the whole proposal lets the model do more."""
    found = diff(a_policy(), a_policy(("sampling: {rate: 0.1}", "sampling: {rate: 0.02}")))
    assert [(one.workflow, one.key, one.before, one.after) for one in found.items] == [
        ("notes", "sampling.rate", "0.1", "0.02"),
        ("refunds", "sampling.rate", "0.1", "0.02"),
    ]
    assert found.raises_autonomy
    assert "share of automatic approvals that people check (sampling.rate): 0.1 → 0.02" in found.text()


def test_what_a_workflow_uses_belongs_to_it() -> None:
    """A group, a calendar and a tier's time show under every workflow on that ladder; a group nobody uses shows nowhere. Who is in
    a group that has a role shows once, for the whole policy.
    """
    changed = diff(
        a_policy(),
        a_policy(
            ("usergroup: review-frontline", "usergroup: review-other"),
            ('hours: "09:00-18:00"', 'hours: "09:00-17:00"'),
            ("decide: 4h", "decide: 2h"),
            ("users: [U0SECOND]", "users: [U0THIRD]"),
        ),
    )
    assert changed.workflows == ("notes", "refunds")
    assert {one.key for one in changed.items} == {"groups.frontline", "calendars.office", "ladder.tiers.1.decide", "roles.supervisor"}
    assert next(one for one in changed.items if one.key.endswith("decide")).text.endswith("4h → 2h")


def test_a_secret_differs_without_being_shown() -> None:
    """Another routing key is a difference; neither key stands in it."""
    found = diff(a_policy(), a_policy(key="R0OTHER"))
    assert {one.key for one in found.items} == {"ladder.tiers.2.pagerduty.routing_key"}
    assert "R0" not in found.text()
    assert "R0" not in str(found.json())


def test_rules_are_compared_by_name() -> None:
    """Gone or with another condition: the model may do more. Added: it cannot. Lower demands show; another order is neutral."""
    medium = '      - {name: medium, when: "has(risk.amount) && double(risk.amount) > 100.0", lane: specialist, reason: "Over 100."}\n'
    gone = only((medium, ""))
    assert (gone.key, gone.effect, gone.raises) == ("rules.medium", Effect.LOOSENS, True)
    assert gone.before == "specialist when has(risk.amount) && double(risk.amount) > 100.0"
    other = only(("> 1000.0", "> 2000.0"))
    assert (other.key, other.raises) == ("rules.large.when", True)
    lower = only(("lane: expert, template: dual", "lane: review, template: dual"))
    assert (lower.key, lower.effect, lower.raises) == ("rules.large.lane", Effect.LOOSENS, True)
    higher = only(("lane: specialist", "lane: expert"))
    assert (higher.key, higher.effect, higher.raises) == ("rules.medium.lane", Effect.TIGHTENS, False)
    weaker = only(("template: dual", "template: approval"))
    assert (weaker.key, weaker.raises) == ("rules.large.template", True)
    added = diff(a_policy(("name: medium", "name: small")), a_policy(("name: medium", "name: small"), ("name: large", "name: huge")))
    assert [(one.key, one.effect) for one in added.items] == [("rules.large", Effect.LOOSENS), ("rules.huge", Effect.TIGHTENS)]
    document = yaml.safe_load(TEXT)
    document["workflows"]["refunds"]["rules"].reverse()
    turned = diff(a_policy(), load_policy(yaml.safe_dump(document).encode(), {"PD": "R0KEY"})).items
    assert [(one.key, one.effect, one.raises) for one in turned] == [("rules", Effect.NEUTRAL, False)]


def test_a_new_workflow_raises_only_where_the_model_acts_first() -> None:
    """One in which people decide is neutral; one that is gone tightens."""
    with_people = "  refunds:\n    ladder: standard\n    template: approval"
    document = yaml.safe_load(TEXT)
    for template, raises in (("approval", False), ("auto", True), ("verify_after", True)):
        document["workflows"]["more"] = {"ladder": "standard", "template": template}
        found = diff(a_policy(), load_policy(yaml.safe_dump(document).encode(), {"PD": "R0KEY"}))
        assert (found.raises_autonomy, found.workflows) == (raises, ("more",))
    assert with_people in TEXT
    back = diff(load_policy(yaml.safe_dump(document).encode(), {"PD": "R0KEY"}), a_policy())
    assert [(one.workflow, one.effect) for one in back.items] == [("more", Effect.TIGHTENS)]


def test_a_version_that_joins_those_known_gains_authority() -> None:
    """Naming the first version takes authority from all others; naming a second gives it some; dropping the list frees all."""
    known = 'models: [{name: scribe, version: "1", share: 0.5}]'
    both = 'models: [{name: scribe, version: "1", share: 0.5}, {name: scribe, version: "2"}]'
    named = {one.key: one for one in diff(a_policy(), a_policy((known, both))).items}
    assert named["models"].raises
    fewer = {one.key: one for one in diff(a_policy((known, both)), a_policy()).items}
    assert (fewer["models"].effect, fewer["models"].raises) == (Effect.TIGHTENS, False)
    first = {one.key: one for one in diff(a_policy((known, "models: []")), a_policy()).items}
    assert (first["models"].effect, first["models"].raises) == (Effect.TIGHTENS, False)
    none = {one.key: one for one in diff(a_policy(), a_policy((known, "models: []"))).items}
    assert none["models"].raises


def test_every_key_of_the_form_is_judged_or_known_to_be_a_raise() -> None:
    """A key that is added to the form and forgotten in the list fails here; until then it counts as a raise."""
    policy = a_policy()
    keys = set(_whole(policy)) | {key for name, flow in policy.workflows.items() for key in _leaves(policy, name, flow)}
    assert {key for key in keys if row_of(key) is None} == {"router", "confidence", "owners", "breakers.override_rate"}
    assert all(words_of(key) for key in keys)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{usergroup: review-frontline}", "{users: [U0EVE]}"),
        ("{users: [U0SENIOR]}", "{users: [U0SENIOR, U0EVE]}"),
    ],
)
def test_whoever_joins_a_group_with_a_role_gains_authority(before: str, after: str) -> None:
    """The role names the group as ever; who is in it decides about brakes and policies, so that takes two people."""
    roles = ("roles: {supervisor: [frontline]}", "roles: {supervisor: [frontline, experts]}")
    found = diff(a_policy(roles), a_policy(roles, (before, after)))
    assert [one.key for one in found.items if one.raises] == ["roles.supervisor"]


def test_who_owns_the_policy_is_never_judged() -> None:
    """Fewer owners may be none, and then nobody can stand in the way."""
    owned = ("roles: {supervisor: [frontline]}", "roles: {policy_owner: [frontline, experts]}")
    fewer = ("roles: {supervisor: [frontline]}", "roles: {policy_owner: [frontline]}")
    assert diff(a_policy(owned), a_policy(fewer)).raises_autonomy


def test_a_limit_of_nothing_is_a_limit() -> None:
    """A breaker that trips above 0 and one that trips below 0 are not the same: the second never trips."""
    text = "breakers: [{name: override_rate, measure: override_rate, above: 0.15}]"
    zero = "breakers: [{name: override_rate, measure: override_rate, %s: 0}]"
    assert diff(a_policy((text, zero % "above")), a_policy((text, zero % "below"))).raises_autonomy


def test_no_two_model_versions_read_alike() -> None:
    """Version `1 b` with any prompt is not version `1` with the prompt `b`."""
    old = 'models: [{name: scribe, version: "1", share: 0.5}]'
    one, other = 'models: [{name: scribe, version: "1 b"}]', 'models: [{name: scribe, version: "1", prompt_version: b}]'
    assert diff(a_policy((old, other)), a_policy((old, one))).raises_autonomy


def test_a_flag_that_no_longer_asks_for_a_specialist_may_let_the_model_act() -> None:
    """It may be among the harmless ones as well; and an exception waives what is unknown, never what asks for a specialist."""
    here = "    template: approval\n"
    flags = here + "    flags: {specialist: [vip], harmless: [vip]}\n"
    assert diff(a_policy((here, flags)), a_policy((here, flags.replace("specialist: [vip]", "specialist: []")))).raises_autonomy


BREAK_GLASS = "channels: {operations: ops}\nbreak_glass: {group: frontline, supervisors: experts, most: 3}\nroles:"


@pytest.mark.parametrize(
    ("before", "after", "key", "effect"),
    [
        ("most: 3", "most: 4", "most", Effect.LOOSENS),
        ("most: 3", "most: 2", "most", Effect.TIGHTENS),
        ("most: 3", "most: 3, within: 9h", "within", Effect.LOOSENS),
        ("most: 3", "most: 3, within: 1h", "within", Effect.TIGHTENS),
        ("most: 3", "most: 3, per: 2d", "per", Effect.TIGHTENS),
        ("most: 3", "most: 3, per: 1h", "per", Effect.LOOSENS),
        ("most: 3", "most: 3, review_within: 9d", "review_within", Effect.LOOSENS),
        ("most: 3", "most: 3, review_within: 1d", "review_within", Effect.TIGHTENS),
        ("{group: frontline", "{group: second", "group", Effect.LOOSENS),
        ("supervisors: experts", "supervisors: second", "supervisors", Effect.LOOSENS),
    ],
)
def test_what_break_glass_allows_loosens(before: str, after: str, key: str, effect: Effect) -> None:
    """Who may, how often, how long, and until when it is reviewed; that the key is there at all says one line."""
    named = ("roles:", BREAK_GLASS)
    [found] = diff(a_policy(named), a_policy(named, (before, after))).items
    assert (found.key, found.effect, found.raises) == (f"break_glass.{key}", effect, False)
    without = ("roles:", "channels: {operations: ops}\nroles:")
    for old, new, expected in ((without, named, Effect.LOOSENS), (named, without, Effect.TIGHTENS)):
        [whole] = diff(a_policy(old), a_policy(new)).items
        assert (whole.key, whole.effect) == ("break_glass", expected)


NAMED = "postmortems: {owner: U0OWNER, of: [alert, stop], within: 7d, risk: medium}\nroles:"


@pytest.mark.parametrize(
    ("before", "after", "key", "effect"),
    [
        ("of: [alert, stop]", "of: [alert]", "of", Effect.LOOSENS),
        ("of: [alert, stop]", "of: [alert, stop, exhausted]", "of", Effect.TIGHTENS),
        ("within: 7d", "within: 8d", "within", Effect.LOOSENS),
        ("within: 7d", "within: 1d", "within", Effect.TIGHTENS),
        ("risk: medium", "risk: critical", "risk", Effect.LOOSENS),
        ("risk: medium", "risk: low", "risk", Effect.TIGHTENS),
        ("owner: U0OWNER", "owner: U0OTHER", "owner", Effect.NEUTRAL),
    ],
)
def test_fewer_postmortems_loosen(before: str, after: str, key: str, effect: Effect) -> None:
    """What calls for one, and until when it is due; whether there are any is said once."""
    named = ("roles:", NAMED)
    [found] = diff(a_policy(named), a_policy(named, (before, after))).items
    assert (found.key, found.effect, found.raises) == (f"postmortems.{key}", effect, False)
    assert {one.effect for one in diff(a_policy(), a_policy(named)).items} == {Effect.TIGHTENS}
    assert {one.effect for one in diff(a_policy(named), a_policy()).items} == {Effect.LOOSENS}
