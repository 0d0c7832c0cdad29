"""How much alike two cases are: a distance that anybody can recompute, of what is not masked."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.evaluation.similarity import ALIKE, Traits, alike, distance, traits_of
from tests.examples_drawn import examples
from tests.routing.factory import a_submission

TRAITS = st.builds(
    Traits,
    st.dictionaries(st.sampled_from("abc"), st.floats(-1e6, 1e6), max_size=3),
    st.dictionaries(st.sampled_from("xyz"), st.sampled_from(["p", "q"]), max_size=3),
)


@settings(max_examples=examples(100))
@given(TRAITS, TRAITS)
def test_the_distance_is_a_share(one: Traits, other: Traits) -> None:
    """Between 0 and 1, the same both ways, and 0 to itself."""
    if not one.names | other.names:
        return
    assert 0 <= distance(one, other) <= 1
    assert distance(one, other) == distance(other, one)
    if one.names:
        assert distance(one, one) == 0


def test_numbers_count_by_their_ratio_and_words_by_being_the_same() -> None:
    """Of two traits, one a fifth less and one the same: a tenth; nearest first."""
    this = Traits({"amount": 100.0}, {"segment": "gold"})
    others = {
        "near": Traits({"amount": 80.0}, {"segment": "gold"}),
        "same": this,
        "far": Traits({"amount": 500.0}, {"segment": "gold"}),
        "opposite": Traits({"amount": -100.0}, {"segment": "gold"}),
        "other": Traits({"amount": 100.0}, {"segment": "basic"}),
        "unknown": Traits({}, {"segment": "gold"}),
        "nothing": Traits(),
    }
    assert alike(this, others) == {"same": 0, "near": pytest.approx(0.1)}
    assert list(alike(this, others)) == ["same", "near"]
    assert alike(Traits(), others) == {}
    assert alike(Traits({"n": 0.0}), {"zero": Traits({"n": 0.0})}) == {"zero": 0}
    assert ALIKE == 0.2


TOLD: dict[str, Any] = {
    "risk": {"impact": "low", "amount": "80.00", "currency": "EUR", "segment": "gold", "flags": ["b", "a"]},
    "subject": {"id": "c-1", "type": "customer"},
    "model": {"features": [{"name": "days late", "value": 14}, {"name": "region", "value": "north"}, {"name": "new", "value": True}]},
}


def test_traits_are_what_stands_in_the_case() -> None:
    """Amounts of different currencies are different traits; whom it is about counts by kind, never by id."""
    found = traits_of(a_submission(**TOLD))
    assert found.numbers == {"amount in EUR": 80.0, "days late": 14.0}
    words = {"segment": "gold", "kind of subject": "customer", "impact": "low", "currency": "EUR", "flags": "a, b"}
    assert found.words == words | {"region": "north", "new": "True"}


@pytest.mark.parametrize(
    ("hidden", "lost"),
    [
        ("risk.amount", {"amount in EUR"}),
        ("risk", {"amount in EUR", "segment", "impact", "currency", "flags"}),
        ("subject.type", {"kind of subject"}),
        ("model.features.*.value", {"days late", "region", "new"}),
        ("model.features.1.value", {"region"}),
        ("model.features[1]", {"region"}),
        ("risk.flags.0", {"flags"}),
        ("title", set()),
    ],
)
def test_what_is_masked_is_no_trait(hidden: str, lost: set[str]) -> None:
    """By whatever path it is named: itself, what it is in, or something in it."""
    case = a_submission(**TOLD)
    assert traits_of(case).names - traits_of(case, [hidden]).names == lost
