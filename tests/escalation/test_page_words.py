"""What a page and its settling say, for every state and way to end: never that somebody is waited for who is not."""

import pytest

from escalation.page_words import summary_of, why_settled
from routing.vocabulary import State, Verdict
from tests.routing.factory import a_case

ENDED = [State.DECIDED, State.CLOSED]


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("held_by", ["ladder", "quarantine", "frozen"])
@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("tier", [0, 1])
def test_a_page_says_how_the_case_stands(state: State, held_by: str, verdict: Verdict, tier: int) -> None:
    """An open case at the tier waits there for what it waits for; any other is said to be settled, and why."""
    ended = {"verdict": verdict} if state in ENDED else {}
    case = a_case(state=state, tier=1, held_by=held_by if state is State.HELD else "", **ended)
    said = summary_of(case, tier)
    assert why_settled(case, tier)
    assert ("waits no longer" in said) == (state in ENDED or tier == 0)
    assert ("waits for a decision" in said) == (state is State.PENDING and tier == 1)
    assert (", due 12:15 UTC, else " in said) == (case.open and tier == 1)
