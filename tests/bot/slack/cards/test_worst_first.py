"""The title of a card shows the worst of what is known: the class of risk, checks, changes beyond the limits of the policy."""

import itertools

import pytest

from bot.slack.cards.card import draw_card
from bot.slack.cards.command_answers import draw_case
from routing.case.case import Reason
from routing.vocabulary import Risk
from tests.bot.slack.cards.factory import REFUND, a_route, a_view

LEVEL = {"🟢": 0, "🟡": 1, "🟠": 2, "🔴": 3}
LARGE = Reason(code="change_large", text="The action changes price by more than the policy lets pass unnoticed.")


@pytest.mark.parametrize("risk", list(Risk))
@pytest.mark.parametrize(("failed", "warned", "large"), list(itertools.product([0, 1, 2], [0, 1, 2], [0, 1])))
def test_the_title_shows_the_worst(risk: Risk, failed: int, warned: int, large: int) -> None:
    """Never green beside a failed check, never less than the class."""
    results = ["fail"] * failed + ["warn"] * warned
    checks = [{"name": f"c{number}", "result": result} for number, result in enumerate(results)]
    view = a_view(REFUND | {"checks": checks}, route=a_route(risk=risk, reasons=(LARGE,) if large else ()))
    worst = max(risk.level, 2 if failed or large else 0, 1 if warned else 0)
    title = draw_card(view).blocks[0]["text"]["text"]
    assert title == draw_case(view).blocks[0]["text"]["text"]
    assert LEVEL[title[0]] == worst
    asked = "approving needs a reason" in str(draw_card(view).blocks)
    assert asked == bool(results)
    if worst > risk.level:
        assert ("check" in title) == bool(failed or (warned and not large))
