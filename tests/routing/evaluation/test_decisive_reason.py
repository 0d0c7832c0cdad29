"""The first reason is one that decides: a figure is named first only where a better figure would have sent the case elsewhere."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.case.facts import Facts
from routing.evaluation.route import route
from routing.policy.form.form import HARD_FLAGS, PROHIBITED_FLAGS
from routing.signals import FIGURES
from routing.vocabulary import Lane
from tests.examples_drawn import examples
from tests.routing.evaluation.test_monotone import POLICY
from tests.routing.low_risk import NOW, a_submission

BEST = {"confidence": 1.0, "retrieval_quality": 1.0}
FIGURE = st.sampled_from([0.1, 0.5, 0.8, 0.95, 1.0])


@settings(max_examples=examples(150))
@given(
    workflow=st.sampled_from(sorted(POLICY.form.workflows)),
    flags=st.lists(st.sampled_from(sorted(HARD_FLAGS | PROHIBITED_FLAGS | {"odd"})), max_size=2, unique=True),
    amount=st.sampled_from([None, "5.00", "500.00", "5000.00"]),
    impact=st.sampled_from(["low", "medium", "high", "critical"]),
    reversible=st.booleans(),
    figures=st.fixed_dictionaries({}, optional={"confidence": FIGURE, "retrieval_quality": FIGURE}),
    risk=st.fixed_dictionaries({}, optional={"score": FIGURE, "blast_radius": FIGURE}),
    checks=st.lists(st.sampled_from(["pass", "warn", "fail"]), max_size=2),
)
def test_a_figure_is_the_reason_only_where_it_decides(
    *,
    workflow: str,
    flags: list[str],
    amount: str | None,
    impact: str,
    reversible: bool,
    figures: dict[str, float],
    risk: dict[str, float],
    checks: list[str],
) -> None:
    """With the best figures a case whose first reason is a figure would be in a less strict lane."""
    parts: dict[str, Any] = {"workflow": workflow, "request": "Please.", "action": {"type": "ticket.close", "reversible": reversible}}
    parts["checks"] = [{"name": f"c{number}", "result": result} for number, result in enumerate(checks)]
    facts = {"flags": flags, "impact": impact} | ({"amount": amount, "currency": "USD"} if amount else {})
    requester = {"requester": {"slack_id": "U0ASKED0001"}}
    given_case = a_submission(**parts, **requester, model={"confidence": None} | figures, risk=facts | risk)
    found = route(POLICY, given_case, Facts(), NOW)
    if found.lane is Lane.AUTO or not found.reasons or found.reasons[0].code not in {code.value for code in FIGURES}:
        return
    best = a_submission(**parts, **requester, model=BEST, risk=facts | {"score": 0.0, "blast_radius": 0.0})
    assert route(POLICY, best, Facts(), NOW).lane.severity < found.lane.severity
