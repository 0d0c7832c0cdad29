"""A policy file is right, or every mistake in it is named with its line."""

from contextlib import suppress
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.errors import PolicyError
from routing.policy_file import load_policy, policy_schema
from routing.vocabulary import Lane, Template

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
    template: triage
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
        "/workflows/refunds/template": (14, 'the template "triage" is not there yet; use auto, approval, dual or expert'),
        "/workflows/refunds/required/1": (15, 'a case has no "model.confidnce"; did you mean "confidence"?'),
        "/workflows/refunds/thresholds": (16, "review (0.75) is above auto (0.5)"),
        "/workflows/refunds/rules/0/when": (18, 'there is no "rsk.amount"; did you mean "risk.amount"? (at column 4)'),
        "/workflows/refunds/rules/0/lane": (18, "expected 'review', 'specialist', 'expert', 'reject' or 'stop'"),
        "/workflows/refunds/rules/0/reason": (18, "string should have at least 1 character"),
        "/workflows/refunds/rules/1": (19, "expected a lane, a template or both"),
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
    text = (Path(__file__).parents[2] / "examples" / name).read_bytes()
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


DAMAGES = ["", "{", "]", ": ", "- ", "'", '"', "&a ", "*a", "!!x ", "null", "1e9", "<<: ", "\t", "${X}", "~", "[[]]", "💥", "\0"]
LINES = LEAST.decode().splitlines()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_text_does_worse_than_a_policy_error(data: st.DataObject) -> None:
    """However a file is damaged, it loads or names its problems."""
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 4))):
        index = data.draw(st.integers(0, len(lines) - 1))
        at = data.draw(st.integers(0, len(lines[index])))
        damage = data.draw(st.sampled_from(DAMAGES))
        lines[index] = lines[index][:at] + damage + lines[index][at + data.draw(st.integers(0, 6)) :]
    with suppress(PolicyError):
        load_policy("\n".join(lines).encode(), ENVIRONMENT)


KEYS = st.sampled_from(["tiers", "standard", "refunds", "rules", "when", "thresholds", "auto", "dual", "x"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
)
PARTS = ("groups", "calendars", "ladders", "workflows", "defaults", "clocks", "risk", "priority", "version", "owners")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PARTS), VALUES)
def test_no_value_in_any_place_does_worse_than_a_policy_error(key: str, value: object) -> None:
    """The checks across keys survive any value where a mapping or a list belongs."""
    with pytest.raises(PolicyError):
        load_policy(yaml.safe_dump({**yaml.safe_load(LEAST), key: value, "x": 1}).encode(), ENVIRONMENT)
