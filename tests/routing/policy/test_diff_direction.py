"""What `policy diff` calls tighter never gives a case less review: pairs of policies that differ in one key, held against their routes."""

import copy
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.case.case import Route
from routing.case.facts import Facts
from routing.case.submission import read_submission
from routing.evaluation.route import route
from routing.policy.diff import diff
from routing.policy.effect import Effect
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from routing.vocabulary import Lane, Risk
from tests.examples_drawn import examples
from tests.routing.factory import NOON

BASE: dict[str, Any] = {
    "version": "1",
    "changes": "x",
    "groups": {"front": {"users": ["U01"]}, "seniors": {"users": ["U02"]}},
    "ladders": {
        "standard": {
            "tiers": [{"channel": "a", "group": "front"}, {"channel": "b", "group": "seniors"}, {"channel": "c", "group": "seniors"}]
        }
    },
    "workflows": {"w": {"ladder": "standard", "template": "auto", "requester": "optional", "sampling": {"rate": 0.5}}},
}
UNIT = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.6, 0.75, 0.8, 0.9, 0.95, 1.0])
FLAGS = st.lists(st.sampled_from(["hr", "new", "public", "odd", "regulated"]), max_size=3, unique=True)
TEMPLATES = st.sampled_from(["auto", "verify_after", "triage", "approval", "dual", "expert"])
LIMIT = st.sampled_from([0, 1, 5, 50, 500])
CONDITIONS = st.builds(
    "{} {} {}".format,
    st.sampled_from(["action.params.n", "double(risk.amount)"]),
    st.sampled_from(["<", ">", "<=", ">="]),
    LIMIT.map(float),
)
KEYS: dict[str, st.SearchStrategy[Any]] = {
    **{
        f"thresholds.{name}": UNIT
        for name in ("auto", "review", "retrieval_quality", "risk_score", "risk_score_stop", "blast_radius", "blast_radius_stop")
    },
    **{f"start.{lane}": st.sampled_from([1, 2, 3, "last"]) for lane in ("review", "specialist", "expert", "stop")},
    **{f"flags.{name}": FLAGS for name in ("never_auto", "specialist", "prohibited")},
    "flags.harmless": st.lists(st.sampled_from(["odd", "new"]), max_size=2, unique=True),
    "template": TEMPLATES,
    "autonomy": st.sampled_from(["informational", "human_assisted", "human_approved", "human_executed"]),
    "expert.people": st.integers(1, 3),
    "required": st.lists(st.sampled_from(["request", "model.confidence", "risk.score"]), max_size=2, unique=True),
    "required_evidence": st.dictionaries(st.sampled_from(["record", "quote"]), st.integers(1, 2), max_size=2),
    "action_types": st.lists(st.sampled_from(["a.b", "c.d"]), max_size=2, unique=True),
    "sampling.rate": UNIT,
    "sampling.uncertain": UNIT,
    "sampling.novelty": UNIT,
    "caps.per_hour": st.none() | st.integers(1, 9),
    "caps.amount_per_day": st.none() | st.sampled_from(["1", "10", "5000", "10000"]),
    "checks.forbidden": st.lists(st.sampled_from(["never", "stop"]), max_size=2, unique=True),
    "checks.required": st.lists(st.sampled_from(["regards", "stop"]), max_size=2, unique=True),
    "checks.citations": st.integers(0, 2),
    "checks.entity": st.lists(st.sampled_from(["action.params.id", "action.params.n"]), max_size=2, unique=True),
    "checks.heuristics": st.booleans(),
    "freshness": st.dictionaries(st.sampled_from(["record", "quote"]), st.sampled_from(["1h", "2d"]), max_size=2),
    "models": st.lists(
        st.sampled_from([{"name": "m", "version": "1"}, {"name": "m", "version": "1", "share": 0.3}, {"name": "m", "version": "2"}]),
        max_size=1,
    ),
    "requester": st.sampled_from(["optional", "required"]),
    "rules": st.lists(
        st.fixed_dictionaries(
            {"name": st.sampled_from(["r", "s"]), "when": CONDITIONS, "reason": st.just("x")},
            optional={"template": st.sampled_from(["approval", "dual", "expert"])},
        ).flatmap(lambda rule: st.sampled_from(["review", "specialist", "expert"]).map(lambda lane: rule | {"lane": lane})),
        max_size=2,
        unique_by=lambda rule: str(rule["name"]),
    ),
    "checklist.steps": st.lists(st.sampled_from(["verify", "approve", "check", "triage"]), max_size=3, unique=True),
    "duplicates.tie": st.booleans(),
}
CASES = st.fixed_dictionaries(
    {
        "workflow": st.just("w"),
        "task_id": st.just("t"),
        "title": st.just("t"),
        "action": st.fixed_dictionaries(
            {
                "type": st.sampled_from(["a.b", "c.d"]),
                "params": st.fixed_dictionaries({"n": LIMIT, "id": st.just("s-1")}),
                "reversible": st.just(True),
            }
        ),
        "output": st.sampled_from(["Kind regards, this is the answer [e1].", "We never do that.", "ok"]),
        "model": st.fixed_dictionaries(
            {"name": st.just("m"), "version": st.sampled_from(["1", "2"])}, optional={"confidence": UNIT, "retrieval_quality": UNIT}
        ),
        "risk": st.fixed_dictionaries(
            {"impact": st.sampled_from([one.value for one in Risk]), "likelihood": UNIT},
            optional={
                "amount": st.sampled_from(["0", "5.00", "700"]),
                "flags": FLAGS,
                "score": UNIT,
                "blast_radius": UNIT,
                "novelty": UNIT,
            },
        ),
        "subject": st.just({"id": "s-1"}),
    },
    optional={
        "request": st.just("please"),
        "evidence": st.just([{"id": "e1", "kind": "record", "updated_at": "2026-11-20T09:00:00Z"}]),
        "requester": st.just({"slack_id": "U012"}),
    },
)


