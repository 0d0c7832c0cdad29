"""Which cases are decided together, and which stand out: the rules as the form says them."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.case.case import Case, Item, Reason, Step, Vote
from routing.review.batch import FEW, Candidate, batchable, kind_of, sort_out
from routing.vocabulary import CaseKind, Risk, State, Template
from tests.routing.factory import a_case, a_route
from tests.routing.low_risk import NOW

ONE = (Step(name="approve"),)


def alike(number: int, **changes: Any) -> Case:
    """A case of low risk that one yes decides."""
    given = {"steps": ONE, "risk": Risk.LOW, "reasons": (Reason(code="money", text="The action moves money."),)} | changes.pop("route", {})
    return a_case(id=f"c_{number:026}", route=a_route(**given), votes=(), **({"confidence": 0.9} | changes))


def amounts(*figures: str) -> list[Candidate]:
    """Candidates alike but for their amounts."""
    return [Candidate(alike(number), Decimal(figure), "USD") for number, figure in enumerate(figures)]


def test_a_case_that_one_yes_decides_can_be_decided_with_others() -> None:
    """And none that needs another look, more people, or is none of a service's that waits."""
    assert batchable(alike(1))
    assert batchable(alike(1, route={"risk": Risk.MEDIUM}))
    vote = Vote(by="U0BEN000001", verb="approve", at=NOW, step=0)
    others: list[dict[str, Any]] = [
        *({"route": {"risk": risk}} for risk in (Risk.HIGH, Risk.CRITICAL)),
        *({"kind": kind, "parent": "c_1"} for kind in CaseKind if kind is not CaseKind.CASE),
        *({"state": state} for state in State if state is not State.PENDING),
        {"route": {"steps": (Step(name="approve", people=2),)}},
        {"route": {"steps": (Step(name="verify"), Step(name="approve"))}},
        {"route": {"steps": (Step(name="approve", checklist=(Item(id="a", text="A."),)),)}},
        {"tied": ("c_2",)},
        {"tied_to": "c_2"},
    ]
    assert not [one for one in others if batchable(alike(1, **one))]
    assert not batchable(alike(1).model_copy(update={"votes": (vote,)}))


@pytest.mark.parametrize(
    "changes", [{"workflow": "other"}, {"action_type": "other"}, {"tier": 1}, {"route": {"template": Template.DUAL}}], ids=str
)
def test_cases_of_another_kind_are_not_alike(changes: dict[str, Any]) -> None:
    """Workflow, type of action, template and tier."""
    assert kind_of(alike(1)) == kind_of(alike(2))
    assert kind_of(alike(1, **changes)) != kind_of(alike(2))


def test_a_figure_beyond_the_fences_stands_out() -> None:
    """1.5 times the range of the middle half away from it, on either side; of four figures nothing is said."""
    far = amounts("10", "11", "12", "13", "14", "100", "-80")
    rest, aside = sort_out(far)
    assert [one.case for one in aside] == [far[5].case, far[6].case]
    assert {one.why for one in aside} == {"its amount is far from the others'"}
    assert len(rest) == 5
    assert sort_out(amounts("10", "11", "12", "1000"))[1] == []


def test_what_differs_in_anything_else_stands_out_too() -> None:
    """A currency, how sure the model is, why it is here, what somebody has to look at; each with its own words."""
    usual = [Candidate(alike(number), Decimal(10), "USD") for number in range(6)]
    odd = [
        (Candidate(alike(7), Decimal(10), "EUR"), "its currency is another"),
        (Candidate(alike(8, confidence=0.2), Decimal(10), "USD"), "the model is far less sure of it"),
        (Candidate(alike(9, confidence=None), Decimal(10), "USD"), "the model does not say how sure it is"),
        (Candidate(alike(10, route={"reasons": (Reason(code="new", text="New."),)}), Decimal(10), "USD"), "it is here for another reason"),
        (Candidate(alike(11), Decimal(10), "USD", "values of it are masked"), "values of it are masked"),
    ]
    rest, aside = sort_out([*usual, *(one for one, _ in odd)])
    assert rest == [one.case for one in usual]
    assert [(one.case, one.why) for one in aside] == [(one.case, why) for one, why in odd]


def test_other_currencies_and_what_is_left_out_make_no_room() -> None:
    """Amounts are held against those of the same currency; one that nobody says is not taken for usual."""
    usual = amounts("10", "11", "12", "13", "14", "15", "16")
    far = Candidate(alike(20), Decimal(9_000), "USD")
    unsaid = Candidate(alike(21), None, "USD")
    yen = [Candidate(alike(30 + number), Decimal(10_000 + number), "JPY") for number in range(6)]
    rest, aside = sort_out([*usual, far, unsaid, *yen])
    assert rest == [one.case for one in usual]
    assert [one.why for one in aside] == ["its amount is far from the others'", "nobody says its amount", *["its currency is another"] * 6]


@given(st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1, max_size=30))
def test_no_case_is_lost_and_the_order_stays(figures: list[Decimal]) -> None:
    """Each is alike or set aside; at least half of any are alike; equal ones never stand out."""
    given = [Candidate(alike(number), figure, "USD") for number, figure in enumerate(figures)]
    rest, aside = sort_out(given)
    assert sorted([*(one.id for one in rest), *(one.case.id for one in aside)]) == [one.case.id for one in given]
    assert [one.id for one in rest] == sorted(one.id for one in rest)
    assert 2 * len(rest) >= len(given)
    if len(given) < FEW or len(set(figures)) == 1:
        assert not aside
