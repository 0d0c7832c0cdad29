"""A policy file is right, or every mistake in it is named with its line."""

import jsonschema
import pytest
import yaml

from routing.errors import PolicyError
from routing.policy.file import load_policy, policy_schema
from routing.vocabulary import Lane, Template
from tests.checkout import EXAMPLES

ENVIRONMENT = {"PD_TIER2": "R0UT1NGKEY"}
LEAST = b"""
version: "2026-11-20.1"                          # policy.yml, the least that runs; every further key has a default
changes: "first policy"
groups:    {frontline: {usergroup: review-frontline}, experts: {users: [U012AB3CD]}}
calendars: {office: {timezone: Europe/Berlin, days: mon-fri, hours: "09:00-18:00", holidays: DE-BE}}
ladders:
  standard:
    tiers:
      - {channel: review-tier1, group: frontline, owner: U01, backup: U02, ack: 15m, decide: 4h, calendar: office}
      - {channel: review-tier2, group: experts, owner: U03, backup: U04, ack: 15m, decide: 30m, pagerduty: {routing_key: "${PD_TIER2}", severity: warning}}
    exhausted: hold                              # hold | reject | quarantine
workflows:
  refunds:
    ladder: standard
    template: approval                           # auto | triage | approval | dual | expert | verify_after
    requester: optional
    required: [request, model.confidence]
    action_types: [refund.create]
    rules:                                       # CEL over: workflow, action, model, risk, context, evidence, checks, subject, labels, signals, now
      - {name: large, when: "has(risk.amount) && double(risk.amount) > 1000.0", lane: expert, reason: "The amount is over 1,000."}
"""  # noqa: E501  # the contract, word for word


LAYERS = [f"{name}: &{name} [{','.join([inner] * 9)}]" for name, inner in zip("abcdef", ("x", "*a", "*b", "*c", "*d", "*e"), strict=True)]
BILLION = "\n".join(LAYERS).encode()
"""Six lists of nine aliases each: half a million values in 150 bytes."""


def wrong(text: bytes) -> dict[str, tuple[int | None, str]]:
    """Pointer -> (line, message) of everything wrong with a file."""
    with pytest.raises(PolicyError) as refused:
        load_policy(text, ENVIRONMENT)
    return {problem.pointer: (problem.line, problem.message) for problem in refused.value.problems}


def test_the_least_policy_runs_and_keeps_its_secret_out_of_sight() -> None:
    """The contract's example loads word for word; the key from the environment is neither in its bytes nor its repr."""
    policy = load_policy(LEAST, ENVIRONMENT)
    assert policy.version == "2026-11-20.1"
    assert policy.routing_key("standard", 1) == "R0UT1NGKEY"
    assert [policy.routing_key("standard", index) for index in (-1, 0, 2)] == [None, None, None]
    assert policy.routing_key("other", 0) is None
    assert "R0UT1NGKEY" not in repr(policy)
    assert policy.text == LEAST
    refunds = policy.workflow("refunds")
    assert refunds is not None
    assert refunds.template is Template.APPROVAL
    assert policy.tiers["standard"][0].decide_s == 4 * 3_600
    assert policy.expressions["refunds"][0][0].lane is Lane.EXPERT
    assert policy.workflow("unknown") is None