def with_key(base: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    """The policy with another value of one key of its workflow."""
    made = copy.deepcopy(base)
    at = made["workflows"]["w"]
    *around, last = key.split(".")
    for part in around:
        at = at.setdefault(part, {})
    if value is None:
        at.pop(last, None)
    else:
        at[last] = value
    return made


def loaded(policy: dict[str, Any]) -> Policy:
    """The policy, read from its text."""
    return load_policy(yaml.safe_dump(policy).encode(), {})


def review(chosen: Route) -> dict[str, int]:
    """How much review a route asks for, each figure to be compared with itself; what is rejected is let through by nobody."""
    rejected = chosen.lane is Lane.REJECT
    return {
        "lane": chosen.lane.severity,
        "people": 99 if rejected else sum(step.people for step in chosen.steps),
        "tier": 99 if rejected else chosen.start if chosen.steps else 0,
        "missing": len(chosen.missing),
        "checked": bool(chosen.sampled) or chosen.lane is not Lane.AUTO,
        "items": 99 if rejected else sum(len(step.checklist) for step in chosen.steps),
    }


@pytest.mark.parametrize("key", KEYS)
@settings(max_examples=examples(8), deadline=None)
@given(data=st.data())
def test_no_case_gets_less_review_by_what_is_called_tighter(key: str, data: st.DataObject) -> None:
    """And none gets any other by what is called neither."""
    base = with_key(BASE, "template", data.draw(TEMPLATES)) if key not in ("template", "rules") else BASE
    policies = [with_key(base, key, data.draw(KEYS[key])) for _ in range(2)]
    try:
        old, new = map(loaded, policies)
    except ValueError:
        return  # thresholds in the wrong order
    effects = {one.effect for one in diff(old, new).items}
    if Effect.LOOSENS in effects:
        return
    facts = Facts(lot=data.draw(UNIT), autos_hour=data.draw(st.integers(0, 9)), amount_day="8")
    for document in data.draw(st.lists(CASES, min_size=3, max_size=3)):
        case = read_submission(document)
        before, after = (review(route(policy, case, facts, NOON)) for policy in (old, new))
        less = {name for name in before if after[name] < before[name]}
        assert not less, (key, diff(old, new).text(), document)
        if effects <= {Effect.NEUTRAL}:
            assert after == before


def test_a_cut_limit_is_no_loosening() -> None:
    """10,000 → 5,000 in a cap and in a rule tightens; the other way round it loosens, and lets the model do more."""
    rule = [{"name": "r", "when": "has(risk.amount) && double(risk.amount) > 10000.0", "lane": "expert", "reason": "x"}]
    cut = [{**rule[0], "when": "has(risk.amount) && double(risk.amount) > 5000.0"}]
    for key, high, low in (("caps.amount_per_day", "10000", "5000"), ("rules", rule, cut)):
        old, new = (loaded(with_key(BASE, key, value)) for value in (high, low))
        assert [(one.effect, one.raises) for one in diff(old, new).items] == [(Effect.TIGHTENS, False)]
        assert [(one.effect, one.raises) for one in diff(new, old).items] == [(Effect.LOOSENS, True)]
