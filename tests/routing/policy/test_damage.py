"""However a policy text is damaged, it loads or names its problems: no text does worse than a clear error."""

from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from routing.case.facts import Facts
from routing.errors import PolicyError
from routing.evaluation.route import route
from routing.policy.file import load_policy
from tests.examples_drawn import examples
from tests.routing.low_risk import NOW, a_submission
from tests.routing.policy.test_file import ENVIRONMENT, LEAST

FULL = b"""
version: "15"
changes: "every part of a policy once"
roles: {supervisor: [experts], admin: [experts]}
channels: {operations: ops, owners: owners}
incidents: {routing_key: k}
breakers: [{name: slow, measure: review_latency, above: 3600, workflows: [summaries]}]
groups: {frontline: {users: [U0FRONT], skills: [tax]}, experts: {usergroup: experts}}
calendars: {office: {timezone: UTC, hours: "09:00-17:00"}}
ladders:
  standard:
    tiers:
      - {channel: tier1, group: frontline, calendar: office, queues: [{channel: desk, group: experts}]}
      - {channel: tier2, group: experts}
clocks: [{clock: hold, lasts: 4h}, {preset: dual-2h-4h}]
defaults:
  router: by-risk-score
  freshness: {record: 1d}
  sensitive: {paths: [action.params.iban], reveal: [experts]}
  checks: {forbidden: [guarantee], entity: [action.params.customer]}
  checklist: {items: {facts: "The facts are right."}}
workflows:
  summaries:
    ladder: standard
    template: triage
    triage: {group: frontline}
    skills: [tax]
    models: [{name: m, version: "1", share: 0.5}]
    caps: {per_hour: 5, amount_per_day: "10.00"}
    sampling: {rate: 0.2}
    action_types: [ticket.summarize]
    action_schemas: {ticket.summarize: {type: object, properties: {iban: {type: string}}, $defs: {x: {$ref: "#/properties/iban"}}}}
    required_evidence: {record: 1}
    rules: [{name: one, when: "has(risk.amount)", lane: review, skills: [tax], reason: "There is an amount."}]
    examples: [{name: plain, case: {title: x}, lane: review, reasons: [template_people]}]
risk: {possible_from: 0.3}
priority: {expected: 50}
"""
DAMAGES = ["", "{", "]", ": ", "- ", "'", '"', "&a ", "*a", "!!x ", "null", "1e9", "<<: ", "\t", "${X}", "~", "[[]]", "💥", "\0"]
LINES = LEAST.decode().splitlines()


@settings(max_examples=examples(150))
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


@settings(max_examples=examples(150))
@given(st.sampled_from(PARTS), VALUES)
def test_no_value_in_any_place_does_worse_than_a_policy_error(key: str, value: object) -> None:
    """The checks across keys survive any value where a mapping or a list belongs."""
    with pytest.raises(PolicyError):
        load_policy(yaml.safe_dump({**yaml.safe_load(LEAST), key: value, "x": 1}).encode(), ENVIRONMENT)


def places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path of every value in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in inner for place in places(part, (*path, key)))]


DOCUMENT: dict[str, Any] = yaml.safe_load(FULL)
PLACES = places(DOCUMENT)[1:]
TEXTS = ["", "x", "tax", "nobody", "#/", "http://[", "${X}", "9" * 400, "\ud7ff"]
ODD = st.sampled_from([*TEXTS, -1, 0, 10**30, 1e308, float("nan"), True, None])
INTO = st.sampled_from(["template", "group", "$ref", "reveal", "lane", "when", "tiers", "name", "x"])


@settings(max_examples=examples(150))
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(["rename", "drop", "replace", "swap"]), ODD | VALUES, INTO), max_size=3))
def test_no_change_to_a_full_policy_does_worse_than_a_policy_error(changes: list[tuple[Any, str, object, str]]) -> None:
    """Rename, drop, replace or swap any part of a policy that uses every key: it loads and routes, or is refused."""
    document = yaml.safe_load(FULL)
    for place, what, value, name in changes:
        at: Any = document
        for part in place[:-1]:
            at = at[part] if isinstance(at, dict) and part in at else at[0] if isinstance(at, list) and at else {}
        if not isinstance(at, dict) or place[-1] not in at:
            continue
        taken = at.pop(place[-1])
        if what == "rename":
            at[name] = taken
        elif what == "replace":
            at[place[-1]] = value
        elif what == "swap":
            at[place[-1]] = document.get("groups")
    text = yaml.safe_dump(document, allow_unicode=True).encode("utf-8", "surrogatepass")
    with suppress(PolicyError):
        policy = load_policy(text, ENVIRONMENT)
        for workflow in policy.workflows:
            chosen = route(policy, a_submission(workflow=workflow), Facts(), NOW)
            assert "routing_error" not in {reason.code for reason in chosen.reasons}


def test_the_full_policy_loads() -> None:
    """Else the damage done to it would prove nothing."""
    assert load_policy(FULL, ENVIRONMENT).workflow("summaries") is not None


@settings(max_examples=examples(200))
@given(st.binary(max_size=200), st.integers(0, len(FULL)), st.integers(0, 40))
@example(b"\xff\xfe", 0, 0)
def test_no_bytes_in_a_policy_do_worse_than_a_policy_error(noise: bytes, at: int, over: int) -> None:
    """Random bytes over any part of the file."""
    with suppress(PolicyError):
        load_policy(FULL[:at] + noise + FULL[at + over :], ENVIRONMENT)


@pytest.mark.parametrize(
    "schema",
    [
        '{$ref: "#"}',
        '{$ref: "http://["}',
        '{$ref: "https://example.com/schema.json"}',
        '{$ref: "#/$defs/none"}',
        '{allOf: [{$ref: "#"}]}',
        '{$ref: "#/$defs/a", $defs: {a: {$ref: "#/$defs/b"}, b: {$ref: "#/$defs/a"}}}',
        "{type: objct}",
        '{pattern: "("}',
        '{patternProperties: {"[": {}}}',
        "{properties: []}",
        "{$ref: 5}",
        '{$dynamicRef: "#nowhere"}',
        '{properties: {a: {$anchor: "x y"}}}',
        "{multipleOf: 0}",
    ],
)
def test_a_schema_that_is_none_is_a_problem_with_its_place(schema: str) -> None:
    """Whatever is wrong with it is found when the policy is read, not when the first case comes."""
    text = LEAST + b"    action_schemas: {refund.create: " + schema.encode() + b"}\n"
    with pytest.raises(PolicyError) as refused:
        load_policy(text, ENVIRONMENT)
    assert [problem.pointer.split("/")[:4] for problem in refused.value.problems] == [["", "workflows", "refunds", "action_schemas"]]
    assert refused.value.problems[0].line == 21