def test_every_mistake_is_named_with_its_line() -> None:
    """A person repairs the file once, not once per mistake."""
    said = wrong(
        b"""\
version: 1
changs: x
groups: {frontline: {usergroup: a, users: [U01]}, experts: {}}
calendars: {office: {timezone: Europe/Berln, hours: 9-5}}
ladders:
  standard:
    tiers:
      - {channel: c, group: frontlin, ack: 15x, calendar: offce}
      - {channel: c, group: experts, pagerduty: {routing_key: "${NOPE}", severity: loud}}
    exhausted: approve
workflows:
  refunds:
    ladder: standrd
    template: trage
    required: [request, model.confidnce]
    thresholds: {auto: 0.5}
    rules:
      - {name: large, when: "rsk.amount > 1", lane: auto, reason: ""}
      - {name: large, when: "risk.amout == 'x'", reason: "x"}
      - {name: third, when: "risk.amount > 3", lane: expert, resaon: "x"}
  payouts: {ladder: standard, start: {expert: 7}, dual: {verify: nobody}, flags: {harmless: [financial]}}
""",
    )
    assert said == {
        "/version": (1, "expected text (put it in quotes)"),
        "/changes": (1, "is required"),
        "/changs": (2, 'unknown key; did you mean "changes"?'),
        "/groups/frontline": (3, "expected either usergroup or users"),
        "/groups/experts": (3, "expected either usergroup or users"),
        "/calendars/office/timezone": (4, 'no time zone "Europe/Berln"; did you mean "Europe/Berlin"?'),
        "/calendars/office/hours": (4, 'expected hours like 09:00-18:00, found "9-5"'),
        "/ladders/standard/tiers/0/group": (8, 'there is no "frontlin" among the groups; did you mean "frontline"?'),
        "/ladders/standard/tiers/0/ack": (8, "expected a duration like 30s, 15m, 4h or 2d"),
        "/ladders/standard/tiers/0/calendar": (8, 'there is no "offce" among the calendars; did you mean "office"?'),
        "/ladders/standard/tiers/1/pagerduty/routing_key": (9, "${NOPE} is not set in the environment"),
        "/ladders/standard/tiers/1/pagerduty/severity": (9, "expected 'info', 'warning', 'error' or 'critical'"),
        "/ladders/standard/exhausted": (10, "expected 'hold', 'reject' or 'quarantine'"),
        "/workflows/refunds/ladder": (13, 'there is no "standrd" among the ladders; did you mean "standard"?'),
        "/workflows/refunds/template": (
            14,
            "expected 'auto', 'triage', 'approval', 'dual', 'expert' or 'verify_after'; did you mean \"triage\"?",
        ),
        "/workflows/refunds/required/1": (15, 'a case has no "model.confidnce"; did you mean "confidence"?'),
        "/workflows/refunds/thresholds": (16, "review (0.75) is above auto (0.5)"),
        "/workflows/refunds/rules/0/when": (18, 'there is no "rsk.amount"; did you mean "risk.amount"? (at column 4)'),
        "/workflows/refunds/rules/0/lane": (18, "expected 'review', 'specialist', 'expert', 'reject' or 'stop'"),
        "/workflows/refunds/rules/0/reason": (18, "string should have at least 1 character"),
        "/workflows/refunds/rules/1": (19, "expected a lane, a template or skills"),
        "/workflows/refunds/rules/1/name": (19, 'another rule is called "large"'),
        "/workflows/refunds/rules/1/when": (19, 'there is no "risk.amout"; did you mean "risk.amount"? (at column 5)'),
        "/workflows/refunds/rules/2/reason": (20, "is required"),
        "/workflows/refunds/rules/2/resaon": (20, 'unknown key; did you mean "reason"?'),
        "/workflows/refunds/rules/2/when": (20, "found no matching overload for '_>_' applied to '(string, int)' (at column 13)"),
        "/workflows/payouts/start/expert": (21, "the ladder has 2 tiers"),
        "/workflows/payouts/dual/verify": (21, 'there is no "nobody" among the groups; known: experts, frontline'),
        "/workflows/payouts/flags/harmless/0": (21, '"financial" is never harmless'),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "expected a mapping"),
        (b"[1]", "expected a mapping"),
        (b"a: [", "not YAML"),
        (b"a: *nobody", "undefined alias"),
        (b"&a [*a]", "alias inside itself"),
        (b"a: &b {c: *b}", "alias inside itself"),
        (b"\xff", "not YAML"),
        (b"!!python/object/apply:os.system [x]", "is not allowed"),
        (b"a: !!binary aGk=", "is not allowed"),
        (b"a: 1\na: 2", "twice"),
        (b"{? [1]: 2}", "a key is text"),
        (b"a: 1\n---\nb: 2", "another document"),
        (b'a: "\\0"', "NUL"),
        (b"[" * 5_000, "levels deep"),
        (BILLION, "too large"),
        (b"a: &a " + b"x" * 900_000 + b"\nb: [*a, *a, *a, *a, *a]", "too large"),
        (b"#" * (1 << 20) + b"#", "larger than"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_policy_says_so(text: bytes, said: str) -> None:
    """Broken, hostile and enormous files get one sentence."""
    with pytest.raises(PolicyError) as refused:
        load_policy(text, {})
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("part", "pointer"),
    [
        (b"risk: {low: [high, low, low]}", "/risk"),
        (b"risk: {medium: [low, low, low], low: [low, low, high]}", "/risk"),
        (b"risk: {possible_from: 0.8}", "/risk"),
        (b"defaults: {start: {stop: 0}}", "/defaults/start/stop"),
        (b"defaults: {start: {stop: lst}}", "/defaults/start/stop"),
        (b"clocks: [{clock: hold, lasts: 0s}]", "/clocks/0/lasts"),
        (b"clocks: [{clock: hold, lasts: 1h}, {clock: hold, lasts: 900d}]", "/clocks/1/lasts"),
        (b"clocks: [{clock: hold}]", "/clocks/0"),
        (b"clocks: [{lasts: 1h}]", "/clocks/0"),
        (b"clocks: [{preset: dual-2h-4h, risk: high}]", "/clocks/0"),
        (b"clocks: [{preset: dual-2h}]", "/clocks/0/preset"),
        (b"clocks: [{clock: decide, lasts: 1h, lane: auto}]", "/clocks/0/lane"),
        (b"clocks: [{clock: decide, lasts: 1h, tier: 1}]", "/clocks/0/tier"),
        (b"defaults: {clocks: []}", "/defaults/clocks"),
        (b"defaults: {thresholds: {auto: 92}}", "/defaults/thresholds/auto"),
        (b"reason_codes: [Too Late]", "/reason_codes/0"),
        (b"owners: [somebody]", "/owners/0"),
        (b"activation: never", "/activation"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(part: bytes, pointer: str) -> None:
    """Above all a risk matrix in which more impact or likelihood gives less risk."""
    assert set(wrong(LEAST + part + b"\n")) == {pointer}


def test_anchors_and_merge_keys_work_and_yaml_one_one_has_no_surprises() -> None:
    """A tier written once can be used twice; `on` stays a word."""
    policy = load_policy(
        b"""
version: "1"
changes: on
groups: {all: {usergroup: everybody}}
tiers: &x 1
""".replace(b"tiers: &x 1\n", b"")
        + b"""
ladders:
  one: &one
    tiers: &tiers [&tier {channel: first, group: all, decide: 1h}, {<<: *tier, channel: second}]
  two: {<<: *one, exhausted: reject}
workflows: {w: {ladder: two}}
""",
        {},
    )
    assert policy.changes == "on"
    assert [(tier.channel, tier.decide_s) for tier in policy.tiers["two"]] == [("first", 3_600), ("second", 3_600)]


def test_defaults_fill_what_a_workflow_does_not_write() -> None:
    """Key by key: a workflow that changes one threshold keeps the policy's others."""
    policy = load_policy(
        LEAST + b"    thresholds: {auto: 0.99}\ndefaults: {thresholds: {review: 0.6}, expert: {people: 2}}\n",
        ENVIRONMENT,
    )
    refunds = policy.workflow("refunds")
    assert refunds is not None
    assert (refunds.thresholds.auto, refunds.thresholds.review, refunds.thresholds.blast_radius) == (0.99, 0.6, 0.3)
    assert (refunds.expert.group, refunds.expert.people) == (None, 2)


def test_thresholds_are_judged_together_with_the_defaults() -> None:
    """Neither half is wrong alone."""
    said = wrong(LEAST + b"    thresholds: {auto: 0.8}\ndefaults: {thresholds: {review: 0.85}}\n")
    assert said == {"/workflows/refunds/thresholds": (21, "review (0.85) is above auto (0.8)")}


def test_a_clock_that_cannot_run_as_written_is_named_with_its_line() -> None:
    """A misspelt clock, half a row, and business time that no tier of the ladder keeps, by row or by preset."""
    said = wrong(
        LEAST.replace(b", calendar: office", b"")
        + b"""    clocks:
      - {clock: decde, lasts: 1h}
      - {clock: decide, risk: hihg, lasts: 1x}
      - {clock: hold, lasts: 1h, time: business}
      - preset: business-5m
      - {clock: hold}
""",
    )
    assert said["/workflows/refunds/clocks/0/clock"][0] == 22
    assert 'did you mean "decide"?' in said["/workflows/refunds/clocks/0/clock"][1]
    assert 'did you mean "high"?' in said["/workflows/refunds/clocks/1/risk"][1]
    assert said["/workflows/refunds/clocks/1/lasts"] == (23, "expected a duration like 30s, 15m, 4h or 2d")
    unkept = 'counts business time, and no tier of the ladder "standard" has a calendar'
    assert said["/workflows/refunds/clocks/2"] == (24, unkept)
    assert said["/workflows/refunds/clocks/3"] == (25, unkept)
    assert said["/workflows/refunds/clocks/4"] == (26, "expected clock and lasts, or preset alone")
    assert len(said) == 6


@pytest.mark.parametrize("name", ["policy.yml", "airline.yml"])
def test_the_examples_load_and_satisfy_the_published_schema(name: str) -> None:
    """What we ship as an example is right, for the loader and for an editor."""
    text = (EXAMPLES / name).read_bytes()
    load_policy(text, {"PAGERDUTY_ROUTING_KEY": "k"}, name)
    jsonschema.Draft202012Validator.check_schema(policy_schema())
    jsonschema.validate(yaml.safe_load(text), policy_schema(), jsonschema.Draft202012Validator)


def test_an_editor_marks_what_the_loader_refuses() -> None:
    """The schema is strict about keys and durations."""
    document = yaml.safe_load(LEAST)
    jsonschema.validate(document, policy_schema())
    document["workflows"]["refunds"]["laddr"] = "standard"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, policy_schema())


def test_a_name_that_nothing_answers_to_is_found_wherever_it_stands() -> None:
    """Groups of roles, of those who see what is masked, of triage and of desks; workflows of breakers; skills, paths, reasons, versions."""
    said = wrong(
        LEAST.replace(b"backup: U02, ", b"backup: U02, queues: [{channel: c, group: expert}], ").replace(
            b"{users: [U012AB3CD]}", b"{users: [U012AB3CD], skills: [tax]}"
        )
        + b"""\
    triage: {group: frontlin}
    sensitive: {paths: [actoin.params], reveal: [expert]}
    checks: {entity: [subjct.id]}
    skills: [taxes]
    models: [{name: m, version: "1"}, {name: m, version: "1"}]
    action_schemas: {refund.creat: {type: object}}
    examples:
      - {name: one, case: {}, lane: auto, reasons: [money, confidence_lo]}
      - {name: one, case: {}, lane: atuo}
roles: {supervisor: [frontline, expret], suprvisor: [experts]}
breakers:
  - {name: slow, measure: review_latency, above: 1, workflows: [refund]}
  - {name: slow, measure: review_latncy, above: 1}
""",
    )
    no_lane = "expected 'auto', 'review', 'specialist', 'expert', 'reject' or 'stop'"
    no_type = "is not among the action_types"
    expected = {
        "/ladders/standard/tiers/0/queues/0/group": (9, 'there is no "expert" among the groups; did you mean "experts"?'),
        "/workflows/refunds/triage/group": (21, 'there is no "frontlin" among the groups; did you mean "frontline"?'),
        "/workflows/refunds/sensitive/paths/0": (22, 'a case has no "actoin.params"; did you mean "action"?'),
        "/workflows/refunds/sensitive/reveal/0": (22, 'there is no "expert" among the groups; did you mean "experts"?'),
        "/workflows/refunds/checks/entity/0": (23, 'a case has no "subjct.id"; did you mean "subject"?'),
        "/workflows/refunds/skills/0": (24, 'no group has the skill "taxes"; did you mean "tax"?'),
        "/workflows/refunds/models/1": (25, "this version stands here twice"),
        "/workflows/refunds/action_schemas/refund.creat": (26, f'"refund.creat" {no_type}; did you mean "refund.create"?'),
        "/workflows/refunds/examples/0/reasons/1": (28, 'there is no reason "confidence_lo"; did you mean "confidence_low"?'),
        "/workflows/refunds/examples/1/name": (29, 'another example is called "one"'),
        "/workflows/refunds/examples/1/lane": (29, f'{no_lane}; did you mean "auto"?'),
        "/roles/supervisor/1": (30, 'there is no "expret" among the groups; did you mean "experts"?'),
        "/breakers/0/workflows/0": (32, 'there is no "refund" among the workflows; did you mean "refunds"?'),
        "/breakers/1/name": (33, 'another breaker is called "slow"'),
    }
    assert {place: said.get(place) for place in expected} == expected
    assert 'did you mean "supervisor"?' in said["/roles/suprvisor"][1]
    assert 'did you mean "review_latency"?' in said["/breakers/1/measure"][1]
    assert len(said) == len(expected) + 2


def test_a_threshold_is_judged_with_the_figures_of_its_router() -> None:
    """By score 0.65 is above the router's own lower limit; by class it is below the default one."""
    assert load_policy(LEAST + b"    router: by-risk-score\n    thresholds: {auto: 0.65}\n", ENVIRONMENT).version
    assert set(wrong(LEAST + b"    thresholds: {auto: 0.65}\n")) == {"/workflows/refunds/thresholds"}


def test_break_glass_names_groups_that_are_there_and_a_place() -> None:
    """Two groups of the policy, and the channel where its supervisors are told."""
    said = wrong(LEAST + b"break_glass: {group: frontlin, supervisors: experts, most: 0}\n")
    assert set(said) == {"/break_glass", "/break_glass/group", "/break_glass/most"}
    assert "channels.operations" in said["/break_glass"][1]
    same = LEAST + b"channels: {operations: ops}\nbreak_glass: {group: frontline, supervisors: frontline}\n"
    assert set(wrong(same)) == {"/break_glass/supervisors"}
